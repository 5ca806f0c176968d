# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""s3_run_lock against the emulator: one holder, stale locks, releases, lost replies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.processes import is_running, process_start
from ansible_collections.sm2a.airflow.plugins.module_utils.s3 import run_lock
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.lock_holder import this_run
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

MODULE = "s3_run_lock"
KEY = "run-lock.json"
Aws = Callable[[str], Any]
Lock = Callable[..., support.Result]


def run_of(**members: Any) -> dict[str, Any]:
    """What the action plugin says about a run; by default a process of another machine."""
    elsewhere = {"user": "ada", "host": "build7", "machine": "other", "pid": 4711, "process_start": "1"}
    return {**elsewhere, "playbook": "site.yml", **members}


@pytest.fixture
def here() -> dict[str, Any]:
    """This process."""
    return this_run(os.getpid(), "site.yml")


@pytest.fixture
def bucket(aws: Aws, unique_name: str) -> Iterator[str]:
    s3 = aws("s3")
    s3.create_bucket(Bucket=unique_name, CreateBucketConfiguration={"LocationConstraint": support.REGION})
    s3.put_bucket_versioning(Bucket=unique_name, VersioningConfiguration={"Status": "Enabled"})
    yield unique_name


@pytest.fixture
def lock(run_module: support.RunModule, bucket: str) -> Lock:
    """``lock(run, state="absent")`` runs the module for this test's bucket."""

    def call(run: dict[str, Any], check: bool = False, **options: Any) -> support.Result:
        return run_module(MODULE, {"bucket": bucket, "run": run, **options}, check=check)

    return call


def test_one_run_holds_it_and_gives_it_back(lock: Lock, here: dict[str, Any], aws: Aws, bucket: str) -> None:
    taken = lock(here)
    assert (taken["held"], taken["changed"], taken["lock"]["pid"]) == (True, False, os.getpid())
    with pytest.raises(support.ModuleFailedError) as refused:
        lock(run_of())
    message = refused.value.result["msg"]
    assert f"{here['user']}@{here['host']} (process {os.getpid()}, playbook site.yml) since " in message
    assert "at most until" in message
    assert "playbooks/unlock.yml" in message

    again = lock(here)
    assert (again["held"], again["previous"]) == (True, {})
    released = lock(here, state="absent")
    assert (released["held"], released["changed"], released["lock"]) == (False, False, {})
    assert "Contents" not in aws("s3").list_objects_v2(Bucket=bucket)
    assert lock(here, state="absent")["previous"] == {}
    assert lock(run_of())["held"]


def test_the_lock_of_another_run_stays(lock: Lock, here: dict[str, Any]) -> None:
    lock(run_of())
    kept = lock(here, state="absent")
    assert kept["lock"]["host"] == "build7"
    assert any("it belongs to another run: ada@build7" in str(warning) for warning in kept["warnings"])
    forced = lock(here, state="absent", force=True)
    assert (forced["changed"], forced["lock"], forced["previous"]["host"]) == (True, {}, "build7")
    assert lock(here)["held"]


def test_an_expired_lock_is_taken_over(lock: Lock, here: dict[str, Any]) -> None:
    lock(run_of(), timeout=1)
    with pytest.raises(support.ModuleFailedError):
        lock(here)
    time.sleep(2.1)  # S3 counts whole seconds
    taken = lock(here)
    assert (taken["held"], taken["previous"]["host"]) == (True, "build7")
    assert any("it expired at" in str(warning) for warning in taken["warnings"])


def test_the_lock_of_a_process_that_ended_here_is_taken_over(lock: Lock, here: dict[str, Any]) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        lock(this_run(process.pid, "site.yml"))
        with pytest.raises(support.ModuleFailedError, match=f"process {process.pid}"):
            lock(here)
        process.kill()
    taken = lock(here)
    assert taken["previous"]["pid"] == process.pid
    assert any("is no longer running" in str(warning) for warning in taken["warnings"])


def test_another_process_with_the_number_of_one_that_ended_does_not_count(lock: Lock, here: dict[str, Any]) -> None:
    lock({**here, "process_start": "1"})
    assert lock({**here, "pid": os.getppid(), "process_start": process_start(os.getppid())})["held"]


