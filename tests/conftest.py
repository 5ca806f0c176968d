"""How `make test` shares the tests among its two processes."""

from __future__ import annotations

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Tests that build on one thing each, in the order in which they stand: a deployed stack, a local AWS of all scenarios,
# another behind a fault proxy, an audited environment.
CHAINS = {
    "tests/integration/test_end_to_end.py": "stack",
    "tests/integration/test_failures.py": "stack",
    "tests/integration/test_front_door.py": "stack",
    "tests/integration/test_git.py": "stack",
    "tests/integration/test_hostile_results.py": "stack",
    "tests/integration/test_monitoring.py": "stack",
    "tests/integration/test_removal.py": "stack",
    "tests/checks/test_molecule.py": "molecule",
    **{
        f"tests/faults/test_{name}.py": "faults"
        for name in ("interruptions", "lost_replies", "overload", "refusals", "two_runs")
    },
    **{f"tests/audit/test_{name}.py": "audit" for name in ("access_policies", "audit")},
}


# The process that is through with these ends their container engine: one process must have them all.
NEEDS_ENGINE = re.compile(r"tests/unit/local_aws/(.+/)?test_engine_\w+\.py")


def chain_of(file: str) -> str | None:
    """The name of the chain that a file of tests belongs to."""
    return "engine" if NEEDS_ENGINE.fullmatch(file) else CHAINS.get(file)


class Chains(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out whole chains; of the linters one at a time, and of the unit tests one file at a time."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", maxsplit=1)[0]
        return nodeid if file == "tests/checks/test_lint.py" else chain_of(file) or file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with containers come last: by then the deployed stack has made the images that they use."""
    for item in items:
        if item.get_closest_marker("engine") and chain_of(item.nodeid.split("::")[0]) is None:
            raise pytest.UsageError(f"{item.nodeid} needs an engine: name its file test_engine_*.py")
    items.sort(key=lambda item: item.get_closest_marker("engine") is not None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Chains:
    """Used in place of xdist's own ones, whatever --dist says."""
    return Chains(config, log)
