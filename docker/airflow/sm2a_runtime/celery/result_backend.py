# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Celery's results in a database, as JSON: readers treat what a worker wrote as data, never as code.

Celery's own database backend keeps results as pickles, which run code when they are loaded, in the tables that workers
write and the scheduler reads; and it makes exceptions of any class that a row names. This one uses the same tables and
column types, so that both may work side by side while an environment is upgraded, or goes back.
"""

import logging
from functools import lru_cache
from typing import Any

from celery import states
from celery.backends.database import DatabaseBackend
from celery.backends.database.session import SessionManager
from celery.result import result_from_tuple

from sm2a_runtime.celery.result_tables import Task, TaskSet, Unreadable

log = logging.getLogger(__name__)

MESSAGE_CHARACTERS = 2000


class TaskError(Exception):
    """How a task failed, in words. Whatever its exception was where it ran: it is not made again here."""


class PreparedTables(SessionManager):  # type: ignore[misc]  # celery has no types
    """Sessions of tables that the migration has made: neither scheduler nor workers may create any."""

    def prepare_models(self, engine: Any) -> None:
        """Called before the first session."""


class ResultBackend(DatabaseBackend):  # type: ignore[misc]  # celery has no types
    """Celery's database backend without pickles."""

    task_cls = Task
    taskset_cls = TaskSet
    # Celery would take a model of its own for the further columns of `result_extended`.
    extended_result = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.session_manager = PreparedTables()

    def _create_tables(self) -> None:
        """Called when a process starts: the migration has made them."""

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **options: Any
    ) -> Any:
        """Of a failure, what there is to say goes into the column for it."""
        if state in self.EXCEPTION_STATES and not traceback:
            traceback = f"{type(result).__name__}: {result}"
        return super().store_result(task_id, result, state, traceback=traceback, request=request, **options)

    def encode_result(self, result: Any, state: str) -> Any:
        """Only what a task returns is kept.

        So Airflow's rows have nothing in that column, and a scheduler of an earlier release, to which an environment
        may go back, can read them: JSON would end it.
        """
        return self.prepare_value(result) if state == states.SUCCESS else None

    def meta_from_decoded(self, meta: dict[str, Any]) -> dict[str, Any]:
        """What a row says, as the scheduler reads one of a task after the other: a bad one must not end that."""
        result, words = meta["result"], failure_text(meta["traceback"])
        if isinstance(result, Unreadable):
            warn_once(meta["task_id"], meta["status"], result.reason)
            words = f"{words} (the stored result is ignored: {result.reason})"
            result = None
        failed = meta["status"] in self.EXCEPTION_STATES
        return meta | {"result": TaskError(words) if failed else result}

    def exception_to_python(self, exc: Any) -> BaseException:
        """Celery would make an exception of any class that a row names."""
        return TaskError("the task failed")

    def _save_group(self, group_id: str, result: Any) -> Any:
        super()._save_group(group_id, result.as_tuple())
        return result

    def _restore_group(self, group_id: str) -> dict[str, Any] | None:
        meta: dict[str, Any] | None = super()._restore_group(group_id)
        if meta is None:
            return None
        try:
            return meta | {"result": result_from_tuple(meta["result"], app=self.app)}
        except Exception as error:
            reason = meta["result"].reason if isinstance(meta["result"], Unreadable) else f"no group: {error!r}"
            warn_once(group_id, states.PENDING, reason)
            return None


@lru_cache(maxsize=10_000)
def warn_once(task_id: str | None, status: str | None, reason: str) -> None:
    """The scheduler reads a row every second or so, until its task has ended."""
    log.warning("Stored result of task %r (%r) is ignored: %s", task_id, status, reason)


def failure_text(traceback: str | None) -> str:
    """The last line of a traceback, which says what happened."""
    words = (traceback or "").strip().rpartition("\n")[2][-MESSAGE_CHARACTERS:] or "the task failed"
    return words.encode(errors="replace").decode()
