# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The domain of an environment: its hosted zone, whether the world finds it, and whether its name is free."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

with suppress(ImportError):  # Without it nobody asks the world's DNS, which is a warning.
    import dns.exception
    import dns.resolver

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils import route53 as api
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import describe_load_balancer
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.gathering import (
    Answer,
    Context,
    Once,
    Read,
    or_refused,
    reason,
)

# For all attempts of the resolver together.
DNS_SECONDS = 3.0
KINDS = ("A", "AAAA", "CNAME")

Options = Mapping[str, Any]
# Names of the servers to which a zone is delegated; None when it is not, AnsibleAWSError when nobody answers.
NameServers = Callable[[str], "Sequence[str] | None"]


def name_servers(zone: str) -> Sequence[str] | None:
    """What the resolver of this machine says."""
    try:
        answer = dns.resolver.resolve(f"{zone}.", "NS", lifetime=DNS_SECONDS)
    except NameError as error:
        raise AnsibleAWSError(message="The Python package dnspython is missing: install it") from error
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return None
    except dns.exception.DNSException as error:
        raise AnsibleAWSError(message=f"The DNS of this machine does not answer about {zone}: {error}") from error
    return [record.target.to_text() for record in answer]


def judge_zone(found: api.Zone | None, options: Options) -> list[Finding]:
    """Whether the zone can hold the domain, and prove to ACM that it is the account's."""
    called = options["hosted_zone_id"] or options["hosted_zone_name"]
    if found is None:
        message = (
            f"Route 53 has no hosted zone {called} in this account: create it, or correct "
            "load_balancer_hosted_zone_name or load_balancer_hosted_zone_id."
        )
        return [Finding("hosted_zone", message)]
    findings = []
    domain = options["name"].rstrip(".").lower()
    if not f".{domain}".endswith(f".{found.name.lower()}"):
        message = f"{domain} (load_balancer_domain_name) is not in the hosted zone {found.name} ({found.id})."
        findings.append(Finding("hosted_zone", message))
    if found.private and options["validated"]:
        message = (
            f"The hosted zone {found.name} ({found.id}) is private, and ACM validates a certificate through a public "
            "one: name that in load_balancer_certificate_hosted_zone_id, or give a certificate."
        )
        findings.append(Finding("hosted_zone", message))
    return findings


def judge_delegation(found: api.Zone, validated: bool, ask: NameServers) -> list[Finding]:
    """Whether the world's DNS leads to the zone: certain only where a certificate waits for it."""
    if found.private or not found.name_servers:
        return []
    asked = ask(found.name)
    known = {server.rstrip(".").lower() for server in found.name_servers}
    if asked is not None and known & {server.rstrip(".").lower() for server in asked}:
        return []
    there = f"leads to {', '.join(sorted(server.rstrip('.') for server in asked))}" if asked else "does not know it"
    message = (
        f"The world's DNS does not lead to the hosted zone {found.name} ({found.id}), but {there}: put the name "
        f"servers {', '.join(sorted(known))} into the parent zone, or at the registrar."
    )
    return [Finding("zone_delegation", message, certain=validated)]


def domain_record(route53: Any, elbv2: Any, found: api.Zone, options: Options) -> list[Finding]:
    """A record of the domain that leads to something else than the environment's load balancer; the run replaces it."""
    balancer = describe_load_balancer(elbv2, options["load_balancer"])
    own = balancer["DNSName"].lower() if balancer else None
    for kind in KINDS:
        record = api.record_set(route53, found, options["name"], kind)
        target = target_of(record) if record else None
        if target and not _is_own(target, own, options["load_balancer"]):
            message = (
                f"{options['name']} has a record {kind} already, which leads to {target}: choose another "
                "load_balancer_domain_name, or remove the record."
            )
            return [Finding("domain_record", message)]
    return []


def target_of(record: Mapping[str, Any]) -> str:
    """Where a record leads."""
    alias = (record.get("AliasTarget") or {}).get("DNSName", "")
    values = ", ".join(value["Value"] for value in record.get("ResourceRecords") or [])
    return str(alias or values).rstrip(".").lower()


def _is_own(target: str, dns_name: str | None, load_balancer: str) -> bool:
    """Also a record that points to a former load balancer of the name, which is replaced."""
    plain = target.removeprefix("dualstack.")
    return plain == dns_name or plain.removeprefix("internal-").startswith(f"{load_balancer.lower()}-")


def reads(context: Context) -> list[Read]:
    """The questions about the domain, where Route 53 has its zone."""
    options, clients = context.options["domain"], context.clients
    if not options:
        return []
    # In the account that has the zone, whose role may refuse.
    route53 = Once(context.route53)
    zone = Once(lambda: api.look_up_zone(route53(), options))

    def hosted_zone() -> Answer:
        try:
            route53()
        except AnsibleAWSError as error:
            return Answer([Finding("hosted_zone", f"{reason(error)}.")])
        return or_refused("hosted_zone", lambda: judge_zone(zone(), options))

    def record() -> Answer:
        found = zone()
        return Answer(domain_record(route53(), clients["elbv2"], found, options) if found else ())

    def delegation() -> Answer:
        found = zone()
        return Answer(judge_delegation(found, options["validated"], name_servers) if found else ())

    asked = [
        Read(("hosted_zone",), hosted_zone),
        Read(("domain_record",), record),
    ]
    return [*asked, Read(("zone_delegation",), delegation)] if context.amazon else asked
