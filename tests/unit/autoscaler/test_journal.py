# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Log lines are JSON objects, and metric lines keep to CloudWatch's embedded metric format."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sm2a_autoscaler.decision.model import Action
from sm2a_autoscaler.journal import Journal, open_journal

WALL = 1_700_000_000.25


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """Puts the process' log handlers back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Every line, parsed."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_time_and_level(stream: io.StringIO) -> None:
    Journal("sm2a", stream, lambda: WALL).event("tick", action=Action.SCALE_OUT, text="a\nb")
    assert lines(stream) == [
        {"time": "2023-11-14T22:13:20.250Z", "level": "info", "event": "tick", "action": "scale_out", "text": "a\nb"}
    ]


def test_metrics_name_their_dimensions_units_and_values(stream: io.StringIO) -> None:
    Journal("sm2a", stream, lambda: WALL).metrics({"QueuedTasks": (4, "Count")}, WorkerGroup="default")
    (line,) = lines(stream)
    assert line == {
        "_aws": {
            "Timestamp": 1_700_000_000_250,
            "CloudWatchMetrics": [
                {
                    "Namespace": "SM2A/Autoscaler",
                    "Dimensions": [["Environment", "WorkerGroup"]],
                    "Metrics": [{"Name": "QueuedTasks", "Unit": "Count"}],
                }
            ],
        },
        "Environment": "sm2a",
        "WorkerGroup": "default",
        "QueuedTasks": 4,
    }


def test_warnings_of_libraries_become_events(stream: io.StringIO, root_logger: logging.Logger) -> None:
    open_journal("sm2a", lambda: WALL, stream)
    logging.getLogger("urllib3").info("chatter")
    logging.getLogger("urllib3").warning("pool is %s", "full")
    (line,) = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("library", "warning", "urllib3")
    assert line["message"] == "pool is full"


def test_an_exception_that_is_logged_becomes_one_line_with_its_traceback(
    stream: io.StringIO, root_logger: logging.Logger
) -> None:
    open_journal("sm2a", lambda: WALL, stream)
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("sm2a_autoscaler").exception("a defect")
    (line,) = lines(stream)
    assert (line["level"], line["message"]) == ("error", "a defect")
    assert line["traceback"].startswith("Traceback")
    assert line["traceback"].endswith("ValueError: odd\n")
