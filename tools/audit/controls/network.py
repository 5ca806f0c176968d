# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""EC2: what the network lets in and out, and what it writes down."""

from __future__ import annotations

from collections.abc import Iterator

from ..control import Verdicts, control, when
from ..environment import Environment, Resource, statements
from ..policies import is_anyone, on_everything

WORLD = {"0.0.0.0/0", "::/0"}
AUTHORIZED_PORTS = {80, 443}
# The list of EC2.19.
HIGH_RISK_PORTS = {
    20,
    21,
    22,
    23,
    25,
    110,
    135,
    143,
    445,
    1433,
    1434,
    3000,
    3306,
    3389,
    4333,
    5000,
    5432,
    5500,
    5601,
    8080,
    8088,
    8888,
    9200,
    9300,
}
PRIVATE_SERVICES = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "sqs")
CLOSE = "Remove the rule in roles/network or by hand, then run site.yml: it keeps the rules that it knows."


def is_world(rule: Resource) -> bool:
    ranges = [one.get("CidrIp") for one in rule.get("IpRanges", [])]
    return bool(WORLD & {*ranges, *(one.get("CidrIpv6") for one in rule.get("Ipv6Ranges", []))})


def covers(rule: Resource, port: int) -> bool:
    """Whether the rule is about this port; protocol -1 is about all."""
    return str(rule["IpProtocol"]) == "-1" or int(rule.get("FromPort", 0)) <= port <= int(rule.get("ToPort", 65535))


def open_ports(environment: Environment, ports: set[int]) -> Iterator[tuple[str, set[int]]]:
    """Each security group with those of ``ports`` that the world reaches."""
    for group in environment.security_groups:
        world = [rule for rule in group["IpPermissions"] if is_world(rule)]
        yield group["GroupName"], {port for port in ports if any(covers(rule, port) for rule in world)}


@control("EC2.2", "The default security group lets nothing in or out", CLOSE)
def default_security_group(environment: Environment) -> Verdicts:
    for group in environment.security_groups:
        if group["GroupName"] == "default":
            rules = group["IpPermissions"] + group["IpPermissionsEgress"]
            yield group["GroupId"], f"{len(rules)} rules" if rules else ""


@control("EC2.6", "Flow logs of every VPC", "Set network_flow_logs: true and run site.yml.")
def flow_logs(environment: Environment) -> Verdicts:
    logged = {one["ResourceId"] for one in environment.in_vpcs("describe_flow_logs", "FlowLogs", "resource-id")}
    yield from when(((vpc, vpc not in logged) for vpc in environment.vpc_ids), "no flow log")


@control("EC2.10", "AWS services are reached through VPC endpoints", "Set network_egress: endpoints and run site.yml.")
def endpoints(environment: Environment) -> Verdicts:
    found = environment.in_vpcs("describe_vpc_endpoints", "VpcEndpoints")
    for vpc in environment.vpc_ids:
        names = {one["ServiceName"].split(".", 3)[-1] for one in found if one["VpcId"] == vpc}
        missing = sorted({"s3", *PRIVATE_SERVICES} - names)
        yield vpc, f"no endpoint of {', '.join(missing)}" if missing else ""


@control(
    "EC2.endpoint",
    "VPC endpoints let data pass to trusted accounts only",
    "Set network_endpoint_policies: true and run site.yml.",
)
def endpoint_policies(environment: Environment) -> Verdicts:
    mine = [one for one in environment.in_vpcs("describe_vpc_endpoints", "VpcEndpoints") if is_ours(one, environment)]
    names = sorted({one["ServiceName"] for one in mine})
    filters = [{"Name": "service-name", "Values": names}]
    found = environment.pages("ec2", "describe_vpc_endpoint_services", "ServiceDetails", Filters=filters)
    incapable = {one["ServiceName"] for one in found if not one.get("VpcEndpointPolicySupported", True)}
    for one in mine:
        # Fargate itself uses these two, and AWS does not say as whom.
        if one["ServiceName"] in incapable or one["ServiceName"].endswith((".ecs-agent", ".ecs-telemetry")):
            continue
        free = any(
            statement["Effect"] == "Allow" and is_anyone(statement) and on_everything(statement)
            for statement in statements(one.get("PolicyDocument"))
        )
        yield one["ServiceName"], "anyone reaches everything through it" if free else ""


def is_ours(resource: Resource, environment: Environment) -> bool:
    """Whether it carries the environment's tag."""
    return {"Key": "sm2a:environment", "Value": environment.name} in resource.get("Tags", [])


@control("EC2.13", "No SSH from the world", CLOSE)
def ssh(environment: Environment) -> Verdicts:
    yield from when(((name, bool(ports)) for name, ports in open_ports(environment, {22})), "the world reaches port 22")


@control("EC2.14", "No Remote Desktop from the world", CLOSE)
def remote_desktop(environment: Environment) -> Verdicts:
    found = open_ports(environment, {3389})
    yield from when(((name, bool(ports)) for name, ports in found), "the world reaches port 3389")


@control("EC2.15", "Subnets give no public addresses", "Turn MapPublicIpOnLaunch off and run site.yml.")
def public_addresses(environment: Environment) -> Verdicts:
    subnets = environment.in_vpcs("describe_subnets", "Subnets")
    yield from when(((one["SubnetId"], one["MapPublicIpOnLaunch"]) for one in subnets), "gives public addresses")


@control("EC2.18", "The world reaches only the ports 80 and 443", CLOSE)
def authorized_ports(environment: Environment) -> Verdicts:
    for group in environment.security_groups:
        other = [
            rule
            for rule in group["IpPermissions"]
            if is_world(rule)
            and not (rule.get("FromPort") == rule.get("ToPort") and rule.get("FromPort") in AUTHORIZED_PORTS)
        ]
        yield group["GroupName"], f"{len(other)} rules open other ports" if other else ""


@control("EC2.19", "No high-risk port from the world", CLOSE)
def high_risk_ports(environment: Environment) -> Verdicts:
    for name, ports in open_ports(environment, HIGH_RISK_PORTS):
        yield name, f"the world reaches {sorted(ports)}" if ports else ""


@control(
    "EC2.21", "Network ACLs let no SSH or Remote Desktop in from the world", "Set network_acl_* back to their defaults."
)
def network_acls(environment: Environment) -> Verdicts:
    for acl in environment.in_vpcs("describe_network_acls", "NetworkAcls"):
        if not acl["Associations"] and acl["IsDefault"]:
            continue
        verdict = {port: allowed(acl["Entries"], port) for port in (22, 3389)}
        reached = [port for port, reaches in verdict.items() if reaches]
        yield acl["NetworkAclId"], f"the world reaches {reached}" if reached else ""


def allowed(entries: list[Resource], port: int) -> bool:
    """What the first entry that fits a packet from the world says."""
    for entry in sorted(entries, key=lambda one: int(one["RuleNumber"])):
        ports = entry.get("PortRange") or {"From": 0, "To": 65535}
        world = entry.get("CidrBlock") in WORLD or entry.get("Ipv6CidrBlock") in WORLD
        if not entry["Egress"] and world and entry["Protocol"] in ("-1", "6") and ports["From"] <= port <= ports["To"]:
            return str(entry["RuleAction"]) == "allow"
    return False


@control("EC2.egress", "Components send only to named ports", CLOSE)
def egress(environment: Environment) -> Verdicts:
    for group in environment.security_groups:
        free = any(rule["IpProtocol"] == "-1" for rule in group["IpPermissionsEgress"])
        yield group["GroupName"], "sends anything anywhere" if free else ""
