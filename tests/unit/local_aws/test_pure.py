# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""Small decisions, each by itself: lines, orders, thresholds, names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from docker.errors import APIError
from requests.exceptions import ReadTimeout
from sm2a_local_aws import (
    ecs_agent,
    ecs_depends_on,
    ecs_health,
    ecs_images,
    ecs_service_connect,
    elbv2_identity_providers,
    elbv2_rules,
    elbv2_targets,
    engine,
    load_balancer_health,
    load_balancer_routing,
    load_balancer_targets,
    load_balancer_tls,
    settings,
    task_logs,
)
from sm2a_local_aws.load_balancer_targets import HEALTHY, INITIAL, UNHEALTHY, TargetState

GROUP = {
    "TargetGroupArn": "group",
    "Port": 80,
    "HealthCheckIntervalSeconds": 10,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 3,
}


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"o", b"ne\nt", b"wo"], ["one", "two"]),
        ([b"caf\xc3", b"\xa9\r\n\n\nend"], ["café", "end"]),
        ([], []),
    ],
)
def test_lines_are_whole_whatever_the_chunks(chunks: list[bytes], expected: list[str]) -> None:
    assert list(task_logs.lines(iter(chunks))) == expected


def test_long_lines_are_cut_at_the_limit_of_an_event() -> None:
    limit = task_logs.LONGEST_LINE
    pieces = list(task_logs.lines(iter([b"x" * limit, b"x" * limit, b"xx\nend", b"y" * (limit + 1) + b"\n"])))
    assert [len(piece) for piece in pieces] == [limit, limit, 2, limit, 4]


class SilentAtFirst:
    """A container whose log is answered at the second request, and whose last line only the log at rest has."""

    def __init__(self) -> None:
        self.asked: list[bool] = []

    def logs(self, *, follow: bool, **_options: Any) -> Iterator[bytes]:
        self.asked.append(follow)
        if len(self.asked) == 1:
            raise ReadTimeout
        return iter([b"first\n"] if follow else [b"first\nlast\n"])


def test_a_container_may_be_silent_for_long_before_its_first_line() -> None:
    container = SilentAtFirst()
    assert list(task_logs.output_of(container)) == ["first", "last"]
    assert container.asked == [True, True, False]


class Shared:
    """A container that an engine keeps until those that use its network are gone."""

    def __init__(self, *users: Shared) -> None:
        self.users = users
        self.removed = False

    def remove(self, **_options: Any) -> None:
        if not all(user.removed for user in self.users):
            raise APIError("it has dependent containers which must be removed before it")
        self.removed = True


def test_containers_are_removed_in_the_order_that_their_networks_allow() -> None:
    task, sidecar, alone = Shared(), Shared(), Shared()
    network = Shared(task, sidecar)
    engine.remove_containers([network, task, alone, sidecar])
    assert all(one.removed for one in (network, task, alone, sidecar))


def test_a_container_that_stays_is_an_error() -> None:
    kept = Shared(Shared())
    with pytest.raises(APIError, match="dependent containers"):
        engine.remove_containers([kept])


def _definition(**dependencies: list[str]) -> dict[str, Any]:
    return {
        "containerDefinitions": [
            {"name": name, "dependsOn": [{"containerName": other, "condition": "START"} for other in others]}
            for name, others in dependencies.items()
        ]
    }


def test_containers_start_after_what_they_depend_on() -> None:
    ordered = ecs_depends_on.ordered(_definition(app=["migrate", "proxy"], migrate=[], proxy=["migrate"]))
    assert [container["name"] for container in ordered["containerDefinitions"]] == ["migrate", "proxy", "app"]


def test_circle_of_dependencies_is_named() -> None:
    with pytest.raises(RuntimeError, match="dependsOn is a circle between a, b"):
        ecs_depends_on.ordered(_definition(a=["b"], b=["a"]))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["CMD", "python", "-m", "x"], ["python", "-m", "x"]),
        (["CMD-SHELL", "test -f /x || exit 1"], ["/bin/sh", "-c", "test -f /x || exit 1"]),
        (["test", "-f", "/x"], ["test", "-f", "/x"]),
    ],
)
def test_health_check_commands(command: list[str], expected: list[str]) -> None:
    check = ecs_health.HealthCheck.of({"healthCheck": {"command": command}})
    assert check is not None
    assert check.command == expected
    assert (check.interval, check.timeout, check.retries, check.start_period) == (30, 5, 3, 0)


def test_health_check_none_is_no_check() -> None:
    assert ecs_health.HealthCheck.of({"healthCheck": {"command": ["NONE"]}}) is None


def test_new_target_is_healthy_after_one_success() -> None:
    state = TargetState()
    load_balancer_health.judge(state, GROUP, passed=True)
    assert state.status == HEALTHY


def test_healthy_target_fails_at_the_threshold_and_recovers_at_its_own() -> None:
    state = TargetState(status=HEALTHY)
    statuses = []
    for passed in (False, False, False, True, True):
        load_balancer_health.judge(state, GROUP, passed=passed)
        statuses.append(state.status)
    assert statuses == [HEALTHY, HEALTHY, UNHEALTHY, UNHEALTHY, HEALTHY]


def test_starting_target_is_asked_often_but_judged_at_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    state = TargetState()
    failed_at = None
    for _second in range(60):
        load_balancer_health.judge(state, GROUP, passed=False)
        if state.status == UNHEALTHY:
            failed_at = now
            break
        assert state.due == now + 1
        now += 1
    assert failed_at == 1000 + 3 * 10


@pytest.mark.parametrize(
    ("matcher", "codes"), [("200", {200}), ("200,302", {200, 302}), ("200-202,404", {200, 201, 202, 404})]
)
def test_matched_codes(matcher: str, codes: set[int]) -> None:
    assert load_balancer_health.matched_codes(matcher) == codes


