# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""elbv2_target_group against an emulator: the ladder, every field changed in turn, refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.modules import elbv2_target_group
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "elbv2_target_group"


@pytest.fixture
def present(unique_name: str) -> dict[str, Any]:
    return {
        "name": unique_name,
        "port": 8080,
        "vpc_id": "vpc-0123456789abcdef0",
        "health_check": {"path": "/api/v2/version", "matcher": "200", "interval_seconds": 15, "timeout_seconds": 5},
        "stickiness": {"enabled": True, "duration_seconds": 3600},
        "deregistration_delay_seconds": 30,
        "algorithm": "least_outstanding_requests",
        "tags": {"team": "data"},
    }


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "state": "absent"}


@pytest.fixture
def read_state(aws: Callable[[str], Any], unique_name: str) -> Callable[[], dict[str, Any]]:
    """The target group with its attributes and tags; {} when absent."""
    elbv2 = aws("elbv2")

    def read() -> dict[str, Any]:
        groups = elbv2.describe_target_groups()["TargetGroups"]
        found = [group for group in groups if group["TargetGroupName"] == unique_name]
        if not found:
            return {}
        arn = found[0]["TargetGroupArn"]
        attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        tags = elbv2.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
        return {
            **found[0],
            "attributes": {one["Key"]: one["Value"] for one in attributes},
            "tags": {one["Key"]: one["Value"] for one in tags},
        }

    return read


def test_ladder(own_ladder: Callable[..., support.Ladder], present: dict[str, Any]) -> None:
    rungs = own_ladder()
    arn = rungs.applied["target_group"]["target_group_arn"]
    assert rungs.repeated["target_group"]["target_group_arn"] == arn
    predicted_arn = rungs.predicted["target_group"]["target_group_arn"]
    assert predicted_arn.endswith(f"targetgroup/{present['name']}/{'0' * 16}")
    same = {**rungs.applied["diff"]["after"], "target_group_arn": predicted_arn}
    assert rungs.predicted["diff"]["after"] == same


def test_creation_sets_everything(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    made = read_state()
    assert made["TargetType"] == "ip"
    assert made["HealthCheckPath"] == "/api/v2/version"
    assert made["HealthCheckIntervalSeconds"] == 15
    assert made["attributes"]["stickiness.enabled"] == "true"
    assert made["attributes"]["stickiness.lb_cookie.duration_seconds"] == "3600"
    assert made["attributes"]["load_balancing.algorithm.type"] == "least_outstanding_requests"
    assert made["tags"] == {"team": "data"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"health_check": {"path": "/health"}}, ("HealthCheckPath", "/health")),
        ({"health_check": {"matcher": "200-299"}}, ("Matcher/HttpCode", "200-299")),
        ({"health_check": {"port": "9090"}}, ("HealthCheckPort", "9090")),
        ({"health_check": {"interval_seconds": 20}}, ("HealthCheckIntervalSeconds", 20)),
        ({"health_check": {"timeout_seconds": 6}}, ("HealthCheckTimeoutSeconds", 6)),
        ({"health_check": {"healthy_threshold": 3}}, ("HealthyThresholdCount", 3)),
        ({"health_check": {"unhealthy_threshold": 4}}, ("UnhealthyThresholdCount", 4)),
        ({"stickiness": {"enabled": False}}, ("attributes/stickiness.enabled", "false")),
        ({"deregistration_delay_seconds": 0}, ("attributes/deregistration_delay.timeout_seconds", "0")),
        ({"slow_start_seconds": 60}, ("attributes/slow_start.duration_seconds", "60")),
        ({"algorithm": "round_robin"}, ("attributes/load_balancing.algorithm.type", "round_robin")),
        ({"tags": {"team": "platform"}}, ("tags", {"team": "platform"})),
        ({"tags": {}}, ("tags", {})),
    ],
)
def test_every_field_changes_and_settles(
    run_module: support.RunModule,
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    change: dict[str, Any],
    expected: tuple[str, Any],
) -> None:
    run_module(MODULE, present)
    options = {**present, **change}
    predicted = run_module(MODULE, options, check=True)
    applied = run_module(MODULE, options)
    assert applied["changed"]
    assert predicted["diff"] == applied["diff"]
    path, wanted = expected
    value: Any = read_state()
    for key in path.split("/"):
        value = value[key]
    assert value == wanted
    assert not run_module(MODULE, options)["changed"]


def test_what_is_not_set_is_left_alone(run_module: support.RunModule, present: dict[str, Any]) -> None:
    run_module(MODULE, present)
    bare = {key: present[key] for key in ("name", "port", "vpc_id")}
    assert not run_module(MODULE, bare)["changed"]


@pytest.mark.parametrize(
    "change", [{"port": 8081}, {"protocol": "HTTPS"}, {"vpc_id": "vpc-1"}, {"target_type": "instance"}]
)
def test_what_cannot_change_is_refused(
    run_module: support.RunModule, present: dict[str, Any], change: dict[str, Any]
) -> None:
    run_module(MODULE, present)
    with pytest.raises(support.ModuleFailedError, match=f"cannot be changed in place.*{next(iter(change))} is"):
        run_module(MODULE, {**present, **change}, check=True)


def test_a_group_in_use_is_not_removed(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The emulator deletes what is in use; AWS refuses."""
    run_module(MODULE, present)
    real = aws("elbv2")
    user = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/1"

    class InUse:
        """The emulator's load balancing, except that a load balancer uses every target group."""

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def describe_target_groups(self, **request: Any) -> dict[str, Any]:
            groups = real.describe_target_groups(**request)["TargetGroups"]
            return {"TargetGroups": [{**group, "LoadBalancerArns": [user]} for group in groups]}

        def delete_target_group(self, **_request: str) -> None:
            error = {"Error": {"Code": "ResourceInUse", "Message": "in use"}}
            raise real.exceptions.ResourceInUseException(error, "DeleteTargetGroup")

    monkeypatch.setattr(elbv2_target_group, "client", lambda _module, _service: InUse())
    monkeypatch.setattr(elbv2_target_group, "IN_USE_RETRIES", 1)
    absent = {"name": present["name"], "state": "absent"}
    assert run_module(MODULE, absent, check=True)["changed"]
    with pytest.raises(support.ModuleFailedError, match=f"is used by {user}: remove that"):
        run_module(MODULE, absent)
