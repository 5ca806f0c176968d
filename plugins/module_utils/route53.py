# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Route 53, here or through a role of another account: find a hosted zone, read, write and delete its record sets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.assumed_role import client_of_role
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call, client

# A record set as the API has it: Name, Type and either TTL with ResourceRecords, or AliasTarget.
RecordSet = dict[str, Any]
# As AnsibleModule wants them: documented by the fragment hosted_zone.
ZONE_OPTIONS: dict[str, dict[str, Any]] = {
    "hosted_zone_id": {"type": "str"},
    "hosted_zone_name": {"type": "str"},
    "dns_role_arn": {"type": "str"},
    "dns_role_external_id": {"type": "str"},
}


@dataclass(frozen=True)
class Zone:
    """A hosted zone; ``name`` is without the final dot. A private zone has no name servers."""

    id: str
    name: str
    private: bool
    name_servers: list[str] = field(default_factory=list)


def route53_client(module: AnsibleAWSModule, params: Mapping[str, Any]) -> Any:
    """The client of Route 53 in the account that has the hosted zones; AnsibleAWSError when its role is refused.

    ``params`` are the options of the zone.
    """
    if not params["dns_role_arn"]:
        return client(module, "route53")
    return client_of_role(module, "route53", params["dns_role_arn"], params["dns_role_external_id"])


@call("read the hosted zone", missing=("NoSuchHostedZone",))
def get_zone(route53: Any, zone_id: str) -> Zone | None:
    """The zone with this id, with or without ``/hostedzone/`` in front; None when there is none."""
    answer = route53.get_hosted_zone(Id=zone_id.rsplit("/", 1)[-1])
    zone, servers = answer["HostedZone"], answer.get("DelegationSet", {}).get("NameServers", [])
    private = bool(zone.get("Config", {}).get("PrivateZone"))
    return Zone(zone["Id"].rsplit("/", 1)[-1], zone["Name"].rstrip("."), private, servers)


@call("look for the hosted zone")
def zone_ids(route53: Any, name: str) -> list[str]:
    """Ids of the zones with this name; those of one name stand together in the answer."""
    wanted = name.rstrip(".").lower() + "."
    zones = route53.list_hosted_zones_by_name(DNSName=wanted)["HostedZones"]
    return [zone["Id"].rsplit("/", 1)[-1] for zone in zones if zone["Name"].lower() == wanted]


def look_up_zone(route53: Any, params: dict[str, Any]) -> Zone | None:
    """The zone of the options ``hosted_zone_id`` or ``hosted_zone_name``; None when there is none.

    AnsibleAWSError when there are several of that name.
    """
    zone_id, name = params["hosted_zone_id"], params["hosted_zone_name"]
    if not zone_id:
        ids = zone_ids(route53, str(name))
        if len(ids) > 1:
            raise AnsibleAWSError(
                message=f"There are {len(ids)} hosted zones {name} ({', '.join(ids)}): give the ID of one"
            )
        zone_id = ids[0] if ids else None
    return get_zone(route53, zone_id) if zone_id else None


def find_zone(route53: Any, params: dict[str, Any]) -> Zone:
    """The same; AnsibleAWSError when there is none."""
    zone = look_up_zone(route53, params)
    if zone is None:
        missing = f"There is no hosted zone {params['hosted_zone_id'] or params['hosted_zone_name']}"
        role = params["dns_role_arn"]
        raise AnsibleAWSError(
            message=f"{missing} in the account of role {role}"
            if role
            else f"{missing} in this account: where another account has it, name a role of that account for DNS"
        )
    return zone


def require_inside(zone: Zone, names: Iterable[str]) -> None:
    """AnsibleAWSError when a name does not belong to the zone."""
    outside = [name for name in names if not f".{name.rstrip('.').lower()}".endswith(f".{zone.name.lower()}")]
    if outside:
        raise AnsibleAWSError(message=f"{', '.join(outside)} is not in hosted zone {zone.name} ({zone.id})")


@call("read a record set")
def record_set(route53: Any, zone: Zone, name: str, kind: str) -> RecordSet | None:
    """The record set of that name and type; None when there is none."""
    wanted = name.rstrip(".").lower() + "."
    answer = route53.list_resource_record_sets(
        HostedZoneId=zone.id, StartRecordName=wanted, StartRecordType=kind, MaxItems="1"
    )
    # Route 53 answers with the next record set when there is no such one, and writes * as \052.
    for found in answer["ResourceRecordSets"]:
        if found["Name"].replace("\\052", "*").lower() == wanted and found["Type"] == kind:
            return dict(found)
    return None


@call("write record sets")
def upsert(route53: Any, zone: Zone, records: Iterable[RecordSet]) -> None:
    """Create the record sets, or put them in the place of those of the same name and type."""
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
    if changes:
        route53.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch={"Changes": changes})


@call("delete a record set")
def delete(route53: Any, zone: Zone, record: RecordSet) -> None:
    """Delete the record set, which must be as read; fine when it is gone, as after a lost reply."""
    changes = [{"Action": "DELETE", "ResourceRecordSet": record}]
    try:
        route53.change_resource_record_sets(HostedZoneId=zone.id, ChangeBatch={"Changes": changes})
    except ClientError as error:
        gone = error.response["Error"]["Code"] == "InvalidChangeBatch"
        if not gone or record_set(route53, zone, record["Name"], record["Type"]) is not None:
            raise