def test_requests_go_to_healthy_targets_else_to_unhealthy_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = [{"Id": name, "Port": 1} for name in "abc"]
    states = {("group", name, 1): TargetState() for name in "abc"}
    monkeypatch.setattr(load_balancer_targets, "_states", states)
    assert load_balancer_targets.routable(GROUP, targets) == []
    states["group", "a", 1].status = UNHEALTHY
    assert load_balancer_targets.routable(GROUP, targets) == targets[:1]
    states["group", "b", 1].status = HEALTHY
    assert load_balancer_targets.routable(GROUP, targets) == targets[1:2]
    assert states["group", "c", 1].status == INITIAL


@pytest.mark.parametrize(
    ("field", "value", "path", "host", "matches"),
    [
        ("path-pattern", "/execution/*", "/execution/docs", "a.b", True),
        ("path-pattern", "/execution/*", "/execution/", "a.b", True),
        ("path-pattern", "/execution/*", "/execution", "a.b", False),
        ("path-pattern", "/execution/*", "/Execution/docs", "a.b", False),
        ("path-pattern", "/execution/*", "/%65xecution/docs", "a.b", False),
        ("path-pattern", "/[a]?", "/[a]b", "a.b", True),
        ("path-pattern", "/[a]", "/a", "a.b", False),
        ("host-header", "*.example.com", "/", "A.Example.COM:8443", True),
        ("host-header", "*.example.com", "/", "example.com", False),
        ("host-header", "a.example.com", "/", "axexample.com", False),
    ],
)
def test_rules_compare_as_an_alb_does(field: str, value: str, path: str, host: str, matches: bool) -> None:
    condition = {"Field": field, "Values": [value]}
    never = lambda *_arguments: pytest.fail("not its own matter")  # noqa: E731
    assert elbv2_rules.match_condition(never, condition, "GET", path, {"host": host}, {}) is matches


def test_cookie_names_a_target_among_others() -> None:
    targets = [{"Id": "10.0.0.1", "Port": 80}, {"Id": "10.0.0.2", "Port": 80}]
    cookie = f"session=1; AWSALB={load_balancer_routing.cookie_value(targets[1])}"
    assert load_balancer_routing._cookie_target({"cookie": cookie}, targets) == targets[1]
    assert load_balancer_routing._cookie_target({"cookie": cookie}, targets[:1]) is None
    assert load_balancer_routing._cookie_target({"cookie": "AWSALB=%%%"}, targets) is None


@pytest.mark.parametrize(
    ("host", "covered"), [("a.test", True), ("x.b.test", True), ("y.x.b.test", False), ("b.test", False)]
)
def test_certificate_covers_its_names_and_one_label_of_a_wildcard(host: str, covered: bool) -> None:
    assert load_balancer_tls.covers({"SubjectAlternativeNames": ["a.test", "*.b.test"]}, host) is covered


def test_ecr_images_are_taken_from_the_local_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_current", [settings.Settings(port=4999)])
    ecr = "000000000000.dkr.ecr.eu-west-1.amazonaws.com/sm2a/airflow@sha256:12"
    assert ecs_images.engine_reference(ecr) == "127.0.0.1:4999/sm2a/airflow@sha256:12"
    assert ecs_images.engine_reference("docker.io/library/debian") == "docker.io/library/debian"


class EngineWithoutInit:
    """An engine whose containers.create refuses an init process, as podman does without catatonit."""

    def __init__(self) -> None:
        self.containers = self

    def create(self, _image: str, **options: Any) -> dict[str, Any]:
        if options.get("init"):
            raise APIError("500", explanation="container-init binary not found on the host: stat /x: no such file")
        if options["name"] == "broken":
            raise APIError("500", explanation="no space left on device")
        return options


def test_task_runs_without_init_where_the_engine_has_none() -> None:
    assert ecs_images._create(EngineWithoutInit(), "image", {"name": "a", "init": True})["init"] is False
    with pytest.raises(APIError, match="no space left"):
        ecs_images._create(EngineWithoutInit(), "image", {"name": "broken"})


def test_service_connect_names() -> None:
    configuration = {
        "enabled": True,
        "namespace": "arn:aws:servicediscovery:eu-west-1:000000000000:namespace/space",
        "services": [
            {"portName": "http", "clientAliases": [{"port": 8080, "dnsName": "api-server"}]},
            {"portName": "other", "clientAliases": [{"port": 1, "dnsName": "elsewhere"}]},
        ],
    }
    service = {"_deployment_fields": {"serviceConnectConfiguration": configuration}}
    ports = [{"portMappings": [{"name": "http", "containerPort": 8080}]}]
    assert ecs_service_connect.aliases(service, ports) == ["api-server", "http.space"]
    assert ecs_service_connect.aliases(None, ports) == []


def test_agent_address_belongs_to_the_metadata_address() -> None:
    assert ecs_agent.agent_uri("http://10.0.0.1:4566/v4/token") == "http://10.0.0.1:4566/api/token"


def test_identity_providers_are_asked_over_https_only() -> None:
    asked: list[str] = []
    for function in (elbv2_identity_providers.post_form, elbv2_identity_providers.get_userinfo):
        with pytest.raises(OSError, match="no HTTPS URL"):
            function(asked.append, "http://127.0.0.1:4566/_ministack/reset")
        function(asked.append, "https://login.example.com/token")
    assert asked == ["https://login.example.com/token"] * 2


def test_an_own_address_is_no_target() -> None:
    assert elbv2_targets._is_own("127.0.0.1")
    assert not elbv2_targets._is_own("192.0.2.1")
    assert elbv2_targets.problem_of("ip", "10.255.255.254") is None
