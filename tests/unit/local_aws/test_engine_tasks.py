# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS tasks and services as real containers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.http.test_request_filter import send
from botocore.exceptions import ClientError
from sm2a_local_aws.fargate import engine_options as ecs_engine_options

import docker

CLUSTER = "tests"
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}

# linux/capability.h
BITS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_BIND_SERVICE": 10,
    "SYS_CHROOT": 18,
    "SYS_PTRACE": 19,
    "AUDIT_WRITE": 29,
    "SETFCAP": 31,
}

pytestmark = pytest.mark.engine


def _shell(script: str, **more: Any) -> dict[str, Any]:
    return {"entryPoint": ["/bin/sh", "-c"], "command": [script], **more}


@pytest.fixture(scope="module")
def engine(engine_socket: str) -> Any:
    return docker.DockerClient(base_url=engine_socket)


def test_container_gets_what_its_definition_says(local_aws: Any) -> None:
    secret = local_aws.client("secretsmanager").create_secret(Name="task", SecretString=json.dumps({"key": "hidden"}))
    script = 'id -u; pwd; echo $PLAIN $SECRET; test -n "$ECS_AGENT_URI" && exit 7'
    definition = local_aws.task_definition(
        "options",
        **_shell(
            script,
            user="1234",
            workingDirectory="/usr/lib",
            environment=[{"name": "PLAIN", "value": "plain"}],
            secrets=[{"name": "SECRET", "valueFrom": f"{secret['ARN']}:key::"}],
        ),
    )
    arn = local_aws.run_task(definition)
    task = local_aws.wait_for_task(arn, "STOPPED")
    assert task["containers"][0]["exitCode"] == 7
    assert task["stopCode"] == "EssentialContainerExited"
    assert local_aws.log_lines("options", arn) == ["1234", "/usr/lib", "plain hidden"]


def test_root_file_system_can_be_read_only(local_aws: Any) -> None:
    definition = local_aws.task_definition("readonly", **_shell("touch /etc/x", readonlyRootFilesystem=True))
    arn = local_aws.run_task(definition)
    assert local_aws.wait_for_task(arn, "STOPPED")["containers"][0]["exitCode"] == 1
    assert local_aws.log_lines("readonly", arn) == ["touch: cannot touch '/etc/x': Read-only file system"]


def test_only_volumes_and_shared_memory_are_writable_beside_a_read_only_root(local_aws: Any) -> None:
    script = (
        "find / '(' -path /proc -o -path /sys ')' -prune -o -type d -print"
        """ | while read -r place; do (: > "$place/attack") 2>/dev/null && echo "$place"; done; ls /run /tmp /var/tmp"""
    )
    mount = [{"sourceVolume": "shared", "containerPath": "/opt/logs"}]
    definition = local_aws.task_definition(
        "writable",
        **_shell(
            script,
            readonlyRootFilesystem=True,
            mountPoints=mount,
            user="0:0",
            linuxParameters={"initProcessEnabled": True},
        ),
    )
    arn = local_aws.run_task(definition)
    assert local_aws.wait_for_task(arn, "STOPPED")["stopCode"] == "EssentialContainerExited"
    places, _, _listing = "\n".join(local_aws.log_lines("writable", arn)).partition("/run:")
    # Root may make files in the file systems of the kernel, on Fargate as well.
    assert set(places.split()) - {"/dev", "/dev/mqueue"} == {"/dev/shm", "/opt/logs"}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ecs_engine_options.CAPABILITIES),
        ({"drop": ["ALL"]}, frozenset()),
        ({"drop": ["CHOWN", "SETUID"]}, ecs_engine_options.CAPABILITIES - {"CHOWN", "SETUID"}),
        ({"drop": ["ALL"], "add": ["SYS_PTRACE"]}, frozenset({"SYS_PTRACE"})),
    ],
    ids=["none", "drop all", "drop two", "drop all, add one"],
)
def test_container_has_the_capabilities_of_its_definition_and_no_more(
    local_aws: Any, asked: dict[str, list[str]], expected: frozenset[str]
) -> None:
    definition = local_aws.task_definition(
        "capable",
        **_shell("grep -E '^(CapBnd|CapEff|Seccomp):' /proc/self/status", linuxParameters={"capabilities": asked}),
    )
    arn = local_aws.run_task(definition)
    local_aws.wait_for_task(arn, "STOPPED")
    status = dict(line.split(":\t") for line in local_aws.log_lines("capable", arn))
    mask = f"{sum(1 << BITS[name] for name in expected):016x}"
    # The engine's seccomp profile filters system calls (2).
    assert status == {"CapEff": mask, "CapBnd": mask, "Seccomp": "2"}