def test_check_mode_warns_and_writes_nothing(lock: Lock, here: dict[str, Any]) -> None:
    assert not lock(here, check=True)["held"]
    lock(run_of())
    looked = lock(here, check=True)
    assert looked["lock"]["host"] == "build7"
    assert any("the predicted changes may be wrong" in str(warning) for warning in looked["warnings"])
    assert lock(here, check=True, state="absent", force=True)["changed"]
    assert lock(run_of(), state="absent")["previous"]["host"] == "build7"


def test_the_bucket_goes_with_the_last_lock(lock: Lock, here: dict[str, Any], aws: Aws, bucket: str) -> None:
    for _time in range(2):
        lock(here)
        lock(here, state="absent")
    lock(here)
    assert lock(here, check=True, state="absent", delete_bucket=True)["changed"]
    assert lock(here, state="absent", delete_bucket=True)["changed"]
    assert bucket not in [one["Name"] for one in aws("s3").list_buckets()["Buckets"]]
    assert not lock(here, state="absent", delete_bucket=True)["changed"]
    assert not lock(here, require_bucket=False)["held"]


def test_the_bucket_stays_when_another_run_was_faster(lock: Lock, here: dict[str, Any], aws: Aws, bucket: str) -> None:
    lock(here)
    lock(here, state="absent")
    lock(run_of())
    assert not lock(here, state="absent", delete_bucket=True)["changed"]
    s3 = aws("s3")
    run_lock.delete_old_versions(s3, bucket)
    held = run_lock.read(s3, bucket, KEY)
    assert held and held.holder.host == "build7"


def test_of_many_at_once_one_gets_it(aws: Aws, bucket: str) -> None:
    s3 = aws("s3")
    winners: list[int] = []

    def try_it(pid: int) -> None:
        try:
            run_lock.acquire(s3, bucket, KEY, {**run_of(pid=pid), "timeout_seconds": 60})
        except AnsibleAWSError:
            return
        winners.append(pid)

    threads = [threading.Thread(target=try_it, args=(pid,)) for pid in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = run_lock.read(s3, bucket, KEY)
    assert held and winners == [held.holder.pid]


def job(number: int, template: int = 7, **members: Any) -> dict[str, Any]:
    """A job of a controller."""
    place = {"user": "ada", "template": "Deploy", "workflow_id": 40, "controller": "https://awx.example.com"}
    return {"id": number, "template_id": template, **place, "allow_simultaneous": False, **members}


def test_a_job_is_named_as_an_operator_knows_it(lock: Lock, here: dict[str, Any]) -> None:
    taken = lock(run_of(job=job(41)))["lock"]
    assert taken["job"]["id"] == 41
    url = "https://awx.example.com/#/jobs/playbook/41"
    said = f'ada (job 41 of template "Deploy" in workflow job 40, {url}, playbook site.yml)'
    assert taken["description"].startswith(f"{said} since ")
    with pytest.raises(support.ModuleFailedError) as refused:
        lock(here)
    assert said in refused.value.result["msg"]


def test_the_next_job_of_a_template_takes_over(lock: Lock) -> None:
    lock(run_of(job=job(41)))
    taken = lock(run_of(host="build8", pid=1, job=job(45)))
    assert (taken["held"], taken["previous"]["job"]["id"]) == (True, 41)
    assert any(
        "job 41 has ended: the jobs of its template run one after another" in str(one) for one in taken["warnings"]
    )


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(job(45, template=8), id="another template"),
        pytest.param(job(45, template=0), id="unknown template"),
        pytest.param(job(45, controller="https://awx.example.org"), id="another controller"),
        pytest.param(job(45, allow_simultaneous=True), id="simultaneous jobs"),
        pytest.param(job(41), id="the same number"),
        pytest.param(job(39), id="an earlier job"),
        pytest.param(None, id="no job"),
    ],
)
def test_every_other_job_is_refused(lock: Lock, other: dict[str, Any] | None) -> None:
    lock(run_of(job=job(41)))
    with pytest.raises(support.ModuleFailedError, match="Another run is changing this environment"):
        lock(run_of(host="build8", pid=1, job=other))


