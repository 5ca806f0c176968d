# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS: what the containers may do, and what their definitions give away."""

from __future__ import annotations

import re

from ..control import Verdicts, control, when
from ..environment import Environment

AGAIN = "Run site.yml: the roles airflow and autoscaler register it so."
# Names of variables that hold a secret itself; those that end in _SECRET or _SECRET_NAME hold the name of one.
SECRET_NAME = re.compile(
    r"(PASSWORD|PASSWD|TOKEN|PRIVATE_KEY|FERNET_KEY|SECRET_KEY|SECRET_ACCESS_KEY|SQL_ALCHEMY_CONN|RESULT_BACKEND)$"
)
SECRET_VALUE = re.compile(r"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/:@\s]+:[^/@\s]+@")


@control("ECS.2", "Services give their tasks no public address", AGAIN)
def public_address(environment: Environment) -> Verdicts:
    for one in environment.services:
        network = one.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        yield one["serviceName"], "" if network.get("assignPublicIp", "DISABLED") == "DISABLED" else "assigns one"


@control("ECS.3", "Tasks do not share the host's processes", AGAIN)
def process_mode(environment: Environment) -> Verdicts:
    found = environment.task_definitions
    yield from when(((one["family"], one.get("pidMode") == "host") for one in found), "pidMode is host")


@control("ECS.4", "No container is privileged", AGAIN)
def privileged(environment: Environment) -> Verdicts:
    found = environment.containers
    yield from when(((name, bool(one.get("privileged"))) for name, one in found), "is privileged")


@control("ECS.5", "Root file systems are read-only", AGAIN)
def read_only(environment: Environment) -> Verdicts:
    found = environment.containers
    yield from when(((name, not one.get("readonlyRootFilesystem")) for name, one in found), "the root is writable")


@control(
    "ECS.8", "No secret in the environment of a container", "Put the value into Secrets Manager and name the secret."
)
def secrets_in_environment(environment: Environment) -> Verdicts:
    for name, container in environment.containers:
        told = [
            entry["name"]
            for entry in container.get("environment", [])
            if SECRET_NAME.search(entry["name"]) or SECRET_VALUE.search(entry["value"])
        ]
        # What has a secret's place in argv is as visible as the environment.
        told += ["command"] * bool(SECRET_VALUE.search(" ".join(container.get("command", []))))
        yield name, f"{', '.join(told)} may hold a secret" if told else ""


@control("ECS.9", "Containers write logs", AGAIN)
def logging(environment: Environment) -> Verdicts:
    found = environment.containers
    yield from when(
        ((name, not one.get("logConfiguration", {}).get("logDriver")) for name, one in found), "no log driver"
    )


@control("ECS.10", "Services run on the latest Fargate platform", AGAIN)
def platform(environment: Environment) -> Verdicts:
    for one in environment.services:
        version = one.get("platformVersion", "LATEST")
        yield one["serviceName"], "" if version in ("LATEST", "1.4.0") else f"the platform is {version}"


@control("ECS.12", "Container Insights are on", "Remove cluster_container_insights, or set it to enabled or enhanced.")
def insights(environment: Environment) -> Verdicts:
    for one in environment.clusters:
        value = {entry["name"]: entry["value"] for entry in one["settings"]}.get("containerInsights")
        yield one["clusterName"], "" if value in ("enabled", "enhanced") else f"they are {value}"


@control("ECS.17", "Tasks have a network of their own", AGAIN)
def network_mode(environment: Environment) -> Verdicts:
    found = environment.task_definitions
    yield from when(((one["family"], one.get("networkMode") != "awsvpc") for one in found), "the mode is not awsvpc")


@control("ECS.20", "No container runs as root", AGAIN)
def user(environment: Environment) -> Verdicts:
    roots = ("", "0", "root")
    found = environment.containers
    yield from when(((name, str(one.get("user", "")).split(":")[0] in roots) for name, one in found), "runs as root")


@control("ECS.exec", "ECS Exec is off", "Set cluster_execute_command: false and run site.yml.")
def execute_command(environment: Environment) -> Verdicts:
    found = environment.services
    yield from when(((one["serviceName"], bool(one.get("enableExecuteCommand"))) for one in found), "can be entered")


@control("ECS.rollback", "A failed deployment rolls back", AGAIN)
def circuit_breaker(environment: Environment) -> Verdicts:
    for one in environment.services:
        breaker = one.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
        yield one["serviceName"], "" if breaker.get("enable") and breaker.get("rollback") else "it does not"


@control(
    "ECS.digest", "Images are named by digest", "Give images_*_image with @sha256:, or let the role images build them."
)
def digest(environment: Environment) -> Verdicts:
    found = environment.containers
    yield from when(((name, "@sha256:" not in one["image"]) for name, one in found), "its image can change")
