# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What moto does otherwise than AWS, and how a run shows it: the only differences that are taken."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import Change, leaves

MOTO = "https://github.com/getmoto/moto/blob/5.2.5/moto/"


@dataclass(frozen=True)
class Gap:
    """``sign`` is a regular expression of the line of a difference (rung, task, resource, attribute).

    ``options`` names the set of options of which a run shows it; every one does when it is empty.
    """

    sign: str
    lacks: str
    source: str
    options: str = ""

    def belongs_to(self, options: str) -> bool:
        """Whether a run with these options shows it."""
        return self.options in ("", options)

    def explains(self, line: str) -> bool:
        """Whether this is why the line is there."""
        return re.search(self.sign, line) is not None


SERVICE = (
    "availability_zone_rebalancing|capacity_provider_strategy|deployment_configuration|enable_ecs_managed_tags|"
    "enable_execute_command|"
    "health_check_grace_period_seconds|service_connect_configuration"
)
GAPS = (
    Gap(
        r"Start the database: (database_insights_mode|performance_insights|performance_insights_retention_period): ",
        "drops the members of Database Insights and Performance Insights of CreateDBInstance",
        f"{MOTO}rds/models.py#L1144",
    ),
    Gap(
        r"again: .*Create the queues > [\w-]+-dead-letter: redrive_allow_policy\.\w+: None became ",
        "knows no RedriveAllowPolicy of a queue",
        f"{MOTO}sqs/models.py#L214-L229",
    ),
    Gap(
        rf"again: .*Run the services? > [\w-]+: ({SERVICE})\S*: None became ",
        "drops most members of CreateService",
        f"{MOTO}ecs/responses.py#L288-L318",
    ),
    Gap(
        r"again: .*Run the services > [\w-]+: force_new_deployment: None became true",
        "drops the strategy of CreateService, a change of which needs a new deployment",
        f"{MOTO}ecs/responses.py#L288-L318",
    ),
    Gap(
        r"again: .*Create the topic, .*: signature_version: \"1\" became \"2\"",
        "does not tell the SignatureVersion of a topic",
        f"{MOTO}sns/responses.py#L152-L162",
    ),
    Gap(
        r"again: .*load_balancer : Certificate: chain: \[\"FINGERPRINT\"\] became \[\]",
        "gives a chain of its own to an imported certificate without one",
        f"{MOTO}acm/models.py#L142-L145",
        options="others",
    ),
)


def of_repetition(changes: Iterable[Change]) -> list[str]:
    """What a run that should change nothing changed: a line for each attribute, or one for a change without any."""
    lines = []
    for change in changes:
        before, after = dict(leaves(change.before)), dict(leaves(change.after))
        paths = [path for path in sorted(before.keys() | after.keys()) if before.get(path) != after.get(path)]
        lines += [f"{change.name()}: {path}: {before.get(path)} became {after.get(path)}" for path in paths]
        lines += [] if paths else [f"{change.name()}: changed"]
    return lines


def unexplained(lines: Iterable[str], gaps: Iterable[Gap]) -> list[str]:
    """The lines for which no gap is a reason."""
    known = list(gaps)
    return [line for line in lines if not any(gap.explains(line) for gap in known)]


def closed(options: str, lines: Iterable[str], gaps: Iterable[Gap]) -> list[Gap]:
    """The gaps that no line of a run with these options shows any more."""
    seen = list(lines)
    return [gap for gap in gaps if gap.belongs_to(options) and not any(gap.explains(line) for line in seen)]
