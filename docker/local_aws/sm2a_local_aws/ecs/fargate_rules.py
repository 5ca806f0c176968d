# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What Fargate refuses in a task definition: a table of rules, each with AWS's words and where AWS says so.

The words are those of the real API as people report them; where none were found they follow their pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jmespath

from sm2a_local_aws.iam.request import members, routes

Definition = dict[str, Any]

GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
DIFFERENCES = GUIDE + "fargate-tasks-services.html"
PARAMETERS = GUIDE + "task_definition_parameters.html"
SIZES = GUIDE + "task-cpu-memory-error.html"
REFERENCE = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"

UNSUPPORTED = "Fargate compatible task definitions do not support "
AWSVPC = "supported on container when networkMode=awsvpc."
ROLE = "Fargate requires task definition to have execution role ARN to support "
LOG_DRIVERS = "awslogs, splunk, awsfirelens"
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
# Engines take mounts as text in which `:` and `,` part fields: a path with them could name a source of its own.
CONTAINER_PATH = re.compile(r"/[^:,\x00-\x1f]*")

# CPU units -> least, most and step of the memory in MiB.
MEMORY = {
    512: (1024, 4096, 1024),
    1024: (2048, 8192, 1024),
    2048: (4096, 16384, 1024),
    4096: (8192, 30720, 1024),
    8192: (16384, 61440, 4096),
    16384: (32768, 122880, 8192),
}
MEMORY_OF_CPU = {256: (512, 1024, 2048)} | {
    cpu: tuple(range(least, most + 1, step)) for cpu, (least, most, step) in MEMORY.items()
}


@dataclass(frozen=True)
class Rule:
    """A task definition in which `found` finds something is refused; the first thing found fills the message's {}."""

    found: Callable[[Definition], Any]
    message: str
    source: str


def _where(expression: str) -> Callable[[Definition], Any]:
    """Find by a JMESPath expression on the task definition."""
    return jmespath.compile(expression).search  # type: ignore[no-any-return]


def _each(what: str, condition: str = "@") -> Callable[[Definition], Any]:
    """Find in the container definitions."""
    return _where(f"containerDefinitions[].{what} | [?{condition}]")


def _amount(text: Any, unit: str) -> int:
    """CPU units or MiB of `1024`, `1 vCPU`, `2 GB`; -1 when it is no such value."""
    match = re.fullmatch(rf"\s*(\d+(?:\.\d+)?)\s*({unit})?\s*", str(text), re.IGNORECASE)
    return int(float(match[1]) * (1024 if match[2] else 1)) if match else -1


def size(definition: Definition) -> tuple[int, int]:
    """CPU units and MiB of memory of a task."""
    return _amount(definition.get("cpu"), "vcpu"), _amount(definition.get("memory"), "gb")


def _wrong_size(definition: Definition) -> list[str]:
    cpu, memory = size(definition)
    return [] if memory in MEMORY_OF_CPU.get(cpu, ()) else [f"{cpu} CPU, {memory} memory"]


def _too_much_memory(definition: Definition) -> list[str]:
    _cpu, memory = size(definition)
    return [one.get("name", "") for one in _containers(definition) if (one.get("memory") or 0) > memory]


def _containers(definition: Definition) -> list[Definition]:
    return definition.get("containerDefinitions") or []


def _less_than(least: int, *settings: str) -> Callable[[Definition], list[str]]:
    """Find the names of containers with less than that in one of the settings."""
    return lambda definition: [
        one.get("name", "")
        for one in _containers(definition)
        if any(one.get(setting) is not None and one[setting] < least for setting in settings)
    ]


def _unlike(pattern: re.Pattern[str], expression: str) -> Callable[[Definition], list[str]]:
    """Find the texts that the pattern does not match."""
    found = _where(expression)
    return lambda definition: [text for text in found(definition) or [] if not pattern.fullmatch(str(text))]


def _unknown_volumes(definition: Definition) -> list[str]:
    known = _where("volumes[].name")(definition) or []
    mounted = _where("containerDefinitions[].mountPoints[].sourceVolume")(definition) or []
    return [name for name in mounted if name not in known]


