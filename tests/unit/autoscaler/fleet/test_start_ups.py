# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Start-up times: of workers that were seen starting, the 90th percentile of the last ones."""

from __future__ import annotations

from sm2a_autoscaler.fleet.ecs_tasks import Worker
from sm2a_autoscaler.fleet.start_ups import LONGEST_SECONDS, SAMPLES, StartUps


def worker(number: int, created: float, *, healthy: bool) -> Worker:
    """A worker of that age."""
    return Worker(
        arn=f"arn/{number}", created_at=created, started_at=created + 20, address=f"10.0.0.{number}", healthy=healthy
    )


def test_a_start_lasts_until_the_worker_is_healthy_or_busy() -> None:
    subject = StartUps()
    subject.observe("s", [worker(1, 100, healthy=False), worker(2, 100, healthy=False)], (), 110)
    assert subject.watching("s")
    assert subject.percentile("s") is None
    subject.observe("s", [worker(1, 100, healthy=False), worker(2, 100, healthy=True)], {"10.0.0.1"}, 160)
    assert subject.percentile("s") == 60
    assert not subject.watching("s")
    assert subject.percentile("other") is None


def test_a_worker_first_seen_ready_tells_nothing() -> None:
    subject = StartUps()
    subject.observe("s", [worker(1, 100, healthy=True)], (), 5000)
    assert subject.percentile("s") is None


def test_a_worker_that_never_gets_ready_is_not_watched_for_ever() -> None:
    subject = StartUps()
    subject.observe("s", [worker(1, 100, healthy=False)], (), 110)
    subject.observe("s", [worker(1, 100, healthy=False)], (), 101 + LONGEST_SECONDS)
    assert not subject.watching("s")
    subject.observe("s", [worker(1, 100, healthy=True)], (), 200 + LONGEST_SECONDS)
    assert subject.percentile("s") is None


def test_the_percentile_is_of_the_last_ones() -> None:
    subject = StartUps()
    for number in range(100):
        seconds = 500 if number < 80 else number - 79
        subject.observe("s", [worker(number, 0, healthy=False)], (), 1)
        subject.observe("s", [worker(number, 0, healthy=True)], (), seconds)
    assert subject.percentile("s") == 0.9 * SAMPLES
