# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Modules that stand in for Airflow's, which the tools environment lacks."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest


@contextmanager
def with_modules(contents: Mapping[str, Mapping[str, Any]], module: str) -> Iterator[Any]:
    """``module``, newly loaded, with these modules and what is in them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, content in contents.items():
            stand_in = ModuleType(name)
            vars(stand_in).update(content)
            patch.setitem(sys.modules, name, stand_in)
        sys.modules.pop(module, None)
        yield importlib.import_module(module)
        sys.modules.pop(module, None)
