# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How much of each quota is in use, in the account and Region of the call that is looked at (MiniStack's stores)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import acm, alb, ec2, ecs, iam, kms, rds, s3, secretsmanager

from sm2a_local_aws.patching.points import relies_on

Record = Mapping[str, Any]

relies_on("ministack.services.ec2", {"_ensure_defaults_initialized": "3da72f60eed7"})

# A NAT gateway in one of these does not count.
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
UNCOUNTED_GATEWAYS = ("deleted", "failed")
UNITS_OF_A_VCPU = 1024


def vpcs() -> int:
    ec2._ensure_defaults_initialized()
    return len(ec2._vpcs)


def internet_gateways() -> int:
    ec2._ensure_defaults_initialized()
    return len(ec2._internet_gateways)


def addresses() -> int:
    return len(ec2._addresses)


def nat_gateways(zone: str) -> int:
    """Those of an Availability Zone."""
    counted = [one for one in ec2._nat_gateways.values() if one["State"] not in UNCOUNTED_GATEWAYS]
    return len([one for one in counted if zone_of_subnet(one["SubnetId"]) == zone])


def zone_of_subnet(subnet_id: str) -> str:
    """Its Availability Zone; "" for an unknown subnet."""
    return str((ec2._subnets.get(subnet_id) or {}).get("AvailabilityZone", ""))


def interface_endpoints(vpc_id: str) -> int:
    return len([one for one in _endpoints("Interface") if one["VpcId"] == vpc_id])


def gateway_endpoints() -> int:
    return len(_endpoints("Gateway"))


def _endpoints(kind: str) -> list[Record]:
    return [one for one in ec2._vpc_endpoints.values() if one["VpcEndpointType"] == kind]


def security_groups() -> int:
    ec2._ensure_defaults_initialized()
    return len(ec2._security_groups)


def subnets(vpc_id: str) -> int:
    return len([one for one in ec2._subnets.values() if one["VpcId"] == vpc_id])


def rules(group_id: str, direction: str) -> set[str]:
    """The rules of a security group in one direction (IpPermissions, IpPermissionsEgress), each by what it says."""
    return rules_of((ec2._security_groups.get(group_id) or {}).get(direction, []))


def rules_of(permissions: list[Any]) -> set[str]:
    """Each source or destination is a rule of its own."""
    found = set()
    for permission in permissions:
        ports = [permission.get("IpProtocol"), str(permission.get("FromPort", "")), str(permission.get("ToPort", ""))]
        for member, key in SOURCES.items():
            found |= {"/".join([*map(str, ports), str(one.get(key))]) for one in permission.get(member) or []}
    return found


SOURCES = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "PrefixListIds": "PrefixListId",
    "UserIdGroupPairs": "GroupId",
}


def manual_snapshots() -> int:
    """Final ones are such."""
    return len([one for one in rds._snapshots.values() if one["SnapshotType"] == "manual"])


def load_balancers() -> int:
    return len([one for one in alb._lbs.values() if one.get("Type", "application") == "application"])


def target_groups() -> int:
    return len(alb._tgs)


def db_instances() -> int:
    return len(rds._instances)


def db_storage() -> int:
    """In GiB."""
    return sum(int(one.get("AllocatedStorage") or 0) for one in rds._instances.values())


def db_subnet_groups() -> int:
    return len(rds._subnet_groups)


def db_parameter_groups() -> int:
    return len([name for name in rds._param_groups if not name.startswith("default.")])


def vcpus(spot: bool) -> float:
    """Of the tasks on Fargate that have not stopped, in this account and Region."""
    running = [task for task in list(ecs._tasks.values()) if task["lastStatus"] != "STOPPED"]
    return sum(vcpus_of(task) for task in running if is_spot(task["capacityProviderName"]) == spot)


def vcpus_of(sized: Record) -> float:
    """Of one task, or of one of a task definition."""
    return int(sized.get("cpu") or 256) / UNITS_OF_A_VCPU


def is_spot(provider: str | None) -> bool:
    return provider == "FARGATE_SPOT"


def roles() -> int:
    return len(iam._roles)


def buckets() -> int:
    return len(s3._buckets)


def secrets() -> int:
    return len(secretsmanager._secrets)


def keys() -> int:
    """Customer managed ones, in any state."""
    return len([one for one in kms._keys.values() if one.get("KeyManager", "CUSTOMER") == "CUSTOMER"])


def certificates() -> int:
    return len(acm._certificates)
