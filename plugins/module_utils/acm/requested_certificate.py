# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A certificate that Amazon issues and renews: requested from ACM, validated by CNAMEs in Route 53 or made by hand."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

with contextlib.suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import WaiterError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils import route53 as dns
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import api
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import tag_change
from ansible_collections.sm2a.airflow.plugins.module_utils.common.progress import say
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome

NAMING_SECONDS = 120
# https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
HOURS_OPEN = 72
# Time to live of the CNAMEs, seconds.
TTL = 300
ADVICE = {
    "CAA_ERROR": 'a CAA record of the domain forbids it: add the CAA record 0 issue "amazon.com", and run again',
    "ADDITIONAL_VERIFICATION_REQUIRED": "AWS wants to know more about the domain: open a support case",
    "DOMAIN_NOT_ALLOWED": "the domain is listed as unsafe: have it taken off the list, then ask AWS support",
    "INVALID_PUBLIC_DOMAIN": "a name is not one of the public DNS: use a public domain, or another source",
}


@dataclass(frozen=True)
class Services:
    """The clients that validation needs: that of Route 53 unless the records are made by hand."""

    acm: Any
    route53: Any = None


def validation_records(detail: dict[str, Any]) -> list[dns.RecordSet]:
    """The CNAMEs that validate a certificate, once each: a name and its wildcard share one."""
    return records_of(detail.get("DomainValidationOptions", []))


def records_of(options: Iterable[dict[str, Any]]) -> list[dns.RecordSet]:
    """The CNAMEs of these DomainValidationOptions, once each."""
    found = {}
    for option in options:
        record = option.get("ResourceRecord")
        if record:
            name = record["Name"]
            values = [{"Value": record["Value"]}]
            found[name] = {"Name": name, "Type": record["Type"], "TTL": TTL, "ResourceRecords": values}
    return list(found.values())


def missing_records(route53: Any, zone: dns.Zone | None, records: Iterable[dns.RecordSet]) -> list[dns.RecordSet]:
    """Those that the zone does not have, or has with another value; none of what is made by hand, without a zone."""
    if zone is None:
        return []
    return [
        record
        for record in records
        if (dns.record_set(route53, zone, record["Name"], record["Type"]) or {}).get("ResourceRecords")
        != record["ResourceRecords"]
    ]


def is_as_wanted(detail: dict[str, Any], domain_names: list[str]) -> bool:
    """Whether a certificate is one that Amazon issued, or still may issue, for exactly these names."""
    names = {name.lower() for name in detail.get("SubjectAlternativeNames", [])} | {detail["DomainName"].lower()}
    return (
        detail.get("Type") == "AMAZON_ISSUED"
        and detail["Status"] not in api.HOPELESS
        and detail["DomainName"].lower() == domain_names[0].lower()
        and names == {name.lower() for name in domain_names}
    )


def failure(detail: dict[str, Any], zone: dns.Zone | None, timeout: int) -> str:
    """Why ACM did not issue the certificate, and what to do."""
    names, status = ", ".join(detail.get("SubjectAlternativeNames", [detail["DomainName"]])), detail["Status"]
    if status in api.HOPELESS:
        reason = detail.get("FailureReason", status)
        advice = ADVICE.get(reason, "run again to request another one")
        return f"ACM did not issue a certificate for {names} ({reason}): {advice}"
    waiting = [one for one in detail.get("DomainValidationOptions", []) if one.get("ValidationStatus") != "SUCCESS"]
    unproved = ", ".join(one["DomainName"] for one in waiting) or names
    unproved += f" within {timeout} seconds" if timeout else ", and the run is not to wait"
    if zone is None:
        lines = [f"{one['Type']} {one['Name']} {one['ResourceRecords'][0]['Value']}" for one in records_of(waiting)]
        return (
            f"ACM could not yet validate {unproved}. It keeps the request open for {HOURS_OPEN} hours; afterwards a "
            "run makes a new one. Create these records where the DNS of the domain is kept, and run again: "
            + "; ".join(lines)
        )
    servers = ", ".join(zone.name_servers) or "none: it is a private zone, which ACM cannot read"
    return (
        f"ACM could not validate {unproved}. Check that {zone.name} is delegated to the name "
        f"servers of hosted zone {zone.id} ({servers}), then run again: the request stays open meanwhile"
    )


def wait(acm: Any, goal: str, arn: str, zone: dns.Zone | None, timeout: int) -> dict[str, Any]:
    """Wait for the CNAMEs to be ``named``, or for the certificate to be ``issued``; returns its detail."""
    say(f"certificate {arn} is not {goal} yet" if goal == "issued" else f"certificate {arn} has no names to prove yet")
    try:
        api.waiter(acm, goal, timeout)(CertificateArn=arn)
    except WaiterError as error:
        detail = error.last_response.get("Certificate")
        message = failure(detail, zone, timeout) if detail else f"Certificate {arn} cannot be read: {error}"
        raise AnsibleAWSError(message=message) from error
    return dict(api.describe(acm, arn) or {})


