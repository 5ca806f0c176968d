# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How module tests run a module: in this process, with the arguments and the output that Ansible would see."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ansible.module_utils.testing import patch_module_args

Result = dict[str, Any]
REGION = "eu-west-1"
ACCOUNT = "000000000000"


class RunModule(Protocol):
    """The ``run_module`` fixture: module name without the collection, its arguments, then the mode."""

    def __call__(self, name: str, args: Mapping[str, Any], check: bool = False, diff: bool = True) -> Result: ...


class ModuleFailedError(AssertionError):
    """The module ended in fail_json; ``result`` is its whole output."""

    def __init__(self, name: str, result: Result) -> None:
        super().__init__(f"{name} failed: {result.get('msg')}\n{result.get('exception', '')}")
        self.result = result


def run(name: str, args: Mapping[str, Any], check: bool = False, diff: bool = True) -> Result:
    """Run module ``name`` of this collection and return what it printed; ModuleFailedError when it failed."""
    module = importlib.import_module(f"ansible_collections.sm2a.airflow.plugins.modules.{name}")
    output = io.StringIO()
    with (
        patch_module_args({**args, "_ansible_check_mode": check, "_ansible_diff": diff}),
        contextlib.redirect_stdout(output),
        contextlib.suppress(SystemExit),
    ):
        module.main()
    lines = [line for line in output.getvalue().splitlines() if line.startswith("{")]
    if not lines:
        raise AssertionError(f"{name} returned without exit_json or fail_json: {output.getvalue()!r}")
    result: Result = json.loads(lines[-1])
    if result.get("failed"):
        raise ModuleFailedError(name, result)
    return result


@dataclass(frozen=True)
class Ladder:
    """What each rung returned."""

    predicted: Result
    applied: Result
    repeated: Result
    removal_predicted: Result
    removed: Result
    removed_again: Result


def climb(
    run_module: RunModule,
    name: str,
    present: Mapping[str, Any],
    absent: Mapping[str, Any],
    read_state: Callable[[], Any],
) -> Ladder:
    """Check, apply, check, apply, absent (checked first), absent; assert ``changed`` and the real state at each rung.

    ``read_state`` reads the resource with a client of its own, and returns the same value (None, {}, [])
    before creation and after removal.
    """
    nothing = read_state()
    predicted = run_module(name, present, check=True)
    assert predicted["changed"], "check mode on a missing resource predicts no change"
    assert read_state() == nothing, "check mode changed the resource"
    assert_diff(predicted)

    applied = run_module(name, present)
    made = read_state()
    assert applied["changed"], "creation reports no change"
    assert made != nothing, "creation made nothing"
    assert_diff(applied)

    checked = run_module(name, present, check=True)
    assert not checked["changed"], f"check mode on an unchanged resource: {checked.get('diff')}"
    repeated = run_module(name, present)
    assert not repeated["changed"], f"the second run changed: {repeated.get('diff')}"
    assert read_state() == made, "an unchanged run touched the resource"

    removal_predicted = run_module(name, absent, check=True)
    assert removal_predicted["changed"], "check mode does not predict the removal"
    assert read_state() == made, "check mode removed the resource"
    removed = run_module(name, absent)
    assert removed["changed"], "removal reports no change"
    assert read_state() == nothing, "removal left something"
    assert not run_module(name, absent, check=True)["changed"], "check mode on an absent resource predicts a change"
    removed_again = run_module(name, absent)
    assert not removed_again["changed"], "removing an absent resource reports a change"
    return Ladder(predicted, applied, repeated, removal_predicted, removed, removed_again)


def change_once(run_module: RunModule, name: str, change: Mapping[str, Any], read_state: Callable[[], Any]) -> Result:
    """Check, apply, apply: assert that the change is predicted without being made, made, and then no change any more.

    Returns the result of the change.
    """
    before = read_state()
    predicted = run_module(name, change, check=True)
    assert predicted["changed"], "check mode predicts no change"
    assert read_state() == before, "check mode changed the resource"
    changed = run_module(name, change)
    assert changed["changed"], "the change was not made"
    assert_diff(changed)
    assert changed["diff"] == predicted["diff"], "check mode predicts another change"
    assert not run_module(name, change)["changed"], "the second run changed"
    return changed


def placeholders(run_module: RunModule, name: str, args: Mapping[str, Any], key: str) -> list[Result]:
    """What an info module makes up under ``key`` of what does not exist: in check mode, when asked, and never else."""
    asked = {**args, "placeholders": True}
    assert run_module(name, asked)[key] == [], "a real run returns placeholders"
    assert run_module(name, args, check=True)[key] == [], "nobody asked for placeholders"
    result = run_module(name, asked, check=True)
    assert not result["changed"]
    items: list[Result] = result[key]
    assert items
    assert not any(item["exists"] for item in items)
    return items


def deny_without_tls(action: str, resource: str | list[str]) -> dict[str, Any]:
    """A resource policy that denies calls without TLS."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": action,
                "Resource": resource,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def side(result: Result, which: str) -> dict[str, Any]:
    """What the diff of several resources shows ``before`` or ``after``, by name; absent resources are left out."""
    return {pair["after_header"]: pair[which] for pair in result["diff"] if pair[which]}


def assert_diff(result: Result) -> None:
    """A changed result carries a diff that says what changed."""
    diff = result.get("diff")
    assert diff, "changed without a diff"
    pairs = diff if isinstance(diff, list) else [diff]
    assert any(pair["before"] != pair["after"] for pair in pairs), f"changed with an empty diff: {diff}"
