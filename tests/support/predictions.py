# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs of a playbook in check mode beside the real ones after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.control_plane import NAME, ControlPlane, PlaybookRun
from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import Change, differences, of_result


@dataclass
class Comparison:
    """A run in check mode and the real one after it."""

    check: PlaybookRun
    real: PlaybookRun
    predicted: list[Change] = field(init=False)
    done: list[Change] = field(init=False)

    def __post_init__(self) -> None:
        self.predicted, self.done = changes(self.check), changes(self.real)

    def differences(self) -> list[str]:
        """Every way in which the run differs from its prediction, one line each."""
        return differences(self.predicted, self.done)


def changes(run: PlaybookRun) -> list[Change]:
    """One for each resource that the run changed."""
    changed = [result for result in run.results if result["status"] == "changed"]
    return [change for result in changed for change in of_result(NAME, result["task"], "", result)]


def play(aws: ControlPlane, playbook: str, extra: dict[str, Any], *options: str) -> PlaybookRun:
    run = aws.play(playbook, *options, extra=extra)
    assert run.code == 0, run.end()
    return run


def compare(aws: ControlPlane, playbook: str, extra: dict[str, Any]) -> Comparison:
    return Comparison(play(aws, playbook, extra, "--check", "--diff"), play(aws, playbook, extra))