def test_a_job_whose_template_allowed_simultaneous_jobs_keeps_it(lock: Lock) -> None:
    lock(run_of(job=job(41, allow_simultaneous=True)))
    with pytest.raises(support.ModuleFailedError, match="Another run is changing this environment"):
        lock(run_of(host="build8", pid=1, job=job(45)))


def test_a_lock_of_another_version_can_be_read(lock: Lock, aws: Aws, bucket: str) -> None:
    """Members that it does not have or that are unknown here."""
    body = json.dumps({**run_of(), "id": "1", "timeout_seconds": 60, "mood": "good"}).encode()
    aws("s3").put_object(Bucket=bucket, Key=KEY, Body=body)
    with pytest.raises(support.ModuleFailedError, match="ada@build7"):
        lock(run_of(pid=1))


def wait_until_given_back(s3: Any, bucket: str) -> bool:
    """Whether nobody holds the lock, within some seconds."""
    deadline = time.monotonic() + 15
    while run_lock.read(s3, bucket, KEY) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def watchers(directory: Path) -> list[int]:
    """Process ids that are noted."""
    return [int(note.read_text().split()[0]) for note in directory.iterdir()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_run_that_a_signal_ends_gives_it_back(
    lock: Lock, aws: Aws, bucket: str, tmp_path: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert lock(this_run(process.pid, "site.yml"), watcher_directory=str(tmp_path))["held"]
        time.sleep(1.5)
        assert run_lock.read(aws("s3"), bucket, KEY) is not None
        process.send_signal(number)
    assert wait_until_given_back(aws("s3"), bucket)


def test_the_watcher_leaves_a_lock_that_another_run_took(lock: Lock, aws: Aws, bucket: str, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        lock(this_run(process.pid, "site.yml"), watcher_directory=str(tmp_path))
        lock(run_of(), state="absent", force=True)
        lock(run_of())
        [watcher] = watchers(tmp_path)
        start = process_start(watcher)
        process.kill()
    deadline = time.monotonic() + 15
    while is_running(watcher, start) and time.monotonic() < deadline:
        time.sleep(0.1)
    held = run_lock.read(aws("s3"), bucket, KEY)
    assert held and held.holder.host == "build7"


def test_one_process_watches_until_the_lock_is_given_back(lock: Lock, here: dict[str, Any], tmp_path: Path) -> None:
    noted = []
    for _time in range(2):
        lock(here, watcher_directory=str(tmp_path))
        noted += [(pid, process_start(pid)) for pid in watchers(tmp_path)]
    lock(here, check=True, state="absent", watcher_directory=str(tmp_path))
    assert is_running(*noted[1])
    lock(here, state="absent", watcher_directory=str(tmp_path))
    deadline = time.monotonic() + 15
    while any(is_running(*one) for one in noted) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(is_running(*one) for one in noted)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def faults(aws_endpoint: str) -> Iterator[FaultProxy]:
    with fault_proxy(aws_endpoint) as proxy:
        yield proxy


def test_a_lost_reply_does_not_refuse_the_run_itself(lock: Lock, here: dict[str, Any], faults: FaultProxy) -> None:
    """S3 refuses the repeated write, because the first one was done."""
    faults.book.set([Rule("lost", calls=1, each_action=True)])
    assert lock(here, endpoint_url=faults.endpoint)["held"]
    assert ("s3", "PutObject") in faults.book.struck("lost")
    lock(here, endpoint_url=faults.endpoint, state="absent")
    assert ("s3", "DeleteObject") in faults.book.struck("lost")
    assert lock(run_of())["held"]
    assert lock(here, endpoint_url=faults.endpoint, state="absent", force=True)["changed"]


def test_without_its_action_plugin_it_says_so(lock: Lock) -> None:
    with pytest.raises(support.ModuleFailedError, match="action plugin"):
        lock({})


@pytest.mark.parametrize("check", [True, False])
def test_info_says_who_holds_it(lock: Lock, run_module: support.RunModule, bucket: str, check: bool) -> None:
    def held(name: str = bucket) -> Any:
        result = run_module("s3_run_lock_info", {"bucket": name}, check=check)
        assert not result["changed"]
        return result["lock"]

    assert held() == held(f"{bucket}-nowhere") == {}
    taken = lock(run_of())["lock"]
    assert held() == taken
    lock(run_of(), state="absent")
    assert held() == {}
