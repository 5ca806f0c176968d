# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which DB instance classes RDS offers for which versions of PostgreSQL and MySQL, and what they support.

Classes and versions: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Support.html, for
the families that engines of a new environment run on. A class of another family is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Version = tuple[int, ...]

LICENSES = {"postgres": "postgresql-license", "mysql": "general-public-license"}
# One of each major version, the newest first.
VERSIONS = {"postgres": ("18.3", "17.5", "16.4", "15.4", "14.9", "13.11"), "mysql": ("8.4.5", "8.0.42")}
CLASS = re.compile(r"db\.(?P<family>[a-z][a-z0-9]*)\.(?P<size>[a-z0-9-]+)")

BURSTABLE = ("micro", "small", "medium", "large", "xlarge", "2xlarge")
TO_16 = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
TO_24 = (*TO_16, "24xlarge")
TO_32 = (*TO_24, "32xlarge")
TO_48 = (*TO_24, "48xlarge")


@dataclass(frozen=True)
class Family:
    """``since`` has the first version of each major one that is not supported from its beginning, by engine."""

    sizes: tuple[str, ...]
    since: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)


GENERATION_7_GRAVITON = {"postgres": ((14, 5), (13, 4))}
GENERATION_7_AND_8 = {"postgres": ((17, 1), (16, 1), (15, 4), (14, 9), (13, 11)), "mysql": ((8, 0, 32),)}
FAMILIES = {
    "t3": Family(BURSTABLE),
    "t4g": Family(BURSTABLE),
    "m5": Family(TO_24),
    "m6g": Family(TO_16),
    "m6i": Family(TO_32),
    "m7g": Family(TO_16, GENERATION_7_GRAVITON),
    "m7i": Family(TO_48, GENERATION_7_AND_8),
    "m8g": Family(TO_48, GENERATION_7_AND_8),
    "r5": Family(TO_24),
    "r6g": Family(TO_16),
    "r6i": Family(TO_32),
    "r7g": Family(TO_16, GENERATION_7_GRAVITON),
    "r7i": Family(TO_48, GENERATION_7_AND_8),
    "r8g": Family(TO_48, GENERATION_7_AND_8),
}
# RDS makes no new ones of these.
RETIRED = ("t2", "m3", "m4", "r3", "r4")
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DatabaseInsights.Engines.html
WITHOUT_INSIGHTS = {"mysql": re.compile(r"db\.t(2|3|4g)\.(micro|small)")}


@dataclass(frozen=True)
class Storage:
    """A storage type: sizes in GiB. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"""

    name: str
    least: int
    most: int
    iops: bool
    throughput: bool


STORAGE = (
    Storage("gp2", 20, 65_536, iops=False, throughput=False),
    Storage("gp3", 20, 65_536, iops=True, throughput=True),
    Storage("io1", 100, 65_536, iops=True, throughput=False),
    Storage("io2", 100, 65_536, iops=True, throughput=False),
)


def classes() -> Iterator[str]:
    """All that are offered for some version."""
    for name, family in FAMILIES.items():
        yield from (f"db.{name}.{size}" for size in family.sizes)


def is_known(instance_class: str) -> bool:
    """Whether it is a class, as far as its family is known."""
    read = CLASS.fullmatch(instance_class)
    if read is None:
        return False
    family = FAMILIES.get(read["family"])
    return family is None or read["size"] in family.sizes


def is_offered(engine: str, version: str, instance_class: str) -> bool:
    """Whether RDS makes such an instance; a major version alone is its newest minor one."""
    read = CLASS.fullmatch(instance_class)
    if engine not in VERSIONS or read is None:
        return True
    if read["family"] in RETIRED:
        return False
    family = FAMILIES.get(read["family"])
    if family is None:
        return True
    asked = _numbers(version)
    return all(asked >= first for first in family.since.get(engine, ()) if _same_major(engine, asked, first))


def supports_insights(engine: str, instance_class: str) -> bool:
    """Whether Performance Insights can be on."""
    refused = WITHOUT_INSIGHTS.get(engine)
    return refused is None or not refused.fullmatch(instance_class)


def _numbers(version: str) -> Version:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _same_major(engine: str, asked: Version, first: Version) -> bool:
    """Only where the asked version says more than the major one."""
    major = 1 if engine == "postgres" else 2
    return len(asked) > major and asked[:major] == first[:major]
