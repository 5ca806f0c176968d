# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The inventory plugin, as ansible-inventory runs it, with an ECS that answers in AWS's pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.plugins.plugin_utils.test_ecs_task_hosts import ARN, WORKER

PAGE = 100
DENIED = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: ecs:ListTasks on resource: *"
STARTED = 1796040000.0


def tasks(count: int) -> list[dict[str, Any]]:
    return [{**WORKER, "taskArn": f"{ARN}:task/staging/{number:032x}", "startedAt": STARTED} for number in range(count)]


class Ecs(ThreadingHTTPServer):
    """The cluster `staging`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.tasks: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.denies = False

    def answer(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(operation)
        if self.denies:
            return 400, {"__type": "AccessDeniedException", "message": DENIED}
        if operation == "DescribeClusters":
            return 200, {"clusters": [{"clusterName": "staging", "status": "ACTIVE"}] if self._has(asked) else []}
        if not self._has(asked):
            return 400, {"__type": "ClusterNotFoundException", "message": "Cluster not found."}
        if operation == "ListTasks":
            start = int(asked.get("nextToken") or 0)
            arns = [task["taskArn"] for task in self.tasks[start : start + PAGE]]
            return 200, {"taskArns": arns, **({"nextToken": str(start + PAGE)} if self.tasks[start + PAGE :] else {})}
        if len(asked["tasks"]) > PAGE:
            return 400, {"__type": "InvalidParameterException", "message": "Tasks can have at most 100 items."}
        found = [task for task in self.tasks if task["taskArn"] in asked["tasks"]]
        hidden = set() if "TAGS" in asked.get("include", []) else {"tags"}
        return 200, {"tasks": [{key: value for key, value in one.items() if key not in hidden} for one in found]}

    @staticmethod
    def _has(asked: dict[str, Any]) -> bool:
        return "staging" in (asked.get("cluster"), *asked.get("clusters", ()))


class Handler(BaseHTTPRequestHandler):
    server: Ecs

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = self.server.answer(self.headers["X-Amz-Target"].rpartition(".")[2], asked)
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def ecs() -> Iterator[Ecs]:
    with Ecs() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def plain(value: Any) -> Any:
    """Without the mark that ansible-inventory gives to text that is no template."""
    if isinstance(value, dict):
        return value.get("__ansible_unsafe") or {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


Read = Callable[..., Any]


@pytest.fixture
def read(ecs: Ecs, tmp_path: Path) -> Read:
    """What ansible-inventory lists for a file with these options, or how it fails."""

    def run(*flags: str, name: str = "staging.ecs_task.yml", **options: Any) -> Any:
        source = tmp_path / name
        base = {
            "plugin": "sm2a.airflow.ecs_task",
            "cluster": "staging",
            "region": "eu-west-1",
            "endpoint_url": f"http://127.0.0.1:{ecs.server_address[1]}",
        }
        source.write_text(json.dumps({**base, **options}), encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "ANSIBLE_"))}
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        done = subprocess.run(
            [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(source), "--list", *flags],
            cwd=PROJECT,
            env={**kept, **keys, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true", "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return plain(json.loads(done.stdout)) if done.returncode == 0 else " ".join(done.stderr.split())

    return run


def members(listed: dict[str, Any]) -> dict[str, list[str]]:
    return {name: sorted(group["hosts"]) for name, group in listed.items() if "hosts" in group}


def test_tasks_are_read_by_the_hundred(ecs: Ecs, read: Read) -> None:
    ecs.tasks = tasks(250)
    listed = read()
    assert ecs.calls == ["ListTasks"] * 3 + ["DescribeTasks"] * 3
    assert {name: len(hosts) for name, hosts in members(listed).items()} == {
        "ecs_task": 250,
        "service_worker_big": 250,
        "worker_group_big": 250,
        "availability_zone_eu_west_1b": 250,
        "image_digest_a29215f6a35e": 250,
    }


def test_the_options_of_amazon_aws(ecs: Ecs, read: Read) -> None:
    ecs.tasks = tasks(2)
    listed = read(
        keyed_groups=[{"key": "memory", "prefix": "memory"}, {"key": "tags.team", "prefix": "team"}],
        groups={"healthy": "ecs_health_status == 'HEALTHY'", "none": "cpu == '1'"},
        compose={"ansible_connection": "'local'", "zone": "availability_zone[-1]"},
    )
    assert {"memory_4096", "team_data", "healthy"} <= members(listed).keys()
    assert "none" not in members(listed)
    found = next(iter(listed["_meta"]["hostvars"].values()))
    assert (found["ansible_connection"], found["zone"], found["ecs_service"]) == ("local", "b", "worker-big")
    assert found["ecs_started_at"].startswith("2026-11-30T")
    assert "tags" not in found


def test_the_connection_gets_region_and_profile_and_no_keys(ecs: Ecs, read: Read) -> None:
    ecs.tasks = tasks(1)
    (found,) = read(hostvars_prefix="task_")["_meta"]["hostvars"].values()
    assert found["ansible_connection"] == "sm2a.airflow.ecs_exec"
    assert found["ansible_ecs_exec_region"] == "eu-west-1"
    assert found["ansible_ecs_exec_endpoint_url"].startswith("http://127.0.0.1:")
    assert found["task_service"] == "worker-big"
    assert not [name for name in found if "key" in name or "token" in name]


def test_what_is_strict_fails(ecs: Ecs, read: Read) -> None:
    ecs.tasks = tasks(1)
    assert "Could not set zone for host" in read(strict=True, compose={"zone": "nothing.here"})


def test_a_cache_is_read_instead(ecs: Ecs, read: Read, tmp_path: Path) -> None:
    ecs.tasks = tasks(2)
    kept = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
        "cache_timeout": 60,
    }
    first = read(**kept)
    ecs.tasks = tasks(3)
    assert read(**kept) == first
    assert ecs.calls == ["ListTasks", "DescribeTasks"]
    assert len(members(read("--flush-cache", **kept))["ecs_task"]) == 3


def test_a_cluster_without_tasks_is_empty(ecs: Ecs, read: Read) -> None:
    assert not read()["_meta"]["hostvars"]
    assert ecs.calls == ["ListTasks", "DescribeClusters"]


def test_no_such_cluster_is_said(read: Read) -> None:
    assert "There is no ECS cluster stagin in eu-west-1: correct cluster or region" in read(cluster="stagin")


def test_missing_rights_are_said(ecs: Ecs, read: Read) -> None:
    ecs.denies = True
    assert "The credentials lack ecs:ListTasks on *: add it to their policy" in read()


def test_a_task_that_stops_meanwhile_is_no_host(ecs: Ecs, read: Read) -> None:
    ecs.tasks = tasks(2)
    ecs.tasks[1]["lastStatus"] = "STOPPING"
    assert len(read()["_meta"]["hostvars"]) == 1


def test_files_are_told_by_their_names(ecs: Ecs, read: Read) -> None:
    ecs.tasks = tasks(1)
    assert "ecs_task" in members(read(name="ecs_task.yaml"))
    assert "failed to parse inventory source" in read(name="other.yml")