def test_overrides_carry_no_privileges(local_aws: Any) -> None:
    """Members that no SDK sends: the request is written by hand."""
    definition = local_aws.task_definition("override", **_shell("true"))
    privileges = {"privileged": True, "Privileged": True, "linuxParameters": {"capabilities": {"add": ["ALL"]}}}
    script = "grep CapEff /proc/self/status; ls /host"
    override = {"name": "main", "command": [script], **privileges}
    volumes = [{"name": "shared", "host": {"sourcePath": "/"}}]
    request = {
        "cluster": CLUSTER,
        "taskDefinition": definition,
        "launchType": "FARGATE",
        "overrides": {"containerOverrides": [override], "volumes": volumes, "pidMode": "host"},
        "privileged": True,
        "volumes": volumes,
    }
    headers = {
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.RunTask",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/ecs/aws4_request, SignedHeaders=host",
    }
    answer = send(local_aws.port, "POST", "/", json.dumps(request), **headers)
    arn = json.loads(answer.read())["tasks"][0]["taskArn"]
    local_aws.wait_for_task(arn, "STOPPED")
    mask = f"{sum(1 << BITS[name] for name in ecs_engine_options.CAPABILITIES):016x}"
    first, second = local_aws.log_lines("override", arn)
    assert (first, second) == (f"CapEff:\t{mask}", "ls: cannot access '/host': No such file or directory")


def test_image_is_no_file_of_this_machine(local_aws: Any, tmp_path: Path) -> None:
    arn = local_aws.run_task(local_aws.task_definition("file", image=f"dir:{tmp_path}"))
    assert "invalid reference format" in local_aws.wait_for_task(arn, "STOPPED")["stoppedReason"]


def test_container_reaches_its_agent_but_not_what_is_for_the_operator(local_aws: Any) -> None:
    ask = (
        "perl -MIO::Socket::INET -e '$ENV{ECS_AGENT_URI} =~ m{//([^/]+)(.*)}; ($a,$u)=($1,$2);"
        'for $q (@ARGV,"GET $u/task-protection/v1/state") { $c=IO::Socket::INET->new($a) or die;'
        'print $c "$q HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\nContent-Length: 0\\r\\n\\r\\n";'
        "print scalar <$c>}' 'POST /_ministack/reset' 'POST /_sm2a/outages' 'GET /_ministack/health'"
    )
    role = local_aws.task_role("asker", {"Effect": "Allow", "Action": "ecs:GetTaskProtection", "Resource": "*"})
    arn = local_aws.run_task(local_aws.task_definition("asker", task_role=role, **_shell(ask)))
    local_aws.wait_for_task(arn, "STOPPED")
    assert [line.split()[1] for line in local_aws.log_lines("asker", arn)] == ["403", "403", "403", "200"]


def test_load_balancer_does_not_forward_to_the_gateway(local_aws: Any) -> None:
    elbv2 = local_aws.client("elbv2")
    group = elbv2.create_target_group(Name="loop", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="ip")
    gateway = urlsplit(json.loads(local_aws.command("status").stdout)["endpoint_url"]).hostname
    with pytest.raises(ClientError, match="allowed range"):
        elbv2.register_targets(
            TargetGroupArn=group["TargetGroups"][0]["TargetGroupArn"], Targets=[{"Id": gateway, "Port": local_aws.port}]
        )


