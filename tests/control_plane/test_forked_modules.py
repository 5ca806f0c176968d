# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every module says the same about wrong arguments and predicts the same, forked and in a Python of its own."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.plugins.two_ways import Ways, play_both_ways

MODULES = sorted(
    {path.stem for path in (PROJECT / "plugins/modules").glob("*.py")}
    - {"validate_variables", "role_inputs", "run_summary"}
)
GROUPS = yaml.safe_load((PROJECT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
SECRET = "never-to-be-seen"


def plain(value: Any) -> Any:
    """An argument of an example without templates."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return "placeholder" if isinstance(value, str) and "{{" in value else value


def example(module: str) -> dict[str, Any]:
    """Arguments of the first example of a module's documentation."""
    name = f"ansible_collections.sm2a.airflow.plugins.modules.{module}"
    tasks = yaml.safe_load(importlib.import_module(name).EXAMPLES)
    arguments = next(task[f"sm2a.airflow.{module}"] for task in tasks if f"sm2a.airflow.{module}" in task)
    return dict(plain(arguments or {}))


def tasks() -> list[dict[str, Any]]:
    """For each module, what it predicts for its example, and what it says of an option that it does not have.

    One is named in full, the other found in ``collections``.
    """
    predictions = [
        {"name": f"{name} predicts", f"sm2a.airflow.{name}": example(name), "check_mode": True, "diff": True}
        for name in MODULES
    ]
    return predictions + [{"name": f"{name} refuses", name: {"no_such_option": 1}} for name in MODULES]


@pytest.fixture(scope="module")
def ways(control_plane: runs.ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Ways:
    """One play of all of them on an empty account."""
    account = {
        "region": runs.REGION,
        "endpoint_url": control_plane.endpoint,
        "access_key": runs.ACCESS_KEY,
        "secret_key": SECRET,
    }
    keywords = {"module_defaults": {"group/sm2a.airflow.aws": account}, "collections": ["sm2a.airflow"]}
    directory: Path = tmp_path_factory.mktemp("ways")
    return play_both_ways(directory, tasks(), keywords, "-vvv", environment={})


@pytest.mark.parametrize("what", ["predicts", "refuses"])
@pytest.mark.parametrize("module", MODULES)
def test_module_returns_the_same(ways: Ways, module: str, what: str) -> None:
    (status, result), own = ways.both(f"{module} {what}")
    assert [status, result] == list(own)
    assert SECRET not in str(result)
    if what == "refuses":
        assert status == "failed"
        assert any(word in result["msg"] for word in ("no_such_option", "required", "missing"))


@pytest.mark.parametrize("module", MODULES)
def test_module_is_forked_and_has_the_defaults_of_its_group(ways: Ways, module: str) -> None:
    assert f"FORK ansible_collections.sm2a.airflow.plugins.modules.{module}\n" in ways.output
    arguments = ways.both(f"{module} refuses")[0][1]["invocation"]["module_args"]
    assert arguments.get("region") == (runs.REGION if module in GROUPS["aws"] else None)
    assert arguments.get("secret_key") in ("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", None)


def test_most_examples_get_to_a_prediction(ways: Ways) -> None:
    failed = [name for name in MODULES if ways.both(f"{name} predicts")[0][0] == "failed"]
    assert len(failed) < len(MODULES) / 2, failed
