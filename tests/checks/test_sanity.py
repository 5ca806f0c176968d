# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""``ansible-test sanity`` passes on the whole collection."""

from __future__ import annotations

import sys

from ansible_collections.sm2a.airflow.tests.checks.run import run


def test_ansible_test_sanity() -> None:
    said = run(sys.executable, "tools/sanity.py")
    for test in ("ansible-doc", "import", "pylint", "runtime-metadata", "validate-modules"):
        assert f'Running sanity test "{test}"' in said
