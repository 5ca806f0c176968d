# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a task's log on the emulator's S3, written with the rights of a worker."""

import importlib
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support.emulators import aws_endpoint
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

__all__ = ["aws_endpoint"]

KEY = "airflow/dag_id=a/run_id=b/task_id=c/attempt=1.log"
CONFIGURATION = {"version": 1}


class Hook:
    """Of Airflow's hook what is used."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def get_conn(self) -> Any:
        return self.client

    @staticmethod
    def parse_s3_url(url: str) -> tuple[str, str]:
        parts = urlsplit(url)
        return parts.netloc, parts.path.lstrip("/")


class S3RemoteLogIO:
    """Of Airflow's class what is used."""

    hook: Hook

    @classmethod
    def from_config(cls) -> "S3RemoteLogIO":
        return cls()


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, with remote logging on."""
    handler = ModuleType("airflow.providers.amazon.aws.log.s3_task_handler")
    vars(handler)["S3RemoteLogIO"] = S3RemoteLogIO
    templates = ModuleType("airflow.config_templates")
    settings = SimpleNamespace(DEFAULT_LOGGING_CONFIG=CONFIGURATION, REMOTE_LOGGING=True)
    vars(templates)["airflow_local_settings"] = settings
    path = handler.__name__.split(".")
    packages = {".".join(path[:end]): ModuleType(".".join(path[:end])) for end in range(1, len(path))}
    for name, each in {**packages, handler.__name__: handler, templates.__name__: templates}.items():
        monkeypatch.setitem(sys.modules, name, each)
    sys.modules.pop("sm2a_runtime.task_logs", None)
    yield importlib.import_module("sm2a_runtime.task_logs")
    sys.modules.pop("sm2a_runtime.task_logs", None)


@dataclass
class Logs:
    """A bucket, and who writes logs into it."""

    writer: Any
    s3: Any
    bucket: str
    proxy: FaultProxy

    def write(self, text: str) -> bool:
        done: bool = self.writer.write(text, f"s3://{self.bucket}/{KEY}")
        return done

    def parts(self) -> list[str]:
        """What Airflow reads: every object whose name begins like the log's, in order."""
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=KEY).get("Contents", [])
        keys = sorted(entry["Key"] for entry in found)
        return [self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode() for key in keys]


@pytest.fixture
def logs(aws_endpoint: str, module: Any) -> Iterator[Logs]:
    """The writer may do what its role allows: put new objects, and nothing else."""
    options = {"region_name": "eu-west-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    s3 = boto3.client("s3", endpoint_url=aws_endpoint, **options)
    bucket = f"task-logs-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    with fault_proxy(aws_endpoint) as proxy:
        refused = Rule("error", action="(?!PutObject$).*", code="AccessDenied", status=403)
        proxy.book.set([refused])
        writer = module.REMOTE_TASK_LOG
        writer.hook = Hook(boto3.client("s3", endpoint_url=proxy.endpoint, **options))
        yield Logs(writer, s3, bucket, proxy)
        assert proxy.book.struck("error") == [], "the worker needs more than its role allows"


def test_a_log_has_the_name_that_airflow_gives_it(logs: Logs) -> None:
    assert logs.write("begins\n")
    assert logs.parts() == ["begins\n"]
    assert [entry["Key"] for entry in logs.s3.list_objects_v2(Bucket=logs.bucket)["Contents"]] == [KEY]


def test_a_task_that_goes_on_elsewhere_adds_to_its_log_and_changes_nothing(logs: Logs) -> None:
    texts = ["before it was deferred\n", "after\n", "after it was deferred again\n"]
    assert all(logs.write(text) for text in texts)
    assert logs.parts() == texts


def test_a_log_of_another_task_cannot_be_replaced(logs: Logs) -> None:
    logs.s3.put_object(Bucket=logs.bucket, Key=KEY, Body=b"what really happened\n")
    assert logs.write("nothing happened\n")
    assert logs.parts()[0] == "what really happened\n"


def test_a_failure_is_told_so_that_airflow_keeps_the_file(logs: Logs) -> None:
    denied = Rule("error", action="PutObject", code="AccessDenied", status=403)
    logs.proxy.book.set([denied])
    assert not logs.write("begins\n")
    logs.proxy.book.set([Rule("error", action="PutObject", code="AccessDenied", status=403, calls=1)])
    assert logs.write("begins\n")
    assert logs.parts() == ["begins\n"]
    logs.proxy.book.set([])


def test_airflow_finds_its_configuration_and_no_connection(module: Any) -> None:
    assert module.LOGGING_CONFIG is CONFIGURATION
    assert isinstance(module.REMOTE_TASK_LOG, S3RemoteLogIO)
    assert not hasattr(module, "DEFAULT_REMOTE_CONN_ID")
