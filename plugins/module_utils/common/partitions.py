# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""AWS's partitions: how the names of their Regions begin, and the domain of their addresses. Pure.

botocore has the same in its data; a test compares, so that a new partition is noticed.
"""

from __future__ import annotations

import re

# The first word or words of a Region's name decide; "aws" has all the others.
DEFAULT = "aws"
REGIONS = {
    "aws-cn": "cn-",
    "aws-eusc": "eusc-",
    "aws-iso": "us-iso-",
    "aws-iso-b": "us-isob-",
    "aws-iso-e": "eu-isoe-",
    "aws-iso-f": "us-isof-",
    "aws-us-gov": "us-gov-",
}
DOMAINS = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-us-gov": "amazonaws.com",
}
# Any of the domains, as a regular expression; the longer ones first.
ANY_DOMAIN = "|".join(re.escape(domain) for domain in sorted(set(DOMAINS.values()), key=len, reverse=True))


def partition_of(region: str) -> str:
    """The partition of a Region."""
    return next((partition for partition, begin in REGIONS.items() if region.startswith(begin)), DEFAULT)


def domain_of(partition: str) -> str:
    """The domain of the addresses of a partition; that of the first one for a partition that nobody knows here."""
    return DOMAINS.get(partition, DOMAINS[DEFAULT])
