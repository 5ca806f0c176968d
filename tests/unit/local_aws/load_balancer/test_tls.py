# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which hosts a certificate covers."""

from __future__ import annotations

import pytest
from sm2a_local_aws.load_balancer import tls


@pytest.mark.parametrize(
    ("host", "covered"), [("a.test", True), ("x.b.test", True), ("y.x.b.test", False), ("b.test", False)]
)
def test_certificate_covers_its_names_and_one_label_of_a_wildcard(host: str, covered: bool) -> None:
    assert tls.covers({"SubjectAlternativeNames": ["a.test", "*.b.test"]}, host) is covered
