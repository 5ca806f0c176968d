# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The structure of a DAG, parsed from Airflow's serialized form: dependencies and queues of its tasks.

Pure functions. Tasks that need no worker (``EmptyOperator``) are left out; their children depend on their parents.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# Under these rules a task starts at the latest when all its parents have succeeded.
RULES_MET_BY_SUCCESS = frozenset(
    {
        "all_success",
        "all_done",
        "all_done_min_one_success",
        "all_done_setup_success",
        "none_failed",
        "none_failed_min_one_success",
        "none_skipped",
        "one_done",
        "one_success",
    }
)
# Options that make a task wait for earlier runs, or start it on the triggerer.
HINDRANCES = ("depends_on_past", "wait_for_downstream", "start_from_trigger")


class StructureError(Exception):
    """The serialized DAG does not have the format of Airflow 3; the message is one line."""


@dataclass(frozen=True)
class TaskShape:
    """One task of a DAG.

    ``queue`` is None for the default queue. ``width`` is the number of its instances in a run, None if it is known only
    at run time (mapped over a result). ``foreseeable`` is false if success of all ``parents`` may not start it.
    """

    queue: str | None
    parents: frozenset[str]
    width: int | None
    foreseeable: bool


@dataclass(frozen=True)
class DagStructure:
    """Tasks by id, parents first, without those that need no worker, and the limit of active tasks per run."""

    tasks: Mapping[str, TaskShape]
    max_active_tasks: int | None


def decode(data: Any, compressed: Any) -> Mapping[str, Any]:
    """The serialized DAG of one row: JSON (parsed by the driver or not) or zlib-compressed; raises StructureError."""
    try:
        if compressed:
            data = zlib.decompress(bytes(compressed))
        value = json.loads(data) if isinstance(data, str | bytes | bytearray) else data
    except (ValueError, zlib.error) as error:
        raise StructureError(f"could not be decoded: {error}") from error
    if not isinstance(value, Mapping):
        raise StructureError("is not a JSON object")
    return value


def parse(data: Mapping[str, Any]) -> DagStructure:
    """The structure of one serialized DAG; raises StructureError."""
    try:
        tasks = {str(task["task_id"]): task for task in (entry["__var"] for entry in data["dag"]["tasks"])}
        limit = data["dag"].get("max_active_tasks")
        # Present if the DAG processor's default queue differs from Airflow's own default.
        queue = (data.get("client_defaults") or {}).get("tasks", {}).get("queue")
        return DagStructure(_shapes(tasks, queue), int(limit) if limit is not None else None)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StructureError(f"has an unknown format: {type(error).__name__} {error}") from error


def _shapes(tasks: Mapping[str, Mapping[str, Any]], queue: str | None) -> dict[str, TaskShape]:
    parents: dict[str, set[str]] = {task_id: set() for task_id in tasks}
    for task_id, task in tasks.items():
        for child in task.get("downstream_task_ids", ()):
            parents[child].add(task_id)

    shapes: dict[str, TaskShape] = {}
    for task_id in _in_order(parents):
        task = tasks[task_id]
        foreseeable = _starts_on_success(task)
        waits_for: set[str] = set()
        for parent in parents[task_id]:
            empty = bool(tasks[parent].get("_is_empty"))
            waits_for |= shapes[parent].parents if empty else {parent}
            # A branch or a short circuit may skip its children.
            foreseeable &= shapes[parent].foreseeable if empty else not tasks[parent].get("_can_skip_downstream")
        shapes[task_id] = TaskShape(_option(task, "queue") or queue, frozenset(waits_for), _width(task), foreseeable)
    return {task_id: shape for task_id, shape in shapes.items() if not tasks[task_id].get("_is_empty")}


def _in_order(parents: Mapping[str, Iterable[str]]) -> list[str]:
    """Task ids, parents before children; raises ValueError for a cycle, which Airflow does not allow."""
    waiting = {task_id: set(ids) for task_id, ids in parents.items()}
    children: dict[str, list[str]] = {}
    for task_id, ids in parents.items():
        for parent in ids:
            children.setdefault(parent, []).append(task_id)
    order = [task_id for task_id, ids in waiting.items() if not ids]
    for task_id in order:
        for child in children.get(task_id, ()):
            waiting[child].discard(task_id)
            if not waiting[child]:
                order.append(child)
    if len(order) != len(waiting):
        raise ValueError("the tasks form a cycle")
    return order


def _option(task: Mapping[str, Any], name: str) -> Any:
    """An option of an operator; a mapped operator has it in ``partial_kwargs``."""
    return task.get(name, (task.get("partial_kwargs") or {}).get(name))


def _starts_on_success(task: Mapping[str, Any]) -> bool:
    rule = _option(task, "trigger_rule")
    # Some versions of the format wrap enumerations.
    rule = rule.get("__var") if isinstance(rule, Mapping) else rule
    return (rule or "all_success") in RULES_MET_BY_SUCCESS and not any(_option(task, name) for name in HINDRANCES)


def _width(task: Mapping[str, Any]) -> int | None:
    if not task.get("_is_mapped"):
        # A task in a mapped task group is expanded as well; only the run tells how often.
        return None if task.get("_needs_expansion") else 1
    found = task.get(task.get("_expand_input_attr") or "expand_input") or {}
    if not isinstance(found, Mapping):
        return None
    lists = found.get("value")
    if isinstance(lists, Mapping) and lists.get("__type") == "dict":
        lists = lists.get("__var")
    if not isinstance(lists, Mapping) or not lists:
        return None
    width = 1
    for values in lists.values():
        if not isinstance(values, list):
            return None
        width *= len(values)
    return width