def view(arn: str, detail: dict[str, Any], records: Iterable[dns.RecordSet], tags: dict[str, str]) -> dict[str, Any]:
    """A requested certificate for the result and the diff; ``records`` are the CNAMEs that its zone has, or those to
    be made by hand."""
    expiry = detail.get("NotAfter")
    return {
        "certificate_arn": arn,
        "domain_names": detail["SubjectAlternativeNames"],
        "valid_until": f"{expiry:%Y-%m-%d}" if expiry else None,
        "self_signed": False,
        "validation_records": values_by_name(records),
        "tags": tags,
    }


def values_by_name(records: Iterable[dns.RecordSet]) -> dict[str, str]:
    """CNAMEs as people write them down."""
    return {one["Name"]: one["ResourceRecords"][0]["Value"] for one in records}


def zone_of(services: Services, params: dict[str, Any]) -> dns.Zone | None:
    """The public zone of the CNAMEs, which holds every name; None when they are made by hand."""
    if services.route53 is None:
        return None
    zone = dns.find_zone(services.route53, params)
    dns.require_inside(zone, params["domain_names"])
    if zone.private:
        raise AnsibleAWSError(
            message=f"Hosted zone {zone.name} ({zone.id}) is private: ACM needs a public hosted zone for validation"
        )
    return zone


def ensure_requested(services: Services, params: dict[str, Any], placeholder_arn: str, check_mode: bool) -> Outcome:
    """Request a certificate unless one for these names is there, and keep its CNAMEs in place; with ``wait`` also wait
    until it is issued.

    Certificates for other names stay, because a listener may use them: remove them with ``state: absent`` and
    ``except_arn`` once it does not. Tags None leave those of an existing one alone.
    """
    acm, route53, names, name = services.acm, services.route53, params["domain_names"], params["name"]
    zone = zone_of(services, params)
    held = api.named(acm, name)
    fitting = [one for one in held if is_as_wanted(one.detail, names)]
    if not fitting:
        before = {"certificates": [one.arn for one in held]} if held else {}
        arn, wanted_tags = placeholder_arn, {**(params["tags"] or {}), "Name": name}
        detail: dict[str, Any] = {"SubjectAlternativeNames": names}
        if not check_mode:
            for one in held:
                if one.detail["Status"] in api.HOPELESS and not one.in_use:
                    api.delete_certificate(acm, one.arn)
            arn = api.request_certificate(acm, names, wanted_tags)
            detail = validate(services, zone, arn, params)
        return Outcome(True, before, view(arn, detail, validation_records(detail), wanted_tags))
    current = min(fitting, key=lambda one: (one.detail["Status"] != "ISSUED", not one.in_use, one.arn))
    change = tag_change(current.tags, params["tags"], params["purge_tags"])
    records = validation_records(current.detail)
    missing = missing_records(route53, zone, records)
    there = [record for record in records if record not in missing]
    before = view(current.arn, current.detail, there, current.tags)
    pending = current.detail["Status"] != "ISSUED" and params["wait"]
    detail = current.detail
    if not check_mode:
        if missing or pending:
            detail = validate(services, zone, current.arn, params)
        if change:
            api.write_tags(acm, current.arn, change)
    after = view(current.arn, detail, validation_records(detail), change.result)
    return Outcome(bool(missing or change or pending), before, after)


def validate(services: Services, zone: dns.Zone | None, arn: str, params: dict[str, Any]) -> dict[str, Any]:
    """Write the CNAMEs and, if asked to, wait until the certificate is issued; returns its detail."""
    named = wait(services.acm, "named", arn, zone, NAMING_SECONDS)
    if zone:
        dns.upsert(services.route53, zone, missing_records(services.route53, zone, validation_records(named)))
    return wait(services.acm, "issued", arn, zone, params["wait_timeout"]) if params["wait"] else named


def orphaned_records(acm: Any, doomed: list[api.Held]) -> list[dns.RecordSet]:
    """The CNAMEs of certificates that are to be deleted, but those by which ACM renews another in the Region."""
    records = {record["Name"]: record for held in doomed for record in validation_records(held.detail)}
    if not records:
        return []
    staying = set(api.list_arns(acm)) - {held.arn for held in doomed}
    details = [detail for arn in staying if (detail := api.describe(acm, arn))]
    needed = {record["Name"] for detail in details for record in validation_records(detail)}
    return [record for name, record in records.items() if name not in needed]


def remove_records(route53: Any, params: dict[str, Any], records: list[dns.RecordSet]) -> None:
    """Delete those of the CNAMEs that the zone of the options has as they were."""
    zone = dns.look_up_zone(route53, params)
    if zone is None:
        return
    for record in records:
        found = dns.record_set(route53, zone, record["Name"], record["Type"])
        if found and found["ResourceRecords"] == record["ResourceRecords"]:
            dns.delete(route53, zone, found)
