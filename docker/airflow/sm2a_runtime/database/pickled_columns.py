# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Columns that Airflow keeps as pickles (`executor_config`), read without running code.

Who runs DAG authors' code may write such rows, and the scheduler and the web servers read them. After
``read_plain_values`` no column of any table is unpickled into more than plain values, whatever a later version of
Airflow keeps as pickles.
"""

import io
import logging
import pickle
from collections.abc import Callable
from copy import copy
from typing import Any

from sqlalchemy import PickleType

log = logging.getLogger(__name__)


class PlainValues(pickle.Unpickler):
    """Makes what pickles can say without naming a class or function: text, numbers, lists, dictionaries and so on."""

    def find_class(self, module: str, name: str) -> Any:
        """Called for whatever is more."""
        raise pickle.UnpicklingError(f"it names {module}.{name}")


class PlainPickles:
    """What a column asks of `pickle`."""

    dumps = staticmethod(pickle.dumps)

    @staticmethod
    def loads(data: bytes) -> Any:
        """The value; None for one that is more than plain. Never raises: other rows of the same query are well."""
        try:
            return PlainValues(io.BytesIO(data)).load()
        except Exception as error:
            log.warning("a pickled value in the database is ignored: %s", " ".join(str(error).split())[:200])
            return None


def read_plain_values() -> None:
    """Let the columns of every model be read so."""
    # SQLAlchemy gives this method no types.
    read: Callable[[PickleType, Any, Any], Any] = PickleType.result_processor

    def result_processor(self: PickleType, dialect: Any, coltype: Any) -> Any:
        column = copy(self)
        column.pickler = PlainPickles
        return read(column, dialect, coltype)

    PickleType.result_processor = result_processor  # type: ignore[method-assign]
