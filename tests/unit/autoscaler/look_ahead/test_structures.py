# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The shape of a DAG that Airflow 3.3.2 serialized itself, and data that is none."""

from __future__ import annotations

import copy
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from sm2a_autoscaler.look_ahead.structures import DagStructure, StructureError, TaskShape, decode, parse

SERIALIZED = (Path(__file__).parent / "serialized_dag.json").read_text()


def serialized(*tasks: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A serialized DAG with these tasks."""
    return {"dag": {"tasks": [{"__type": "operator", "__var": task} for task in tasks], **options}}


def shapes(*tasks: dict[str, Any]) -> dict[str, TaskShape]:
    """Their shapes by id."""
    return dict(parse(serialized(*tasks)).tasks)


@pytest.fixture(scope="module")
def dag() -> DagStructure:
    """One with every kind of task that matters."""
    return parse(decode(SERIALIZED, None))


def test_empty_tasks_are_passed_through(dag: DagStructure) -> None:
    assert not {"start", "gate"} & set(dag.tasks)
    assert dag.tasks["pull"].parents == frozenset()
    assert dag.tasks["listing"].parents == {"pull", "load"}


def test_parents_come_first(dag: DagStructure) -> None:
    seen: set[str] = set()
    for task_id, shape in dag.tasks.items():
        assert shape.parents <= seen
        seen.add(task_id)


def test_queues_are_those_of_the_tasks_also_of_mapped_ones(dag: DagStructure) -> None:
    assert {task_id for task_id, shape in dag.tasks.items() if shape.queue == "large"} == {"pull", "mapped_xcom"}
    assert {shape.queue for shape in dag.tasks.values()} == {"large", None}


def test_the_queue_that_the_dag_processor_was_configured_with_is_the_default() -> None:
    data = serialized({"task_id": "a"}, {"task_id": "b", "queue": "own"}) | {
        "client_defaults": {"tasks": {"queue": "first"}}
    }
    assert {task_id: shape.queue for task_id, shape in parse(data).tasks.items()} == {"a": "first", "b": "own"}


def test_widths_are_known_for_literals_only(dag: DagStructure) -> None:
    widths = {task_id: shape.width for task_id, shape in dag.tasks.items()}
    assert (widths["load"], widths["mapped_literal"], widths["mapped_xcom"], widths["part.a"]) == (1, 4, None, None)


def test_what_success_of_the_parents_need_not_start_is_not_foreseeable(dag: DagStructure) -> None:
    # Children of a branch and of a short circuit, one for failures, one that waits for the run before.
    hidden = {task_id for task_id, shape in dag.tasks.items() if not shape.foreseeable}
    assert hidden == {"left", "right", "after", "alarm", "work"}


def test_a_branch_is_seen_through_an_empty_task() -> None:
    found = shapes(
        {"task_id": "branch", "_can_skip_downstream": True, "downstream_task_ids": ["middle"]},
        {"task_id": "middle", "_is_empty": True, "downstream_task_ids": ["last"]},
        {"task_id": "last"},
    )
    assert found["last"] == TaskShape(None, frozenset({"branch"}), 1, foreseeable=False)


def test_a_wrapped_trigger_rule_is_read() -> None:
    rule = {"__type": "trigger_rule", "__var": "all_failed"}
    assert not shapes({"task_id": "a", "trigger_rule": rule})["a"].foreseeable


@pytest.mark.parametrize(
    ("expand", "width"),
    [
        ({"type": "dict-of-lists", "value": {"a": [1, 2, 3], "b": [1, 2]}}, 6),
        ({"type": "dict-of-lists", "value": {"a": [], "b": [1, 2]}}, 0),
        ({"type": "dict-of-lists", "value": {}}, None),
        ({"type": "list-of-dicts", "value": {"__type": "xcomref"}}, None),
        ("unknown", None),
        (None, None),
    ],
)
def test_widths_multiply(expand: Any, width: int | None) -> None:
    assert shapes({"task_id": "a", "_is_mapped": True, "expand_input": expand})["a"].width == width


def test_the_limit_of_a_run_is_read(dag: DagStructure) -> None:
    assert (dag.max_active_tasks, parse(serialized({"task_id": "a"})).max_active_tasks) == (20, None)


@pytest.mark.parametrize("packed", [False, True])
def test_data_is_read_as_either_driver_gives_it(packed: bool) -> None:
    value = json.loads(SERIALIZED)
    if packed:
        assert decode(None, memoryview(zlib.compress(SERIALIZED.encode()))) == value
    else:
        assert decode(SERIALIZED, None) == decode(copy.deepcopy(value), None) == value


@pytest.mark.parametrize(
    ("data", "compressed"), [(None, None), ("{", None), ("[1]", None), (None, b"no zlib"), (b"\xff\xfe", None)]
)
def test_data_that_is_no_object_is_refused(data: Any, compressed: Any) -> None:
    with pytest.raises(StructureError, match=r"^(is not a JSON object|could not be decoded: )"):
        decode(data, compressed)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"dag": None},
        {"dag": {"tasks": None}},
        {"dag": {"tasks": [{"task_id": "a"}]}},
        {"dag": {"tasks": [{"__var": "text"}]}},
        serialized({"task_id": "a", "downstream_task_ids": ["nowhere"]}),
        serialized({"task_id": "a", "downstream_task_ids": ["a"]}),
        serialized({"task_id": "a"}, max_active_tasks="many"),
    ],
)
def test_an_unknown_form_is_refused_in_one_line(data: dict[str, Any]) -> None:
    with pytest.raises(StructureError, match="has an unknown format") as raised:
        parse(data)
    assert "\n" not in str(raised.value)
