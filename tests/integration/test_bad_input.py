# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""site.yml refuses a wrong variable before it speaks to AWS: nothing listens at the endpoint here."""

from __future__ import annotations

import pytest
from ansible_collections.sm2a.airflow.tests.support.stack.fixtures import Say
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import play


@pytest.mark.parametrize(
    ("name", "value"),
    [("airflow_confg", {}), ("broker_visibility_timeout", "an hour"), ("sm2a_name", "Not A Name")],
)
def test_wrong_variable_is_named_and_nothing_is_done(name: str, value: object, say: Say) -> None:
    nowhere = {"sm2a_endpoint_url": "http://127.0.0.1:9"}
    run = play(f"bad_{name}", ["site.yml"], say, extra={**nowhere, name: value}, timeout=60)
    assert run.code == 2
    assert run.changed == 0
    assert f"{name}: " in run.end()
