# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a task's log on the emulator's S3, written with the rights of a worker, and read by a web server."""

import importlib
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support.emulators import aws_endpoint
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

__all__ = ["aws_endpoint"]

PATH = "dag_id=a/run_id=b/task_id=c/attempt=1.log"
KEY = f"airflow/{PATH}"
HANDLER = {"class": "airflow.utils.log.file_task_handler.FileTaskHandler", "formatter": "airflow"}
CONFIGURATION: dict[str, Any] = {"version": 1, "handlers": {"console": {}, "task": HANDLER}}


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

    def list_keys(self, bucket_name: str, prefix: str) -> list[str]:
        found = self.client.list_objects_v2(Bucket=bucket_name, Prefix=prefix).get("Contents", [])
        return [entry["Key"] for entry in found]


class S3RemoteLogIO:
    """Of Airflow's class what is used."""

    hook: Hook
    remote_base: str
    base_log_folder: Path
    delete_local_copy = False

    @classmethod
    def from_config(cls) -> "S3RemoteLogIO":
        return cls()


class FileTaskHandler:
    """Of Airflow's class what is used."""

    served: ClassVar[list[list[str]]] = []

    def _read_from_logs_server(self, ti: Any, worker_log_rel_path: str) -> tuple[list[str], list[list[str]]]:
        return [f"http://worker/log/{worker_log_rel_path}"], self.served


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, with remote logging on."""
    contents: dict[str, dict[str, Any]] = {
        "airflow.providers.amazon.aws.log.s3_task_handler": {"S3RemoteLogIO": S3RemoteLogIO},
        "airflow.utils.log.file_task_handler": {"FileTaskHandler": FileTaskHandler},
        "airflow.config_templates": {
            "airflow_local_settings": SimpleNamespace(DEFAULT_LOGGING_CONFIG=CONFIGURATION, REMOTE_LOGGING=True)
        },
    }
    for name in contents:
        path = name.split(".")
        for end in range(1, len(path) + 1):
            package = ".".join(path[:end])
            monkeypatch.setitem(sys.modules, package, ModuleType(package))
    for name, attributes in contents.items():
        vars(sys.modules[name]).update(attributes)
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
    folder: Path

    def write(self, text: str) -> bool:
        """Whether Airflow, which empties the file of what is stored, has handed it over."""
        file = self.folder / PATH
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.writer.upload(PATH)
        return file.read_text() == ""

    def shown(self) -> list[str]:
        """What a web server, which may read, shows."""
        self.writer.hook = Hook(self.s3)
        _sources, streams = self.writer.stream(PATH, None)
        return [line for stream in streams for line in stream]

    def parts(self) -> list[str]:
        """What Airflow reads: every object whose name begins like the log's, in order."""
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=KEY).get("Contents", [])
        keys = sorted(entry["Key"] for entry in found)
        return [self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode() for key in keys]


@pytest.fixture
def logs(aws_endpoint: str, module: Any, tmp_path: Path) -> Iterator[Logs]:
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
        writer.remote_base = f"s3://{bucket}/airflow"
        writer.base_log_folder = tmp_path
        yield Logs(writer, s3, bucket, proxy, tmp_path)
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


def test_a_file_outside_of_the_folder_is_not_stored(logs: Logs, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("secret")
    link = logs.folder / "link.log"
    link.symlink_to(secret)
    for path in (secret, link, "../secret", Path("link.log")):
        logs.writer.upload(path)
    assert secret.read_text() == "secret"
    assert "Contents" not in logs.s3.list_objects_v2(Bucket=logs.bucket)


def test_the_folder_of_a_stored_log_goes_where_airflow_wants_that(logs: Logs) -> None:
    (logs.folder / PATH).parent.mkdir(parents=True)
    (logs.folder / PATH).write_bytes(b"no text \xff\n")
    logs.writer.delete_local_copy = True
    logs.writer.upload(logs.folder / PATH)
    assert not (logs.folder / PATH).parent.exists()
    assert logs.shown() == ["no text \N{REPLACEMENT CHARACTER}"]


def test_all_parts_are_shown_in_their_order(logs: Logs) -> None:
    assert all(logs.write(text) for text in ("one\ntwo\n", "three\n"))
    assert logs.shown() == ["one", "two", "three"]
    sources, _streams = logs.writer.stream(PATH, None)
    assert [source.startswith(f"s3://{logs.bucket}/{KEY}") for source in sources] == [True, True]


def test_a_large_log_is_shown_without_its_middle(logs: Logs) -> None:
    line = "x" * 100
    assert logs.write("".join(f"{number} {line}\n" for number in range(60_000)))
    shown = logs.shown()
    assert len("".join(shown)) < 3.1 * 1024 * 1024
    (cut,) = [place for place, each in enumerate(shown) if not each.endswith(line)]
    assert f"All of it: s3://{logs.bucket}/{KEY}]" in shown[cut]
    assert [each.split()[0] for each in shown[:cut]] == [str(number) for number in range(cut)]
    assert [each.split()[0] for each in shown[cut + 1 :]] == [
        str(number) for number in range(60_000 - len(shown) + cut + 1, 60_000)
    ]


def test_a_log_that_cannot_be_read_says_why(logs: Logs) -> None:
    assert logs.write("begins\n")
    reader = logs.writer.hook = Hook(logs.s3)
    _sources, (stream,) = logs.writer.stream(PATH, None)
    reader.client.delete_object(Bucket=logs.bucket, Key=KEY)
    (line,) = stream
    assert line.startswith(f"The log s3://{logs.bucket}/{KEY} cannot be read: ")
    assert logs.writer.stream(PATH, None) == ([], [])


def test_the_log_of_a_running_task_is_shown_without_its_middle(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileTaskHandler, "served", [["short"], ["x" * 1000] * 10_000])
    sources, streams = module.TaskLogHandler()._read_from_logs_server(None, PATH)
    short, long = (list(stream) for stream in streams)
    assert sources == [f"http://worker/log/{PATH}"]
    assert short == ["short"]
    assert [line for line in long if "All of it is in S3 when the task has ended." in line]
    assert len(long) < 4_000


def test_airflow_finds_its_configuration_and_no_connection(module: Any) -> None:
    handlers = module.LOGGING_CONFIG["handlers"]
    assert handlers == {"console": {}, "task": {**HANDLER, "class": "sm2a_runtime.task_logs.TaskLogHandler"}}
    assert CONFIGURATION["handlers"]["task"] is HANDLER
    assert isinstance(module.REMOTE_TASK_LOG, S3RemoteLogIO)
    assert not hasattr(module, "DEFAULT_REMOTE_CONN_ID")
