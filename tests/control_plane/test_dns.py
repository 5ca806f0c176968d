# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""DNS that somebody else keeps (``load_balancer_dns: manual``): records are named, awaited, and only people write them.

A role of another account is one of test_deploy_policy.py's environments, whose deploy role has no right in Route 53.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs

DOMAIN = "airflow.example.com"
BY_HAND = {
    "load_balancer_dns": "manual",
    "load_balancer_certificate_source": "request",
    # A run does not wait here for people.
    "load_balancer_certificate_wait_timeout": 0,
}
CNAME = re.compile(r"CNAME (\S+) (\S+\.acm-validations\.aws\.)")
LEADING = re.compile(rf"CNAME {DOMAIN}\. {runs.NAME}-\w+\.{runs.REGION}\.elb\.amazonaws\.com\.")


@dataclass
class Life:
    """The runs of an environment from its first deployment to its removal, and the zone of the people."""

    predicted: runs.PlaybookRun
    ended: runs.PlaybookRun
    deployed: runs.PlaybookRun
    repeated: runs.PlaybookRun
    removed: runs.PlaybookRun
    name: str
    value: str
    left: list[str]


@pytest.fixture(scope="module")
def life(control_plane: runs.ControlPlane) -> Life:
    route53 = control_plane.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="people")["HostedZone"]["Id"]
    predicted = control_plane.play("site", "--check", extra=BY_HAND)
    ended = control_plane.play("site", extra=BY_HAND)
    found = CNAME.search(ended.message)
    assert found, ended.message or ended.end()
    name, value = found.groups()
    record = {"Name": name, "Type": "CNAME", "TTL": 300, "ResourceRecords": [{"Value": value}]}
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    deployed = control_plane.play("site", extra=BY_HAND)
    repeated = control_plane.play("site", "--check", extra=BY_HAND)
    removed = control_plane.play("teardown", extra={**BY_HAND, **runs.DESTROY})
    records: list[dict[str, Any]] = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    left = [record["Name"] for record in records if record["Type"] not in ("NS", "SOA")]
    return Life(predicted, ended, deployed, repeated, removed, name, value, left)


def test_a_check_of_nothing_awaits_nothing(life: Life) -> None:
    assert life.predicted.code == 0, life.predicted.end()


def test_a_run_that_is_not_to_wait_ends_and_names_the_records(life: Life) -> None:
    assert life.ended.code != 0
    assert "Create these records where the DNS of the domain is kept" in life.ended.message
    # And before anybody would have waited.
    shown = life.ended.output.index(f"CNAME {life.name} {life.value}")
    assert shown < life.ended.output.index("Certificate (validated by records that somebody makes)")


def test_the_next_run_goes_on_and_shows_the_record_that_leads_to_the_load_balancer(life: Life) -> None:
    assert life.deployed.code == 0, life.deployed.end()
    assert LEADING.search(life.deployed.output), life.deployed.end()


def test_a_deployed_environment_is_unchanged(life: Life) -> None:
    assert (life.repeated.code, life.repeated.changed) == (0, []), life.repeated.end()


def test_the_removal_says_what_nobody_needs_and_leaves_it(life: Life) -> None:
    assert life.removed.code == 0, life.removed.end()
    said = life.removed.output.partition("Nobody needs these records any more")[2]
    assert f"CNAME {DOMAIN}." in said
    assert f"CNAME {life.name} {life.value}" in said
    assert life.left == [life.name]
