"""How `make test` shares the tests among its processes.

Tests that build on one thing (a deployed stack, a local AWS of all scenarios, a container engine) stay together in one
process, in the order in which they stand: their files say so with `pytest.mark.xdist_group`.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

LINTERS = "tests/checks/test_lint.py"


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out whole groups, other tests a file at a time, and linters one at a time."""

    def _split_scope(self, nodeid: str) -> str:
        test, at, group = nodeid.rpartition("@")
        # xdist adds "@group" to the name of a test; a parameter may hold an "@" as well, and ends with a bracket.
        if at and "]" not in group:
            return group
        file = (test + at + group).split("::", maxsplit=1)[0]
        return nodeid if file == LINTERS else file


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with containers come last: by then the deployed stack has made the images that they use.

    The process that is through with the last of them ends their container engine, so one process has them all.
    """
    for item in items:
        if item.get_closest_marker("engine"):
            item.add_marker(pytest.mark.xdist_group("engine"))
    items.sort(key=lambda item: item.get_closest_marker("engine") is not None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    """Used in place of xdist's own ones; `--dist loadgroup` makes xdist name the groups."""
    return Groups(config, log)
