# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What Fargate refuses is refused, when a definition is registered and again when it is to run."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import airflow
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import CLUSTER, EXECUTION_ROLE, IMAGE
from ansible_collections.sm2a.airflow.tests.unit.local_aws.iam.forged import send
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from sm2a_local_aws.ecs import fargate_rules

Definition = dict[str, Any]
Change = Callable[[Definition], Any]

LOGS = {"awslogs-group": "/tests", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "x"}
SECRET = {"name": "SECRET", "valueFrom": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:x"}
GOOD: Definition = {
    "family": "attack",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "executionRoleArn": EXECUTION_ROLE,
    "pidMode": "task",
    "ephemeralStorage": {"sizeInGiB": 21},
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "volumes": [{"name": "tmp"}, {"name": "logs", "host": {}}],
    "containerDefinitions": [
        {
            "name": "main",
            "image": "000000000000.dkr.ecr.eu-west-1.amazonaws.com/airflow:1",
            "privileged": False,
            "readonlyRootFilesystem": True,
            "stopTimeout": 120,
            "memory": 512,
            "user": "50000:50000",
            "links": [],
            "ulimits": [{"name": "nofile", "softLimit": 4096, "hardLimit": 4096}],
            "mountPoints": [{"sourceVolume": "tmp", "containerPath": "/tmp"}],
            "portMappings": [{"containerPort": 8080, "hostPort": 8080}, {"containerPort": 8793}],
            "logConfiguration": {"logDriver": "awslogs", "options": LOGS},
            "secrets": [SECRET],
            "linuxParameters": {
                "initProcessEnabled": True,
                "capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]},
                "tmpfs": [{"containerPath": "/run", "size": 16}],
            },
        },
        {"name": "sidecar", "image": IMAGE},
    ],
}


def _task(**values: Any) -> Change:
    return lambda definition: definition.update(values)


def _container(**values: Any) -> Change:
    return lambda definition: definition["containerDefinitions"][0].update(values)


def _linux(**values: Any) -> Change:
    return lambda definition: definition["containerDefinitions"][0]["linuxParameters"].update(values)


def _without_role(container: Definition) -> Change:
    def change(definition: Definition) -> None:
        del definition["executionRoleArn"]
        definition["containerDefinitions"] = [{"name": "main", "image": IMAGE, **container}]
        definition["volumes"] = []

    return change


def _lacking(key: str) -> Change:
    return lambda definition: definition.pop(key)


# What an attacker writes into a task definition, and what AWS answers to it.
REFUSED: list[tuple[Change, str]] = [
    (_task(containerDefinitions=[]), "Container list cannot be empty."),
    (_task(family="../x"), "Family contains invalid characters: ../x."),
    (_task(networkMode="host"), "Fargate only supports network mode 'awsvpc'."),
    (_lacking("networkMode"), "Fargate only supports network mode 'awsvpc'."),
    (_lacking("cpu"), "Fargate requires that 'cpu' be defined at the task level."),
    (_lacking("memory"), "Fargate requires that 'memory' be defined at the task level."),
    (_task(cpu="256", memory="1536"), "No Fargate configuration exists for given values: 256 CPU, 1536 memory."),
    (_task(cpu="0.25 vCPU", memory="4 GB"), "No Fargate configuration exists for given values: 256 CPU, 4096 memory."),
    (_container(memory=513), "The 'memory' setting for container 'main' is greater than for the task."),
    (_container(memory=-1), "Invalid 'memory' setting for container 'main'."),
    (_container(cpu=-1), "Invalid 'cpu' setting for container 'main'."),
    (_container(name="../x"), "Container name contains invalid characters: ../x."),
    (_task(volumes=[{"name": "tmp:/etc"}]), "Volume name contains invalid characters: tmp:/etc."),
    (_task(volumes=[]), "Unknown volume 'tmp'."),
    (
        _container(mountPoints=[{"sourceVolume": "tmp", "containerPath": "/x,type=bind,source=/,target=/y"}]),
        "Invalid container path '/x,type=bind,source=/,target=/y'.",
    ),
    (
        _container(mountPoints=[{"sourceVolume": "tmp", "containerPath": "/x:exec"}]),
        "Invalid container path '/x:exec'.",
    ),
    (_linux(tmpfs=[{"containerPath": "x:/y", "size": 1}]), "Invalid container path 'x:/y'."),
    (_container(privileged=True), "Fargate requires that the 'privileged' setting be 'false'."),
    (
        _task(volumes=[{"name": "tmp", "host": {"sourcePath": "/"}}]),
        "Fargate compatible task definitions do not support sourcePath.",
    ),
    (
        _task(volumes=[{"name": "tmp", "dockerVolumeConfiguration": {"driver": "local"}}]),
        "Fargate compatible task definitions do not support dockerVolumeConfiguration.",
    ),
    (
        _task(
            volumes=[
                {
                    "name": "tmp",
                    "fsxWindowsFileServerVolumeConfiguration": {
                        "fileSystemId": "fs-1",
                        "rootDirectory": "/",
                        "authorizationConfig": {"credentialsParameter": "x", "domain": "x"},
                    },
                }
            ]
        ),
        "Fargate compatible task definitions do not support fsxWindowsFileServerVolumeConfiguration.",
    ),
    (_task(pidMode="host"), "Tasks using the Fargate launch type do not support pidMode 'host'."),
    (_task(ipcMode="host"), "Fargate compatible task definitions do not support ipcMode."),
    (_linux(capabilities={"add": ["SYS_ADMIN"]}), "SYS_ADMIN is not allowed on Fargate."),
    (_linux(capabilities={"add": ["SYS_PTRACE", "ALL"]}), "ALL is not allowed on Fargate."),
    (_linux(devices=[{"hostPath": "/dev/sda"}]), "Fargate compatible task definitions do not support devices."),
    (_linux(sharedMemorySize=64), "Fargate compatible task definitions do not support sharedMemorySize."),
    (_linux(maxSwap=0), "Fargate compatible task definitions do not support maxSwap."),
    (_linux(swappiness=0), "Fargate compatible task definitions do not support swappiness."),
    (
        _container(dockerSecurityOptions=["apparmor:unconfined"]),
        "Fargate compatible task definitions do not support dockerSecurityOptions.",
    ),
    (
        _container(resourceRequirements=[{"type": "GPU", "value": "1"}]),
        "Fargate compatible task definitions do not support gpu.",
    ),
    (
        _task(inferenceAccelerators=[{"deviceName": "x", "deviceType": "x"}]),
        "Unsupported field 'inferenceAccelerators'.",
    ),
    (
        _container(ulimits=[{"name": "memlock", "softLimit": -1, "hardLimit": -1}]),
        "Fargate compatible task definitions do not support the ulimit memlock.",
    ),
    (
        _task(placementConstraints=[{"type": "memberOf", "expression": "x"}]),
        "Fargate compatible task definitions do not support constraints.",
    ),
    (_container(links=["other"]), "Links are not supported when networkMode=awsvpc."),
    (
        _container(extraHosts=[{"hostname": "x", "ipAddress": "127.0.0.1"}]),
        "Extra hosts are not supported on container when networkMode=awsvpc.",
    ),
    (_container(dnsServers=["10.0.0.1"]), "DNS servers are not supported on container when networkMode=awsvpc."),
    (
        _container(dnsSearchDomains=["x"]),
        "DNS search domains are not supported on container when networkMode=awsvpc.",
    ),
    (
        _container(disableNetworking=True),
        "Disable Networking is not supported on container when networkMode=awsvpc.",
    ),
    (_container(hostname="x"), "hostname is not supported on container when networkMode=awsvpc."),
    (
        _container(portMappings=[{"containerPort": 8080, "hostPort": 22}]),
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
    ),
    (
        _container(logConfiguration={"logDriver": "syslog"}),
        "syslog is not a valid log driver. Must be one of [awslogs, splunk, awsfirelens]",
    ),
    (
        _without_role({"image": "000000000000.dkr.ecr.eu-west-1.amazonaws.com/x:1"}),
        "Fargate requires task definition to have execution role ARN to support ECR images.",
    ),
    (
        _without_role({"logConfiguration": {"logDriver": "awslogs", "options": LOGS}}),
        "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    ),
    (
        _without_role({"secrets": [SECRET]}),
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    ),
    (
        _container(stopTimeout=121),
        "Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.",
    ),
    (_task(ephemeralStorage={"sizeInGiB": 20}), "Ephemeral storage size must be between 21 and 200 GiB."),
    (_task(ephemeralStorage={"sizeInGiB": 201}), "Ephemeral storage size must be between 21 and 200 GiB."),
]
MESSAGES = [message for _change, message in REFUSED]


def changed(change: Change) -> Definition:
    definition = copy.deepcopy(GOOD)
    change(definition)
    return definition


def test_what_fargate_takes_has_no_problem() -> None:
    assert fargate_rules.problem(GOOD) is None
    assert fargate_rules.problem(changed(_task(cpu="1 vCPU", memory="2 GB"))) is None


@pytest.mark.parametrize(("change", "message"), REFUSED, ids=MESSAGES)
def test_what_fargate_refuses_is_named(change: Change, message: str) -> None:
    assert fargate_rules.problem(changed(change)) == message


@pytest.mark.parametrize(
    "change",
    [
        _task(containerDefinitions=[[{"name": "main"}]]),
        _task(containerDefinitions=[None]),
        _task(containerDefinitions="main"),
        _task(volumes={}),
        _task(volumes=[{"name": "tmp", "host": ["/"]}]),
        _task(memory=-1),
        _task(requiresCompatibilities="FARGATE"),
        _container(memory="512"),
        _container(privileged="false"),
        _linux(capabilities=[{"add": ["ALL"]}]),
    ],
)
def test_what_is_of_another_type_is_refused(control_plane: Any, change: Change) -> None:
    """boto3 would not send it."""
    assert "can not be converted to" in str(fargate_rules.problem(changed(change)))
    key = Credentials("test", "test")
    target = "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition"
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    address = f"http://127.0.0.1:{control_plane.port}/"
    answer = send(key, "POST", "ecs", address, headers, body=json.dumps(changed(change)))
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


def test_nothing_is_no_list_of_containers() -> None:
    assert fargate_rules.problem(changed(_task(containerDefinitions=None))) == "Container list cannot be empty."
    assert fargate_rules.problem(changed(_lacking("containerDefinitions"))) == "Container list cannot be empty."


def test_every_rule_has_its_attack() -> None:
    for rule in fargate_rules.RULES:
        assert any(fargate_rules.problem(changed(change), [rule]) for change, _message in REFUSED), rule.message
        assert rule.source.startswith("https://docs.aws.amazon.com/")


def test_sizes_are_those_that_the_roles_allow() -> None:
    """Each has a table of its own, so that a mistake in one is seen. Both are asked about more than there is."""
    sizes = list(itertools.product(range(0, 17 * 1024, 256), range(0, 128 * 1024, 256)))
    rules = [rule for rule in fargate_rules.RULES if rule.source == fargate_rules.SIZES]
    taken = {
        (cpu, memory)
        for cpu, memory in sizes
        if fargate_rules.problem({"cpu": str(cpu), "memory": str(memory)}, rules) is None
    }
    assert taken == {(cpu, memory) for cpu, memory in sizes if airflow.size_problem(cpu, memory) is None}


# What a description has and a registration has not.
ANSWERED = {"taskDefinitionArn", "revision", "status", "compatibilities", "registeredAt", "registeredBy"}


@pytest.fixture(scope="module")
def ecs(control_plane: Any) -> Any:
    return control_plane.client("ecs")


def register(ecs: Any, definition: Definition) -> str:
    return str(ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"])


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Code and message of the error."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(("change", "message"), REFUSED, ids=MESSAGES)
def test_registration_is_refused(ecs: Any, change: Change, message: str) -> None:
    assert refused(ecs.register_task_definition, **changed(change)) == ("ClientException", message)


def test_a_good_definition_is_registered_with_its_size_in_numbers(ecs: Any) -> None:
    answer = ecs.register_task_definition(**changed(_task(cpu="0.5 vCPU", memory="1 GB")))["taskDefinition"]
    assert (answer["cpu"], answer["memory"]) == ("512", "1024")


def test_what_is_described_can_be_registered_again(ecs: Any) -> None:
    described = ecs.describe_task_definition(taskDefinition=register(ecs, changed(_task())))["taskDefinition"]
    assert [name for name, value in described.items() if value in ("", None)] == []
    given = {name: value for name, value in described.items() if name not in ANSWERED}
    assert ecs.register_task_definition(**given)["taskDefinition"]["revision"] == described["revision"] + 1


@pytest.fixture(scope="module")
def privileged(ecs: Any) -> str:
    """A definition that AWS registers, for EC2: it says nothing of Fargate."""
    definition = changed(_container(privileged=True)) | {"family": "for-ec2", "requiresCompatibilities": ["EC2"]}
    return register(ecs, definition)


@pytest.fixture(scope="module")
def host_path(ecs: Any) -> str:
    definition = changed(_task(volumes=[{"name": "tmp", "host": {"sourcePath": "/"}}])) | {"family": "host-path"}
    del definition["requiresCompatibilities"]
    return register(ecs, definition)


NOT_FARGATE = ("InvalidParameterException", "Task definition does not support launch_type FARGATE.")
NO_INSTANCES = ("InvalidParameterException", "No Container Instances were found in your cluster.")
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]


@pytest.mark.parametrize("capacity", [{"launchType": "FARGATE"}, {"capacityProviderStrategy": SPOT}], ids=str)
def test_nothing_runs_on_fargate_that_it_refuses(
    ecs: Any, privileged: str, host_path: str, capacity: dict[str, Any]
) -> None:
    for definition in (privileged, host_path, "for-ec2", "host-path:1"):
        asked = {"cluster": CLUSTER, "taskDefinition": definition, **capacity}
        assert refused(ecs.run_task, **asked) == NOT_FARGATE
        assert refused(ecs.create_service, serviceName="attack", **asked) == NOT_FARGATE


@pytest.mark.parametrize("capacity", [{"launchType": "EC2"}, {"launchType": "EXTERNAL"}, {}], ids=str)
def test_there_is_no_other_capacity(ecs: Any, privileged: str, capacity: dict[str, Any]) -> None:
    asked = {"cluster": CLUSTER, "taskDefinition": privileged, **capacity}
    assert refused(ecs.run_task, **asked) == NO_INSTANCES
    assert refused(ecs.create_service, serviceName="attack", **asked) == NO_INSTANCES


def test_a_capacity_provider_with_machines_is_not_of_the_cluster(ecs: Any, privileged: str) -> None:
    ecs.create_capacity_provider(
        name="machines",
        autoScalingGroupProvider={"autoScalingGroupArn": "arn:aws:autoscaling:eu-west-1:000000000000:x"},
    )
    asked = {"cluster": CLUSTER, "taskDefinition": privileged}
    strategy = [{"capacityProvider": "machines"}]
    code, message = refused(ecs.run_task, capacityProviderStrategy=strategy, **asked)
    assert code == "InvalidParameterException"
    assert "not associated with the cluster" in message


def test_a_service_is_not_changed_into_one(ecs: Any, control_plane: Any, privileged: str, host_path: str) -> None:
    control_plane.create_service("honest", control_plane.task_definition("honest"), 1)
    for definition in (privileged, host_path):
        asked = {"cluster": CLUSTER, "service": "honest", "taskDefinition": definition}
        assert refused(ecs.update_service, **asked) == NOT_FARGATE
    strategy = [{"capacityProvider": "machines"}]
    code, _message = refused(ecs.update_service, cluster=CLUSTER, service="honest", capacityProviderStrategy=strategy)
    assert code == "InvalidParameterException"
    ecs.update_service(cluster=CLUSTER, service="honest", desiredCount=0)


def test_an_override_is_of_a_container_of_the_task(ecs: Any, control_plane: Any) -> None:
    asked = {
        "cluster": CLUSTER,
        "taskDefinition": control_plane.task_definition("overridden"),
        "launchType": "FARGATE",
        "overrides": {"containerOverrides": [{"name": "other", "command": ["x"]}]},
    }
    message = "Override for container named other is not a container in the TaskDefinition."
    assert refused(ecs.run_task, **asked) == ("InvalidParameterException", message)
