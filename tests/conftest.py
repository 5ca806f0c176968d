# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How `make test` shares the tests among its processes.

Tests that build on one thing (a deployed stack, a local AWS of all scenarios, a container engine) are a chain: they
stay in one process, in the order in which they stand. Their files say so in one line, such as
`pytestmark = pytest.mark.chain("stack")` or `pytestmark = pytest.mark.engine`. It is read as text here, because the
process that shares out the tests does not import them.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import cache

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

LINTERS = "tests/checks/test_lint.py"
# How much other tests give way to those on the deployed stack (nice): to its containers, and to what drives them.
NICENESS = 10
MARK = re.compile(r"^pytestmark = pytest\.mark\.(?:(engine)|chain\(\"(\w+)\"\))$", re.MULTILINE)


@cache
def chain_of(file: str) -> str | None:
    """The name of the chain that a file of tests belongs to; those with an engine are one chain."""
    found = MARK.search((PROJECT / file).read_text(encoding="utf-8"))
    return (found[1] or found[2]) if found else None


class Chains(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out whole chains; of the linters one at a time, and of other tests one file at a time."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        return nodeid if file == LINTERS else chain_of(file) or file


def pytest_configure(config: pytest.Config) -> None:
    """The marks that this file reads."""
    config.addinivalue_line("markers", "chain(name): stays with the others of its name, in one process and in order")
    config.addinivalue_line("markers", "engine: needs a container engine; SM2A_ENGINE_SOCKET=unix:///... gives one")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with containers come last: by then the deployed stack has made the images that they use.

    The process that is through with the last of them ends their container engine, so one process has them all.
    """
    for item in items:
        file = item.nodeid.split("::", maxsplit=1)[0]
        marked = [mark for name in ("chain", "engine") for mark in item.iter_markers(name)]
        if marked and chain_of(file) is None:
            raise pytest.UsageError(f"{file}: write its mark as one line, pytestmark = pytest.mark.{marked[0].name}...")
    items.sort(key=lambda item: item.get_closest_marker("engine") is not None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """The deployed stack has the processors first: nothing takes longer, and the others use what it leaves idle."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        stack = chain_of(item.nodeid.split("::", maxsplit=1)[0]) == "stack"
        # Only root may become less nice again.
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, 0 if stack else NICENESS)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Chains:
    """Used in place of xdist's own ones, whatever --dist says."""
    return Chains(config, log)