def test_log_lines_are_whole(local_aws: Any) -> None:
    script = "printf 'be'; sleep 0.5; printf 'gin\\nend'"
    arn = local_aws.run_task(local_aws.task_definition("lines", **_shell(script)))
    local_aws.wait_for_task(arn, "STOPPED")
    assert local_aws.log_lines("lines", arn) == ["begin", "end"]


def test_stop_sends_sigterm_and_reports_the_exit_code(local_aws: Any) -> None:
    script = "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.1; done"
    arn = local_aws.run_task(local_aws.task_definition("polite", **_shell(script, stopTimeout=20)))
    local_aws.wait_for_task(arn, "RUNNING")
    local_aws.wait("its first line", lambda: local_aws.log_lines("polite", arn))
    local_aws.client("ecs").stop_task(cluster=CLUSTER, task=arn, reason="a test")
    stopping = local_aws.task(arn)
    assert stopping["desiredStatus"] == "STOPPED"
    task = local_aws.wait_for_task(arn, "STOPPED")
    assert task["containers"][0]["exitCode"] == 5
    assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "a test")
    assert local_aws.log_lines("polite", arn) == ["ready", "caught"]


def test_stop_kills_after_the_stop_timeout(local_aws: Any) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
    arn = local_aws.run_task(local_aws.task_definition("stubborn", **_shell(script, stopTimeout=3)))
    local_aws.wait("its first line", lambda: local_aws.log_lines("stubborn", arn))
    local_aws.wait_for_task(arn, "RUNNING")
    began = time.monotonic()
    local_aws.client("ecs").stop_task(cluster=CLUSTER, task=arn)
    task = local_aws.wait_for_task(arn, "STOPPED")
    assert time.monotonic() - began > 2.5
    assert task["containers"][0]["exitCode"] == 137