RULES = (
    Rule(
        _where("!containerDefinitions"),
        "Container list cannot be empty.",
        REFERENCE + "API_RegisterTaskDefinition.html",
    ),
    Rule(_unlike(NAME, "[family]"), "Family contains invalid characters: {}.", PARAMETERS),
    Rule(_where("networkMode != 'awsvpc'"), "Fargate only supports network mode 'awsvpc'.", PARAMETERS),
    Rule(_where("!cpu"), "Fargate requires that 'cpu' be defined at the task level.", PARAMETERS),
    Rule(_where("!memory"), "Fargate requires that 'memory' be defined at the task level.", PARAMETERS),
    Rule(_wrong_size, "No Fargate configuration exists for given values: {}.", SIZES),
    Rule(_too_much_memory, "The 'memory' setting for container '{}' is greater than for the task.", PARAMETERS),
    # Containers need 6 MiB at least.
    Rule(_less_than(6, "memory", "memoryReservation"), "Invalid 'memory' setting for container '{}'.", PARAMETERS),
    Rule(_less_than(0, "cpu"), "Invalid 'cpu' setting for container '{}'.", PARAMETERS),
    Rule(_unlike(NAME, "containerDefinitions[].name"), "Container name contains invalid characters: {}.", PARAMETERS),
    Rule(_unlike(NAME, "volumes[].name"), "Volume name contains invalid characters: {}.", PARAMETERS),
    Rule(_unknown_volumes, "Unknown volume '{}'.", PARAMETERS),
    Rule(
        _unlike(CONTAINER_PATH, "containerDefinitions[].[mountPoints, linuxParameters.tmpfs][][].containerPath"),
        "Invalid container path '{}'.",
        PARAMETERS,
    ),
    # The machine below.
    Rule(_each("privileged"), "Fargate requires that the 'privileged' setting be 'false'.", DIFFERENCES),
    Rule(_where("volumes[].host.sourcePath"), UNSUPPORTED + "sourcePath.", DIFFERENCES),
    Rule(_where("volumes[].dockerVolumeConfiguration"), UNSUPPORTED + "dockerVolumeConfiguration.", DIFFERENCES),
    Rule(
        _where("volumes[].fsxWindowsFileServerVolumeConfiguration"),
        UNSUPPORTED + "fsxWindowsFileServerVolumeConfiguration.",
        REFERENCE + "API_Volume.html",
    ),
    Rule(
        _where("[pidMode] | [?@ && @ != 'task']"),
        "Tasks using the Fargate launch type do not support pidMode '{}'.",
        REFERENCE + "API_RegisterTaskDefinition.html",
    ),
    Rule(_where("ipcMode"), UNSUPPORTED + "ipcMode.", DIFFERENCES),
    Rule(
        _each("linuxParameters.capabilities.add[]", "@ != 'SYS_PTRACE'"),
        "{} is not allowed on Fargate.",
        REFERENCE + "API_KernelCapabilities.html",
    ),
    Rule(_each("linuxParameters.devices[]"), UNSUPPORTED + "devices.", DIFFERENCES),
    Rule(_each("linuxParameters.sharedMemorySize", "@ != `null`"), UNSUPPORTED + "sharedMemorySize.", DIFFERENCES),
    Rule(_each("linuxParameters.maxSwap", "@ != `null`"), UNSUPPORTED + "maxSwap.", DIFFERENCES),
    Rule(_each("linuxParameters.swappiness", "@ != `null`"), UNSUPPORTED + "swappiness.", DIFFERENCES),
    Rule(_each("dockerSecurityOptions[]"), UNSUPPORTED + "dockerSecurityOptions.", DIFFERENCES),
    Rule(_each("resourceRequirements[].type", "@ == 'GPU'"), UNSUPPORTED + "gpu.", DIFFERENCES),
    Rule(_where("inferenceAccelerators[]"), "Unsupported field 'inferenceAccelerators'.", PARAMETERS),
    Rule(_each("ulimits[].name", "@ != 'nofile'"), UNSUPPORTED + "the ulimit {}.", REFERENCE + "API_Ulimit.html"),
    # Placement and network.
    Rule(_where("placementConstraints[]"), UNSUPPORTED + "constraints.", DIFFERENCES),
    Rule(_each("links[]"), "Links are not supported when networkMode=awsvpc.", DIFFERENCES),
    Rule(_each("extraHosts[]"), "Extra hosts are not " + AWSVPC, DIFFERENCES),
    Rule(_each("dnsServers[]"), "DNS servers are not " + AWSVPC, DIFFERENCES),
    Rule(_each("dnsSearchDomains[]"), "DNS search domains are not " + AWSVPC, DIFFERENCES),
    Rule(_each("disableNetworking"), "Disable Networking is not " + AWSVPC, DIFFERENCES),
    Rule(_each("hostname"), "hostname is not " + AWSVPC, PARAMETERS),
    Rule(
        _each("portMappings[]", "hostPort != `null` && hostPort != containerPort"),
        "When networkMode=awsvpc, the host ports and container ports in port mappings must match.",
        PARAMETERS,
    ),
    # Logs, secrets, time and storage.
    Rule(
        _each("logConfiguration.logDriver", '!contains(`["awslogs", "splunk", "awsfirelens"]`, @)'),
        "{} is not a valid log driver. Must be one of [" + LOG_DRIVERS + "]",
        PARAMETERS,
    ),
    Rule(
        _where("!executionRoleArn && containerDefinitions[?contains(image, '.dkr.ecr.')].image"),
        ROLE + "ECR images.",
        GUIDE + "task_execution_IAM_role.html",
    ),
    Rule(
        _where("!executionRoleArn && containerDefinitions[?logConfiguration.logDriver == 'awslogs'].name"),
        ROLE + "log driver awslogs.",
        GUIDE + "task_execution_IAM_role.html",
    ),
    Rule(
        _where("!executionRoleArn && containerDefinitions[].secrets[].name"),
        "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        GUIDE + "task_execution_IAM_role.html",
    ),
    Rule(
        _each("stopTimeout", "@ > `120`"),
        "Tasks using the Fargate launch type must have a container stop timeout of less than 120 seconds.",
        PARAMETERS,
    ),
    Rule(
        _where("[ephemeralStorage.sizeInGiB] | [?@ < `21` || @ > `200`]"),
        "Ephemeral storage size must be between 21 and 200 GiB.",
        REFERENCE + "API_EphemeralStorage.html",
    ),
)


def problem(definition: Definition, rules: Iterable[Rule] = RULES) -> str | None:
    """Why Fargate refuses the task definition, in AWS's words; None when it does not."""
    wrong = malformed(definition)
    if wrong:
        return wrong
    for rule in rules:
        found = rule.found(definition)
        if found:
            return rule.message.format(found[0] if isinstance(found, list) else found)
    return None


def malformed(definition: Definition) -> str | None:
    """What in a task definition is of another type than the API has; None when nothing is."""
    shape = routes.model("ecs").operation_model("RegisterTaskDefinition").input_shape
    try:
        members.of_input(shape, definition)
    except ValueError as error:
        return str(error)
    return None
