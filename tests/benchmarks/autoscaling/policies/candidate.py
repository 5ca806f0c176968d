# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The autoscaler itself in the simulation: its own ``decide`` on an observation made of what its signals would say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sm2a_autoscaler.decision.model import Fleet, GroupObservation, Observation, PolicySettings, WorkerGroup
from sm2a_autoscaler.decision.policy import Memory, decide

from ..simulation.model import Cloud, Order, View

NAME = "workers"


class Candidate:
    """One worker group with the settings of ``options`` (those of ``WorkerGroup``)."""

    def __init__(self, cloud: Cloud, **options: Any) -> None:
        group = WorkerGroup(
            name=NAME,
            queue="default",
            queue_url="",
            service="worker",
            concurrency=cloud.concurrency,
            minimum=cloud.minimum,
            maximum=cloud.maximum,
        )
        self._settings = PolicySettings((replace(group, **options),))
        self._memory = Memory()

    def order(self, view: View) -> Order:
        """Called every 10 s."""
        fleet = Fleet(
            desired=view.desired,
            running=view.ready,
            pending=view.starting,
            read_at=view.now,
            start_up_seconds=view.start_up_seconds(),
        )
        observation = Observation(view.now, {NAME: GroupObservation(view.demand(), fleet)})
        (decision,), self._memory = decide(self._settings, observation, self._memory)
        wanted = view.desired if decision.desired is None else decision.desired
        # As the actuator does.
        return Order(max(wanted, min(view.protected, view.desired)), decision.drain or 0)
