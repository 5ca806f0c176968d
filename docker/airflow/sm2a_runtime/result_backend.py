# Copyright: SM2A contributors
# Apache License 2.0
"""Celery's results in a database, as JSON: what a worker wrote there is data to whoever reads it, never code.

Celery's own database backend keeps results as pickles, which run code when they are loaded, in the tables that workers
write and the scheduler reads; and it makes exceptions of any class that a row names. This one uses the same tables and
column types, so that it reads and writes beside the other one while an environment is upgraded.
"""

import logging
from functools import lru_cache
from typing import Any

from celery import states
from celery.backends.database import DatabaseBackend
from celery.backends.database.session import SessionManager
from celery.result import result_from_tuple

from sm2a_runtime.result_tables import Task, TaskSet, Unreadable

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

    def meta_from_decoded(self, meta: dict[str, Any]) -> dict[str, Any]:
        """What a row says, as the scheduler reads one of a task after the other: a bad one must not end that."""
        result = meta["result"]
        if isinstance(result, Unreadable):
            warn_once(meta["task_id"], meta["status"], result.reason)
            if meta["status"] not in self.EXCEPTION_STATES:
                meta["result"] = None
        read: dict[str, Any] = super().meta_from_decoded(meta)
        return read

    def exception_to_python(self, exc: Any) -> BaseException | None:
        """One class for every failure."""
        if exc is None or isinstance(exc, BaseException):
            return exc
        return TaskError(failure_text(exc))

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


def failure_text(stored: Any) -> str:
    """In words, what a worker stored of an exception: Celery keeps its class by name, and the texts of its arguments."""
    if isinstance(stored, Unreadable):
        return f"the task failed, and its stored result is ignored: {stored.reason}"
    if not isinstance(stored, dict):
        return "the task failed, and its stored result does not say how"
    message = stored.get("exc_message")
    parts = message if isinstance(message, list) else [message]
    text = ", ".join(str(part) for part in parts if isinstance(part, str | int | float))
    words = f"{stored.get('exc_type')!s:.200}: {text}"[:MESSAGE_CHARACTERS]
    return words.encode(errors="replace").decode()
