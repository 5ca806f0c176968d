# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The metrics sidecar: what Airflow's StatsD client sends becomes lines of the embedded metric format."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from sm2a_runtime.metrics import sidecar as metrics
from sm2a_runtime.metrics.series import NAMES_LIMIT, Collector
from sm2a_runtime.metrics.statsd import Kind, MalformedError, Sample, parse, parse_line

RUNTIME = Path(metrics.__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        ("airflow.scheduler_heartbeat:1|c", Sample("airflow.scheduler_heartbeat", Kind.COUNTER, 1)),
        ("a:2|c|@0.1", Sample("a", Kind.COUNTER, 20)),
        ("a:-1|c", Sample("a", Kind.COUNTER, -1)),
        ("a:7.5|g", Sample("a", Kind.GAUGE, 7.5)),
        ("a:-3|g", Sample("a", Kind.GAUGE, -3, relative=True)),
        ("a:+3|g", Sample("a", Kind.GAUGE, 3, relative=True)),
        ("a:12.25|ms", Sample("a", Kind.TIMER, 12.25)),
        ("a,dag_id=x.y,task_id=z:1|c", Sample("a", Kind.COUNTER, 1, {"dag_id": "x.y", "task_id": "z"})),
    ],
)
def test_a_line_is_a_sample(line: str, sample: Sample) -> None:
    assert parse_line(line) == sample


@pytest.mark.parametrize(
    "line", ["", "a", "a:1", "a|c", ":1|c", "a:x|c", "a:1|x", "a:nan|g", "a:1|c|@0", "a:1|c|@2", "a,b:1|c", ",b=c:1|c"]
)
def test_what_is_no_sample_is_refused(line: str) -> None:
    with pytest.raises(MalformedError):
        parse_line(line)


def test_a_datagram_has_several_lines_and_a_bad_one_spoils_no_other() -> None:
    good, bad, other = parse(b"a:1|c\n\xff\xfe\n\nb:2|g")
    assert isinstance(bad, MalformedError)
    assert (good, other) == (Sample("a", Kind.COUNTER, 1), Sample("b", Kind.GAUGE, 2))


def collector(limit: int = 10) -> Collector:
    return Collector("production", "scheduler", ["dag_id", "pool_name"], limit)


def events(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_a_minute_of_counts_levels_and_timings() -> None:
    minute = collector()
    for line in ("airflow.a:1|c", "airflow.a:2|c", "g:5|g", "g:+2|g", "g:-1|g", "t:10|ms", "t:20|ms"):
        minute.add(parse_line(line))
    (event,) = events(minute.flush(1_700_000_000.5))
    directive = event.pop("_aws")["CloudWatchMetrics"][0]
    assert event == {"Environment": "production", "Component": "scheduler", "a": 3, "g": 6, "t": [10, 20]}
    assert directive["Namespace"] == "SM2A/Airflow"
    assert directive["Dimensions"] == [["Environment"]]
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {"a": "Count", "g": "None", "t": "Milliseconds"}
    assert minute.flush(1_700_000_060) == [], "what nobody says any more is missing, so that an alarm can see it"
    minute.add(parse_line("g:+1|g"))
    assert events(minute.flush(1_700_000_120))[0]["g"] == 7, "a relative gauge starts where it was"


def test_tags_that_are_dimensions_make_a_set_of_their_own_beside_the_whole() -> None:
    minute = collector()
    for line in ("ti,dag_id=x,task_id=1:1|c", "ti,dag_id=x,task_id=2:1|c", "ti,dag_id=y:1|c"):
        minute.add(parse_line(line))
    x, y = events(minute.flush(0))
    assert (x["dag_id"], x["ti"]) == ("x", 2)
    assert (y["dag_id"], y["ti"]) == ("y", 1)
    assert x["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Environment"], ["Environment", "dag_id"]]


