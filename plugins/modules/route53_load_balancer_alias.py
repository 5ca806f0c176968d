#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: route53_load_balancer_alias
version_added: 0.1.0
short_description: Manage the alias records of a load balancer in Route 53
description:
  - Manages the alias record A of a name, and AAAA when the load balancer has IPv6 addresses. The load balancer is found
    by its name, so that a new one under the same name gets its alias, too.
  - A record that points elsewhere is replaced when O(state=present), and left alone when O(state=absent).
  - Unlike M(amazon.aws.route53) it removes the records also when the load balancer is gone and nobody knows their
    target, and when the reply to a removal was lost.
author:
  - SM2A contributors (@sm2a)
options:
  load_balancer_name:
    description:
      - Name of the load balancer.
    type: str
    required: true
  record_name:
    description:
      - Name under which people reach it.
    type: str
    required: true
  hosted_zone_id:
    description:
      - Hosted zone of O(record_name). This or O(hosted_zone_name) is required.
  ipv6:
    description:
      - Whether there is an AAAA record besides A.
    type: bool
    default: false
  state:
    description:
      - Whether the records exist. V(absent) also removes those of a load balancer that is gone, and is fine without a
        zone.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.hosted_zone
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A name for the load balancer
  sm2a.airflow.route53_load_balancer_alias:
    load_balancer_name: staging
    record_name: airflow.example.com
    hosted_zone_name: example.com

- name: The same in a hosted zone of another account
  sm2a.airflow.route53_load_balancer_alias:
    load_balancer_name: staging
    record_name: airflow.example.com
    hosted_zone_name: example.com
    dns_role_arn: arn:aws:iam::210987654321:role/airflow-dns
"""

RETURN = r"""
records:
  description:
    - The alias records by type; empty when there are none.
    - Null in check mode while the load balancer is not there.
  returned: always
  type: dict
  sample: {A: staging-123456789.eu-west-1.elb.amazonaws.com in Z32O12XQLNTSW2}
"""

import re
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import route53 as dns
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import STATE_OPTION, client, exit_with
from ansible_collections.sm2a.airflow.plugins.module_utils.common.partitions import ANY_DOMAIN
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import describe_load_balancer

KINDS = ("A", "AAAA")
# The target, in check mode, of an alias of a load balancer that is to be created.
PLACEHOLDER: dict[str, str] = {}


def alias(record_name: str, kind: str, balancer: dict[str, Any]) -> dns.RecordSet:
    """The alias record set of a load balancer as the API wants it."""
    target = {
        "HostedZoneId": balancer["CanonicalHostedZoneId"],
        "DNSName": balancer["DNSName"].lower() + ".",
        "EvaluateTargetHealth": True,
    }
    return {"Name": record_name.rstrip(".").lower() + ".", "Type": kind, "AliasTarget": target}


def is_alias_of(record: dns.RecordSet, load_balancer_name: str) -> bool:
    """Whether a record points to a load balancer of this name, be it there or gone."""
    name = re.escape(load_balancer_name.lower())
    pattern = rf"(dualstack\.)?(internal-)?{name}-[0-9a-z]+\.[a-z0-9-]+\.elb\.({ANY_DOMAIN})\.?"
    return bool(re.fullmatch(pattern, record.get("AliasTarget", {}).get("DNSName", "").lower()))


def target_of(record: dns.RecordSet) -> str | None:
    """Where a record points, for the result and the diff; None in check mode when only the run will know."""
    target = record.get("AliasTarget")
    if target == PLACEHOLDER:
        return None
    if target is None:
        return ", ".join(value["Value"] for value in record.get("ResourceRecords", []))
    ignored = "" if target["EvaluateTargetHealth"] else " whatever its health"
    return f"{target['DNSName'].rstrip('.')} in {target['HostedZoneId']}{ignored}"


def view(records: dict[str, dns.RecordSet]) -> dict[str, str | None]:
    """Targets by type."""
    return {kind: target_of(record) for kind, record in records.items()}


def wanted_records(elbv2: Any, params: dict[str, Any], check_mode: bool) -> dict[str, dns.RecordSet]:
    """The record sets by type that are to be there; AnsibleAWSError when there is no load balancer."""
    name = params["load_balancer_name"]
    if params["state"] == "absent":
        return {}
    balancer = describe_load_balancer(elbv2, name)
    if balancer is None and not check_mode:
        raise AnsibleAWSError(message=f"Load balancer {name}, the target of {params['record_name']}, does not exist")
    kinds = KINDS if params["ipv6"] else KINDS[:1]
    if balancer is None:
        return {kind: {"AliasTarget": PLACEHOLDER} for kind in kinds}
    return {kind: alias(params["record_name"], kind, balancer) for kind in kinds}


def ensure(elbv2: Any, route53: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Write the records that differ, and remove ours that are not wanted."""
    find = dns.find_zone if params["state"] == "present" else dns.look_up_zone
    zone = find(route53, params)
    if zone is None:
        return Outcome(False)
    dns.require_inside(zone, [params["record_name"]])
    wanted = wanted_records(elbv2, params, check_mode)
    read = {kind: dns.record_set(route53, zone, params["record_name"], kind) for kind in KINDS}
    ours = {
        kind: record
        for kind, record in read.items()
        if record and (kind in wanted or is_alias_of(record, params["load_balancer_name"]))
    }
    differing = [record for kind, record in wanted.items() if ours.get(kind) != record]
    surplus = [record for kind, record in ours.items() if kind not in wanted]
    if not check_mode:
        dns.upsert(route53, zone, differing)
        for record in surplus:
            dns.delete(route53, zone, record)
    return Outcome(bool(differing or surplus), view(ours), view(wanted))


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "load_balancer_name": {"type": "str", "required": True},
            "record_name": {"type": "str", "required": True},
            "ipv6": {"type": "bool", "default": False},
            **dns.ZONE_OPTIONS,
            **STATE_OPTION,
        },
        required_one_of=[("hosted_zone_id", "hosted_zone_name")],
        mutually_exclusive=[("hosted_zone_id", "hosted_zone_name")],
        supports_check_mode=True,
    )

    def work() -> dict[str, Any]:
        elbv2, route53 = client(module, "elbv2"), dns.route53_client(module, module.params)
        return ensure(elbv2, route53, module.params, module.check_mode).result("records")

    exit_with(module, work)


if __name__ == "__main__":
    main()
