# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Who competes, each with the platform that it runs on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..simulation.model import Cloud, Platform, Policy, Victims, Workload
from .candidate import Candidate
from .clairvoyant import Clairvoyant
from .peers import Fixed, Keda, Mwaa, Original, TargetTracking


@dataclass(frozen=True)
class Contender:
    """A name, a platform, and how to make the policy for one play."""

    name: str
    platform: Platform
    make: Callable[[Workload, Cloud, int], Policy]


OURS = "SM2A"
OURS_QUICK = "SM2A, latency 0.5"
KEDA = "KEDA, 120 s grace"
KEDA_LONG = "KEDA, 600 s grace"
MWAA = "MWAA"
ORIGINAL = "original SM2A, D = c"
FIXED_MAXIMUM = "fixed maximum"
CLAIRVOYANT = "clairvoyant"

CONTENDERS = (
    Contender(
        "original SM2A, literal",
        Platform(30, Victims.NAMED, 30),
        lambda _, cloud, __: Original(cloud.maximum),
    ),
    Contender(ORIGINAL, Platform(30, Victims.NAMED, 30), lambda _, cloud, __: Original(cloud.concurrency)),
    Contender("Application Auto Scaling", Platform(60, Victims.ANY, 120), lambda *_: TargetTracking()),
    Contender(MWAA, Platform(60, Victims.PROTECTED), lambda *_: Mwaa()),
    Contender(KEDA, Platform(5, Victims.NEWEST, 120), lambda *_: Keda()),
    Contender(KEDA_LONG, Platform(5, Victims.NEWEST, 600), lambda *_: Keda()),
    Contender("fixed minimum", Platform(60, Victims.PROTECTED), lambda _, cloud, __: Fixed(cloud.minimum)),
    Contender(FIXED_MAXIMUM, Platform(60, Victims.PROTECTED), lambda _, cloud, __: Fixed(cloud.maximum)),
    Contender(OURS, Platform(10, Victims.PROTECTED), lambda _, cloud, __: Candidate(cloud)),
    Contender(
        OURS_QUICK,
        Platform(10, Victims.PROTECTED),
        lambda _, cloud, __: Candidate(cloud, latency_preference=0.5),
    ),
    Contender(
        CLAIRVOYANT,
        Platform(10, Victims.PROTECTED),
        lambda workload, cloud, seed: Clairvoyant(workload, cloud, seed, 10.0),
    ),
)
