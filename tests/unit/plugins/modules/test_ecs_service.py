# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ecs_service against the local AWS without a container engine, where services run at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.ecs import api as ecs_api
from ansible_collections.sm2a.airflow.tests.support.modules import (
    REGION,
    Ladder,
    ModuleFailedError,
    RunModule,
    placeholders,
    side,
)

Aws = Callable[[str], Any]
MODULE = "ecs_service"
NAMESPACE = "arn:aws:servicediscovery:eu-west-1:000000000000:namespace/ns-1"
TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:targetgroup/{}/0123456789abcdef"


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """MiniStack alone forgets Service Connect and other members of services."""
    return local_aws_endpoint


@pytest.fixture
def cluster(run_module: RunModule, unique_name: str) -> str:
    """A cluster with two revisions of one task definition, named like the cluster."""
    run_module("ecs_cluster", {"name": unique_name, "capacity_providers": ["FARGATE", "FARGATE_SPOT"]})
    for cpu in (256, 512):
        container = {
            "name": "web",
            "image": "example/web",
            "port_mappings": [{"container_port": 8080, "name": "http"}],
            "log_configuration": {
                "log_driver": "awslogs",
                "options": {
                    "awslogs-group": f"/{unique_name}",
                    "awslogs-region": "eu-west-1",
                    "awslogs-stream-prefix": "web",
                },
            },
        }
        definition = {
            "family": unique_name,
            "cpu": cpu,
            "memory": 1024,
            "execution_role_arn": "arn:aws:iam::000000000000:role/execution",
            "container_definitions": [container],
        }
        run_module("ecs_task_definition", {"task_definitions": [definition]})
    return unique_name


def service(cluster: str, name: str = "web") -> dict[str, Any]:
    """A service that sets every option that this emulator keeps."""
    return {
        "name": name,
        "task_definition": f"{cluster}:1",
        "desired_count": 2,
        "capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1}],
        "platform_version": "LATEST",
        "network_configuration": {
            "subnets": ["subnet-b", "subnet-a"],
            "security_groups": ["sg-a"],
            "assign_public_ip": False,
        },
        "health_check_grace_period_seconds": 120,
        "deployment_configuration": {
            "maximum_percent": 200,
            "minimum_healthy_percent": 100,
            "deployment_circuit_breaker": {"enable": True, "rollback": True},
        },
        "availability_zone_rebalancing": "ENABLED",
        "enable_execute_command": False,
        "enable_ecs_managed_tags": True,
        "propagate_tags": "SERVICE",
        "load_balancers": [
            {"target_group_arn": TARGET_GROUP.format("web"), "container_name": "web", "container_port": 8080}
        ],
        "service_connect_configuration": {
            "enabled": True,
            "namespace": NAMESPACE,
            "services": [
                {"port_name": "http", "discovery_name": "web", "client_aliases": [{"port": 8080, "dns_name": "web"}]}
            ],
        },
        "tags": {"team": "data"},
    }