def test_the_number_of_combinations_is_bounded() -> None:
    minute = collector(limit=2)
    for number in range(50):
        minute.add(parse_line(f"ti,dag_id=dag{number}:1|c"))
    found = {event["dag_id"]: event["ti"] for event in events(minute.flush(0))}
    assert found == {"dag0": 1, "dag1": 1, "other": 48}
    minute.add(parse_line("ti,dag_id=dag0:1|c"))
    minute.add(parse_line("ti,dag_id=dag49:1|c"))
    assert [event["dag_id"] for event in events(minute.flush(60))] == ["dag0", "other"], "the known ones stay known"


def test_the_number_of_names_is_bounded() -> None:
    minute = collector()
    for number in range(NAMES_LIMIT + 3):
        minute.add(parse_line(f"name{number}:1|c"))
    lines = minute.flush(0)
    assert sum(len(event["_aws"]["CloudWatchMetrics"][0]["Metrics"]) for event in events(lines)) == NAMES_LIMIT
    assert len(lines) == NAMES_LIMIT / 100, "an event holds a hundred metrics"
    assert minute.ignored == 3


def test_more_timings_than_an_event_holds_are_several_events_and_bounded() -> None:
    minute = collector()
    for number in range(5000):
        minute.add(parse_line(f"t:{number}|ms"))
    lengths = [len(event["t"]) for event in events(minute.flush(0))]
    assert lengths == [100] * 10


def settings(tmp_path: Path, **more: str) -> metrics.Settings:
    environment = {
        "SM2A_METRICS_ENVIRONMENT": "production",
        "SM2A_METRICS_COMPONENT": "worker",
        "SM2A_METRICS_PORT": str(free_port()),
        "SM2A_METRICS_ALIVE_FILE": str(tmp_path / "alive"),
    }
    return metrics.load({**environment, **more})


def send(port: int, *lines: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for line in lines:
            client.sendto(line.encode(), ("127.0.0.1", port))


def wait(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_writes_what_it_received_every_period_and_at_its_end(tmp_path: Path) -> None:
    output = io.StringIO()
    chosen = settings(tmp_path, SM2A_METRICS_SECONDS="0.2")
    sidecar = metrics.Sidecar(chosen, output)
    thread = threading.Thread(target=sidecar.run)
    thread.start()
    try:
        wait(chosen.alive.exists)
        send(chosen.port, "airflow.ti_successes,dag_id=smoke:1|c", "rubbish")
        wait(lambda: "rubbish" in output.getvalue())
        send(chosen.port, "airflow.last_words:1|c")
    finally:
        sidecar.stop()
        thread.join(timeout=10)
    lines = output.getvalue().splitlines()
    assert any('"ti_successes":1.0' in line and '"dag_id":"smoke"' in line for line in lines)
    assert "1 lines were not understood, the first one: no sample: rubbish" in lines
    assert '"last_words":1.0' in lines[-1]


def test_the_process_ends_on_sigterm_and_the_health_check_sees_it_serve(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    environment = {
        **os.environ,
        "PYTHONPATH": str(RUNTIME),
        "SM2A_METRICS_ENVIRONMENT": "production",
        "SM2A_METRICS_COMPONENT": "worker",
        "SM2A_METRICS_PORT": str(chosen.port),
        "SM2A_METRICS_ALIVE_FILE": str(chosen.alive),
    }
    assert metrics.check({"SM2A_METRICS_ALIVE_FILE": str(chosen.alive)}) == 1
    command = [sys.executable, "-m", "sm2a_runtime.metrics.sidecar", "serve"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        wait(chosen.alive.exists)
        assert metrics.check({"SM2A_METRICS_ALIVE_FILE": str(chosen.alive)}) == 0
        send(chosen.port, "airflow.ti_failures:1|c")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert json.loads(output)["ti_failures"] == 1
    os.utime(chosen.alive, (0, 0))
    assert metrics.check({"SM2A_METRICS_ALIVE_FILE": str(chosen.alive)}) == 1


def test_an_unusable_environment_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SM2A_METRICS_ENVIRONMENT", raising=False)
    assert metrics.main(["serve"]) == 2
    assert "SM2A_METRICS_ENVIRONMENT" in capsys.readouterr().err