@pytest.mark.parametrize(
    ("family", "container", "reason"),
    [
        ("nocommand", {"entryPoint": ["/nonexistent"]}, "CannotStartContainerError"),
        ("noimage", {"image": "000000000000.dkr.ecr.eu-west-1.amazonaws.com/none:1"}, "CannotPullContainerError"),
    ],
)
def test_task_that_cannot_start_says_why(
    local_aws: Any, engine: Any, family: str, container: dict[str, Any], reason: str
) -> None:
    arn = local_aws.run_task(local_aws.task_definition(family, **container))
    task = local_aws.wait_for_task(arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert reason in task["stoppedReason"]
    left = engine.containers.list(all=True, filters={"name": f"{local_aws.name}-{family}"})
    assert left == []


def test_containers_of_a_task_share_localhost_volumes_and_order(local_aws: Any, engine: Any) -> None:
    mount = [{"sourceVolume": "shared", "containerPath": "/shared"}]
    prepare = _shell("sleep 1; echo prepared > /shared/file", name="prepare", essential=False, mountPoints=mount)
    serve = _shell(
        "perl -MIO::Socket::INET -e "
        "'$s=IO::Socket::INET->new(LocalPort=>9000,Listen=>1);$c=$s->accept;print $c \"hi\\n\"'",
        name="serve",
        essential=False,
    )
    main = _shell(
        "cat /shared/file; perl -MIO::Socket::INET -e "
        "'for(1..50){$c=IO::Socket::INET->new(q(127.0.0.1:9000)) and last;select undef,undef,undef,0.1}print <$c>'",
        mountPoints=mount,
        dependsOn=[
            {"containerName": "prepare", "condition": "SUCCESS"},
            {"containerName": "serve", "condition": "START"},
        ],
    )
    arn = local_aws.run_task(local_aws.task_definition("several", prepare, serve, **main))
    task = local_aws.wait_for_task(arn, "STOPPED")
    assert local_aws.log_lines("several", arn) == ["prepared", "hi"]
    codes = {container["name"]: container["exitCode"] for container in task["containers"]}
    assert codes == {"prepare": 0, "serve": 0, "main": 0}
    assert engine.containers.list(all=True, filters={"name": f"{local_aws.name}-several"}) == []
    volumes = engine.volumes.list(filters={"label": f"sm2a.local-aws={local_aws.name}"})
    assert [volume.name for volume in volumes if volume.name.endswith("-shared")] == []


def test_failed_dependency_stops_the_task(local_aws: Any) -> None:
    prepare = _shell("exit 9", name="prepare", essential=False)
    main = _shell("true", dependsOn=[{"containerName": "prepare", "condition": "SUCCESS"}])
    arn = local_aws.run_task(local_aws.task_definition("unprepared", prepare, **main))
    task = local_aws.wait_for_task(arn, "STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert "dependency container prepare exited with code 9" in task["stoppedReason"]


def test_dead_task_of_a_service_is_replaced(local_aws: Any, engine: Any) -> None:
    local_aws.create_service("mortal", local_aws.task_definition("mortal", **_shell("sleep infinity")), 1)
    local_aws.wait_for_steady("mortal", 1)
    (before,) = local_aws.tasks_of("mortal")
    (container,) = engine.containers.list(filters={"name": f"{local_aws.name}-mortal"})
    container.kill()
    task = local_aws.wait_for_task(before, "STOPPED")
    assert task["containers"][0]["exitCode"] == 137
    local_aws.wait("another task", lambda: local_aws.tasks_of("mortal") - {before})
    local_aws.wait_for_steady("mortal", 1)


def test_scale_in_passes_a_task_by_that_protected_itself(local_aws: Any) -> None:
    put = (
        "perl -MIO::Socket::INET -e '$ENV{ECS_AGENT_URI} =~ m{//([^/]+)(.*)};"
        '$b=q({"ProtectionEnabled":true,"ExpiresInMinutes":5});$c=IO::Socket::INET->new($1) or die;'
        'print $c "PUT $2/task-protection/v1/state HTTP/1.0\\r\\nHost: $1\\r\\n";'
        'print $c "Content-Length: ".length($b)."\\r\\n\\r\\n$b";'
        "print <$c>'"
    )
    script = f"mkdir /tmp/one && {put}; exec sleep infinity"
    role = local_aws.task_role("busy", {"Effect": "Allow", "Action": "ecs:UpdateTaskProtection", "Resource": "*"})
    local_aws.create_service("busy", local_aws.task_definition("busy", task_role=role, **_shell(script)), 2)
    local_aws.wait_for_steady("busy", 2)
    tasks = local_aws.tasks_of("busy")
    ecs = local_aws.client("ecs")

    def protected() -> set[str]:
        answer = ecs.get_task_protection(cluster=CLUSTER, tasks=list(tasks))
        return {item["taskArn"] for item in answer["protectedTasks"] if item["protectionEnabled"]}

    local_aws.wait("both protected", lambda: protected() == tasks)
    kept = sorted(tasks)[0]
    ecs.update_task_protection(cluster=CLUSTER, tasks=list(tasks - {kept}), protectionEnabled=False)
    ecs.update_service(cluster=CLUSTER, service="busy", desiredCount=0)
    local_aws.wait("the other's end", lambda: local_aws.tasks_of("busy") == {kept})
    (stopped,) = local_aws.tasks_of("busy", "STOPPED")
    assert local_aws.task(stopped)["stoppedReason"].startswith("Scaling activity initiated by (deployment ecs-svc/")
    assert local_aws.task(stopped)["stopCode"] == "ServiceSchedulerInitiated"
    ecs.update_task_protection(cluster=CLUSTER, tasks=[kept], protectionEnabled=False)
    local_aws.wait("its end", lambda: not local_aws.tasks_of("busy"))


def test_circuit_breaker_fails_the_first_deployment(local_aws: Any) -> None:
    definition = local_aws.task_definition("crash", **_shell("exit 1"))
    local_aws.create_service("crash", definition, 1, deploymentConfiguration=BREAKER)

    def failed() -> Any:
        deployment = local_aws.service("crash")["deployments"][0]
        return deployment if deployment["rolloutState"] == "FAILED" else None

    deployment = local_aws.wait("the breaker", failed)
    assert deployment["failedTasks"] == 3


def test_circuit_breaker_rolls_an_update_back(local_aws: Any) -> None:
    good = local_aws.task_definition("update", **_shell("sleep infinity"))
    local_aws.create_service("update", good, 1, deploymentConfiguration=BREAKER)
    local_aws.wait_for_steady("update", 1)
    (before,) = local_aws.tasks_of("update")
    bad = local_aws.task_definition("update", **_shell("exit 1"))
    local_aws.client("ecs").update_service(cluster=CLUSTER, service="update", taskDefinition=bad)
    local_aws.wait("the way back", lambda: local_aws.service("update")["taskDefinition"] == good)
    local_aws.wait_for_steady("update", 1)
    assert local_aws.tasks_of("update") == {before}
    # The failed deployment can be read until the next update.
    assert [item["rolloutState"] for item in local_aws.service("update")["deployments"]] == ["FAILED", "COMPLETED"]
    local_aws.client("ecs").update_service(cluster=CLUSTER, service="update", desiredCount=1)
    assert [item["rolloutState"] for item in local_aws.service("update")["deployments"]] == ["COMPLETED"]


def test_service_connect_name_reaches_the_service(local_aws: Any) -> None:
    serve = (
        "perl -MIO::Socket::INET -e "
        "'$s=IO::Socket::INET->new(LocalPort=>8080,Listen=>9);while($c=$s->accept){print $c \"served\\n\";close $c}'"
    )
    definition = local_aws.task_definition(
        "inside", **_shell(serve, portMappings=[{"name": "http", "containerPort": 8080}])
    )
    alias = {"portName": "http", "clientAliases": [{"port": 8080, "dnsName": "inside-api"}]}
    connect = {"enabled": True, "namespace": "space", "services": [alias]}
    local_aws.create_service("inside", definition, 1, serviceConnectConfiguration=connect)
    local_aws.wait_for_steady("inside", 1)
    ask = "perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(q(inside-api:8080))->getline'"
    arn = local_aws.run_task(local_aws.task_definition("asks", **_shell(ask)))
    local_aws.wait_for_task(arn, "STOPPED")
    assert local_aws.log_lines("asks", arn) == ["served"]


def test_unhealthy_container_is_replaced(local_aws: Any, engine: Any) -> None:
    check = {"command": ["CMD-SHELL", "test ! -e /tmp/sick"], "interval": 5, "timeout": 4, "retries": 2}
    definition = local_aws.task_definition("checked", **_shell("sleep infinity", healthCheck=check))
    local_aws.create_service("checked", definition, 1)
    local_aws.wait_for_steady("checked", 1)
    (before,) = local_aws.tasks_of("checked")
    assert local_aws.task(before)["healthStatus"] == "HEALTHY"
    (container,) = engine.containers.list(filters={"name": f"{local_aws.name}-checked"})
    assert container.exec_run(["touch", "/tmp/sick"]).exit_code == 0
    task = local_aws.wait_for_task(before, "STOPPED")
    assert task["stoppedReason"] == "Task failed container health checks"
    assert task["containers"][0]["healthStatus"] == "UNHEALTHY"
    local_aws.wait("another task", lambda: local_aws.tasks_of("checked") - {before})
    local_aws.wait_for_steady("checked", 1)


def test_an_image_of_another_architecture_does_not_start(local_aws: Any) -> None:
    definition = local_aws.task_definition("foreign", **_shell("echo started"))
    registered = local_aws.client("ecs").describe_task_definition(taskDefinition=definition)["taskDefinition"]
    own = (registered.get("runtimePlatform") or {}).get("cpuArchitecture", "X86_64")
    other = {"X86_64": "ARM64", "ARM64": "X86_64"}[own]
    kept = ("family", "containerDefinitions", "networkMode", "cpu", "memory", "executionRoleArn")
    foreign = local_aws.client("ecs").register_task_definition(
        **{name: registered[name] for name in kept},
        requiresCompatibilities=["FARGATE"],
        runtimePlatform={"cpuArchitecture": other, "operatingSystemFamily": "LINUX"},
    )["taskDefinition"]["taskDefinitionArn"]
    task = local_aws.wait_for_task(local_aws.run_task(foreign), "STOPPED")
    platform = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}[other]
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert f"image Manifest does not contain descriptor matching platform '{platform}'" in task["stoppedReason"]