def args(cluster: str, *services: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Module arguments for these services."""
    return {"cluster": cluster, "services": list(services), "wait_delay": 1, "wait_timeout": 20, **more}


def describe(aws: Aws, cluster: str, *names: str) -> dict[str, Any]:
    """Active services by name, without what changes by itself."""
    found = aws("ecs").describe_services(cluster=cluster, services=list(names), include=["TAGS"])["services"]
    result = {}
    for item in found:
        if item["status"] == "ACTIVE":
            stable = {key: value for key, value in item.items() if key not in ("events", "deployments")}
            deployments = [(each["id"], each.get("serviceConnectConfiguration")) for each in item["deployments"]]
            result[item["serviceName"]] = stable | {"deployments": deployments}
    return result


def test_ladder_of_two_services(ladder: Callable[..., Ladder], aws: Aws, cluster: str) -> None:
    names = ["web", "other"]
    results = ladder(
        MODULE,
        args(cluster, *(service(cluster, name) for name in names)),
        args(cluster, *({"name": name} for name in names), state="absent"),
        lambda: describe(aws, cluster, *names),
    )
    made = results.applied["services"]
    assert [(item["name"], item["task_definition"]) for item in made] == [(name, f"{cluster}:1") for name in names]
    assert [(item["desired_count"], item["running_count"]) for item in made] == [(2, 2), (2, 2)]
    assert all(item["arn"].endswith(f":service/{cluster}/{item['name']}") for item in made)
    assert [item["changed"] for item in results.repeated["services"]] == [False, False]


CHANGES: dict[str, Any] = {
    "task_definition": "{cluster}:2",
    "desired_count": 3,
    "capacity_provider_strategy": [{"capacity_provider": "FARGATE_SPOT", "weight": 1}],
    "platform_version": "1.3.0",
    "network_configuration": {"subnets": ["subnet-a"], "security_groups": ["sg-a"]},
    "health_check_grace_period_seconds": 60,
    "deployment_configuration": {"deployment_circuit_breaker": {"enable": True, "rollback": False}},
    "availability_zone_rebalancing": "DISABLED",
    "enable_execute_command": True,
    "enable_ecs_managed_tags": False,
    "propagate_tags": "NONE",
    "load_balancers": [],
    "service_connect_configuration": {"enabled": False},
    "tags": {"team": "other"},
}


@pytest.mark.parametrize("option", CHANGES)
def test_every_option_is_compared_and_enforced(run_module: RunModule, aws: Aws, cluster: str, option: str) -> None:
    run_module(MODULE, args(cluster, service(cluster), service(cluster, "other")))
    before = describe(aws, cluster, "web")
    value = CHANGES[option]
    value = value.format(cluster=cluster) if isinstance(value, str) else value
    changed = args(cluster, service(cluster) | {option: value}, service(cluster, "other"))
    predicted = run_module(MODULE, changed, check=True)
    assert [item["changed"] for item in predicted["services"]] == [True, False]
    assert describe(aws, cluster, "web") == before
    applied = run_module(MODULE, changed)
    assert [item["changed"] for item in applied["services"]] == [True, False]
    assert applied["diff"] == predicted["diff"]
    assert option in side(applied, "after")["web"]
    assert describe(aws, cluster, "web") != before
    again = run_module(MODULE, changed)
    assert not again["changed"], again["diff"]


def test_unset_options_are_left_alone(run_module: RunModule, aws: Aws, cluster: str) -> None:
    run_module(MODULE, args(cluster, service(cluster)))
    before = describe(aws, cluster, "web")
    assert not run_module(MODULE, args(cluster, {"name": "web"}))["changed"]
    assert describe(aws, cluster, "web") == before


def test_members_that_are_not_declared_survive_an_update(run_module: RunModule, aws: Aws, cluster: str) -> None:
    run_module(MODULE, args(cluster, service(cluster)))
    partial = {"name": "web", "deployment_configuration": {"maximum_percent": 150}}
    assert run_module(MODULE, args(cluster, partial))["changed"]
    made = describe(aws, cluster, "web")["web"]["deploymentConfiguration"]
    assert made["maximumPercent"] == 150
    assert made["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}


def test_the_same_in_other_words_is_unchanged(run_module: RunModule, cluster: str) -> None:
    arn = run_module(MODULE, args(cluster, service(cluster)))["services"][0]["arn"]
    definition = arn.split(":service/")[0] + f":task-definition/{cluster}:1"
    network = {"subnets": ["subnet-a", "subnet-b"], "security_groups": ["sg-a"], "assign_public_ip": False}
    same = service(cluster) | {"task_definition": definition, "network_configuration": network}
    result = run_module(MODULE, args(cluster, same))
    assert not result["changed"], result["diff"]


def test_a_family_means_its_latest_revision(run_module: RunModule, cluster: str) -> None:
    same = service(cluster) | {"task_definition": cluster}
    assert run_module(MODULE, args(cluster, same))["services"][0]["task_definition"] == f"{cluster}:2"
    assert not run_module(MODULE, args(cluster, same))["changed"]


def test_a_count_set_by_an_autoscaler_is_left_alone(run_module: RunModule, aws: Aws, cluster: str) -> None:
    scaled = service(cluster) | {"desired_count_on_creation_only": True}
    assert run_module(MODULE, args(cluster, scaled))["services"][0]["desired_count"] == 2
    aws("ecs").update_service(cluster=cluster, service="web", desiredCount=5)
    result = run_module(MODULE, args(cluster, scaled))
    assert not result["changed"]
    assert result["services"][0]["desired_count"] == 5
    assert run_module(MODULE, args(cluster, service(cluster)))["services"][0]["desired_count"] == 2


def test_check_mode_predicts_on_a_cluster_that_does_not_exist(run_module: RunModule, unique_name: str) -> None:
    result = run_module(MODULE, args(unique_name, service(unique_name)), check=True)
    assert result["changed"]
    assert result["services"][0]["task_definition"] == f"{unique_name}:1"
    assert not run_module(MODULE, args(unique_name, {"name": "web"}, state="absent"))["changed"]


def test_an_unknown_key_is_refused_before_any_change(run_module: RunModule, aws: Aws, cluster: str) -> None:
    wrong = service(cluster, "wrong") | {"deployment_configuration": {"maximum_percentage": 1}}
    with pytest.raises(ModuleFailedError, match=r"deployment_configuration: unknown key 'maximum_percentage'"):
        run_module(MODULE, args(cluster, service(cluster), wrong))
    assert describe(aws, cluster, "web") == {}


def test_unlisted_services_under_a_prefix_are_purged(run_module: RunModule, aws: Aws, cluster: str) -> None:
    every = ["web", "worker-a", "worker-b", "other"]
    run_module(MODULE, args(cluster, *(service(cluster, name) for name in every)))
    some = args(cluster, service(cluster), service(cluster, "worker-b"), purge_name_prefix="worker-")
    predicted = run_module(MODULE, some, check=True)
    assert [item["name"] for item in predicted["services"] if item["changed"]] == ["worker-a"]
    assert set(describe(aws, cluster, *every)) == set(every)
    assert run_module(MODULE, some)["changed"]
    assert set(describe(aws, cluster, *every)) == {"web", "worker-b", "other"}
    assert not run_module(MODULE, some)["changed"]
    run_module(MODULE, args(cluster, {"name": "web"}, purge_name_prefix="worker-", state="absent"))
    assert set(describe(aws, cluster, *every)) == {"other"}


def deployments_end(monkeypatch: pytest.MonkeyPatch, edit: Callable[[dict[str, Any]], None]) -> None:
    """Let ``edit`` change every described service, as ECS would after a rollout of its own."""
    real = ecs_api.describe_services

    def described(client: Any, cluster: str, names: list[str]) -> dict[str, Any]:
        services: dict[str, Any] = real(client, cluster, names)
        for item in services.values():
            edit(item)
        return services

    monkeypatch.setattr(ecs_api, "describe_services", described)


def stopped_task(aws: Aws, cluster: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A failed task of service web that has logged two lines; returns its id."""
    task_id = "0123456789abcdef"
    logs = aws("logs")
    logs.create_log_group(logGroupName=f"/{cluster}")
    stream = {"logGroupName": f"/{cluster}", "logStreamName": f"web/web/{task_id}"}
    logs.create_log_stream(**stream)
    lines = ["starting", "ImportError: no module named airflow"]
    logs.put_log_events(**stream, logEvents=[{"timestamp": 1, "message": line} for line in lines])
    definition = aws("ecs").describe_task_definition(taskDefinition=cluster)["taskDefinition"]["taskDefinitionArn"]
    task = {
        "taskArn": f"arn:aws:ecs:eu-west-1:000000000000:task/{cluster}/{task_id}",
        "taskDefinitionArn": definition,
        "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "web", "exitCode": 1}],
    }
    monkeypatch.setattr(ecs_api, "list_tasks", lambda *_args, **_filters: [task["taskArn"]])
    monkeypatch.setattr(ecs_api, "describe_tasks", lambda *_args: [task])
    return task_id


def test_a_failed_deployment_tells_exit_code_and_log(
    run_module: RunModule, aws: Aws, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = stopped_task(aws, cluster, monkeypatch)

    def fail(item: dict[str, Any]) -> None:
        item["deployments"][0].update(
            rolloutState="FAILED", rolloutStateReason="circuit breaker: tasks failed to start"
        )

    deployments_end(monkeypatch, fail)
    with pytest.raises(ModuleFailedError) as failure:
        run_module(MODULE, args(cluster, service(cluster)))
    message = failure.value.result["msg"]
    for told in ("Service web", "circuit breaker", task_id, "exit code 1", "ImportError: no module named airflow"):
        assert told in message


def test_a_rollback_is_a_failure(
    run_module: RunModule, aws: Aws, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_module(MODULE, args(cluster, service(cluster)))
    ecs = aws("ecs")
    real = ecs_api.update_service

    def update_then_roll_back(client: Any, cluster: str, name: str, **members: Any) -> dict[str, Any]:
        answer: dict[str, Any] = real(client, cluster, name, **members)
        ecs.update_service(cluster=cluster, service=name, taskDefinition=f"{cluster}:1")
        return answer

    monkeypatch.setattr(ecs_api, "update_service", update_then_roll_back)
    with pytest.raises(ModuleFailedError, match=rf"rolled back or replaced; the service now uses {cluster}:1"):
        run_module(MODULE, args(cluster, service(cluster) | {"task_definition": f"{cluster}:2"}))


def test_a_rollout_does_not_wait_for_tasks_that_protect_themselves(
    run_module: RunModule, aws: Aws, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_module(MODULE, args(cluster, service(cluster)))
    ecs = aws("ecs")
    busy = ecs.list_tasks(cluster=cluster, serviceName="web")["taskArns"][:1]
    ecs.update_task_protection(cluster=cluster, tasks=busy, protectionEnabled=True)
    update = args(cluster, service(cluster) | {"task_definition": f"{cluster}:2"}, wait_timeout=3)
    # Without a container engine nobody checks health: the first run finds no healthy task.
    with pytest.raises(ModuleFailedError, match="not steady after 3 seconds"):
        run_module(MODULE, update)
    real = ecs_api.describe_tasks
    monkeypatch.setattr(
        ecs_api, "describe_tasks", lambda *place: [task | {"healthStatus": "HEALTHY"} for task in real(*place)]
    )
    result = run_module(MODULE, update)
    assert (result["changed"], result["services"][0]["finishing_count"]) == (False, 1)
    ecs.update_task_protection(cluster=cluster, tasks=busy, protectionEnabled=False)
    assert run_module(MODULE, args(cluster, update["services"][0]))["services"][0]["finishing_count"] == 0


def test_another_tag_starts_no_deployment(run_module: RunModule, aws: Aws, cluster: str) -> None:
    def deployments() -> list[str]:
        (described,) = aws("ecs").describe_services(cluster=cluster, services=["web"])["services"]
        return [each["id"] for each in described["deployments"]]

    run_module(MODULE, args(cluster, service(cluster)))
    before, tagged = deployments(), service(cluster) | {"tags": {"team": "data", "sm2a:component": "worker"}}
    assert run_module(MODULE, args(cluster, tagged))["changed"]
    assert deployments() == before
    assert not run_module(MODULE, args(cluster, tagged))["changed"]


def test_a_deployment_that_had_failed_is_started_again(
    run_module: RunModule, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_module(MODULE, args(cluster, service(cluster)))
    failed: set[str] = set()

    def fail_the_first(item: dict[str, Any]) -> None:
        primary = item["deployments"][0]
        failed.add(next(iter(failed), primary["id"]))
        if primary["id"] in failed:
            primary.update(rolloutState="FAILED")

    deployments_end(monkeypatch, fail_the_first)
    assert run_module(MODULE, args(cluster, service(cluster)), check=True)["changed"]
    assert run_module(MODULE, args(cluster, service(cluster)))["changed"]
    assert not run_module(MODULE, args(cluster, service(cluster)))["changed"]


def test_a_service_that_is_never_steady_times_out_with_its_events(
    run_module: RunModule, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pending(item: dict[str, Any]) -> None:
        item["deployments"][0].update(rolloutState="IN_PROGRESS")
        item["events"] = [{"message": "(service web) was unable to place a task: no capacity"}]

    deployments_end(monkeypatch, pending)
    with pytest.raises(ModuleFailedError, match=r"not steady after 1 seconds.*no capacity"):
        run_module(MODULE, args(cluster, service(cluster), wait_timeout=1))
    assert run_module(MODULE, args(cluster, service(cluster), wait=False))["services"][0]["changed"] is False


def test_only_services_with_the_tags_are_purged(run_module: RunModule, aws: Aws, cluster: str) -> None:
    ours, theirs = service(cluster, "worker-old"), {**service(cluster, "worker-theirs"), "tags": {"team": "other"}}
    run_module(MODULE, args(cluster, ours, theirs))
    purge = {"purge_name_prefix": "worker-", "purge_where_tagged": {"team": "data"}}
    kept = args(cluster, service(cluster, "worker-new"), **purge)
    assert run_module(MODULE, kept, check=True)["changed"]
    assert run_module(MODULE, kept)["changed"]
    assert sorted(describe(aws, cluster, "worker-old", "worker-theirs", "worker-new")) == [
        "worker-new",
        "worker-theirs",
    ]
    assert not run_module(MODULE, kept)["changed"]
    removal = args(cluster, state="absent", **purge)
    assert not run_module(MODULE, {**removal, "purge_except": ["worker-new"]})["changed"]
    assert run_module(MODULE, removal)["changed"]


def test_a_service_is_emptied_before_it_is_deleted(
    run_module: RunModule, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_module(MODULE, args(cluster, service(cluster, "worker-old")))
    calls: list[tuple[str, Any]] = []
    described, updated, deleted = ecs_api.describe_services, ecs_api.update_service, ecs_api.delete_service

    def describe_busy(client: Any, name: str, names: list[str]) -> dict[str, dict[str, Any]]:
        """A protected task stays for two looks after the count was set to 0."""
        found: dict[str, dict[str, Any]] = described(client, name, names)
        looks = sum(1 for call in calls if call[0] == "look")
        if any(call[0] == "update" for call in calls) and not any(call[0] == "delete" for call in calls):
            calls.append(("look", looks))
            found["worker-old"]["runningCount"] = 1 if looks < 2 else 0
        return found

    def update(client: Any, name: str, each: str, **members: Any) -> Any:
        calls.append(("update", members))
        return updated(client, name, each, **members)

    def delete(client: Any, name: str, each: str) -> None:
        calls.append(("delete", each))
        deleted(client, name, each)

    monkeypatch.setattr(ecs_api, "describe_services", describe_busy)
    monkeypatch.setattr(ecs_api, "update_service", update)
    monkeypatch.setattr(ecs_api, "delete_service", delete)
    run_module(MODULE, args(cluster, {"name": "worker-old"}, state="absent", drain_timeout=30))
    assert calls == [
        ("update", {"desiredCount": 0}),
        *(("look", number) for number in range(3)),
        ("delete", "worker-old"),
    ]


def test_a_service_that_stays_busy_is_deleted_when_its_time_is_over(
    run_module: RunModule, aws: Aws, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_module(MODULE, args(cluster, service(cluster, "worker-old")))
    monkeypatch.setattr(ecs_api, "update_service", lambda *_positional, **_members: {})
    removed = run_module(MODULE, args(cluster, {"name": "worker-old"}, state="absent", drain_timeout=1))
    assert removed["changed"]
    assert describe(aws, cluster, "worker-old") == {}


def test_info_reads_the_services(run_module: RunModule, cluster: str) -> None:
    asked = {"cluster": cluster, "names": ["other", "web"]}
    made_up = placeholders(run_module, "ecs_service_info", asked, "services")
    assert [each["name"] for each in made_up] == ["other", "web"]
    assert made_up[0]["arn"] == f"arn:aws:ecs:{REGION}:000000000000:service/{cluster}/other"
    assert made_up[0]["task_definition_arn"] == f"arn:aws:ecs:{REGION}:000000000000:task-definition/other:1"
    assert run_module("ecs_service_info", {**asked, "cluster": f"{cluster}-nowhere"})["services"] == []

    [made] = run_module(MODULE, args(cluster, service(cluster)))["services"]
    [read] = run_module("ecs_service_info", asked)["services"]
    assert {**read, "changed": True} == {**made, "exists": True}
    assert read["task_definition_arn"].endswith(f":task-definition/{cluster}:1")
    run_module(MODULE, {"cluster": cluster, "names": ["web"], "state": "absent", "wait_delay": 1})
    assert run_module("ecs_service_info", asked)["services"] == []
