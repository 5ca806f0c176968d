# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Values by name become secrets; errors name the entry and show no value."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.sm2a.airflow.plugins.filter.named_secrets import FilterModule

named_secrets = FilterModule().filters()["named_secrets"]


def test_values_of_any_kind_and_sources() -> None:
    given = {
        "greeting": "hello",
        "limits": {"rows": 10},
        "warehouse": {"value_from": {"environment": "WAREHOUSE_URI"}},
        "both": {"value_from": {"environment": "A"}, "host": "is a member of the value"},
    }
    assert named_secrets(given, "staging/variables/") == [
        {"name": "staging/variables/greeting", "value": "hello"},
        {"name": "staging/variables/limits", "value": {"rows": 10}},
        {"name": "staging/variables/warehouse", "value_from": {"environment": "WAREHOUSE_URI"}},
        {"name": "staging/variables/both", "value": given["both"]},
    ]
    assert named_secrets({}, "staging/") == []
    tagged = named_secrets({"a": "1"}, "staging/", {"tags": {"source": "given"}})
    assert tagged == [{"name": "staging/a", "value": "1", "tags": {"source": "given"}}]


def test_values_of_groups_lie_below_the_name_of_their_group() -> None:
    given = {
        "payments": {"warehouse": "a", "mart": {"value_from": {"file": "/b"}}},
        "science": {"warehouse": "c"},
        "none": {},
    }
    assert named_secrets(given, "staging/groups/*/connections/", {"tags": {"source": "given"}}) == [
        {"name": "staging/groups/payments/connections/warehouse", "value": "a", "tags": {"source": "given"}},
        {"name": "staging/groups/payments/connections/mart", "value_from": {"file": "/b"}, "tags": {"source": "given"}},
        {"name": "staging/groups/science/connections/warehouse", "value": "c", "tags": {"source": "given"}},
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a/b": {"c": "Tr0ub4dor"}}, "'a/b' is not a valid group name"),
        ({"a": "Tr0ub4dor"}, "must be a dictionary"),
        ({"a": {"b/c": "Tr0ub4dor"}}, "'b/c' has characters"),
    ],
)
def test_errors_about_values_of_groups_show_no_value(given: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message) as caught:
        named_secrets(given, "staging/groups/*/connections/")
    assert "Tr0ub4dor" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["Tr0ub4dor"], "must be a dictionary"),
        ({"a/b": "Tr0ub4dor"}, "'a/b' has characters"),
        ({"a b": "Tr0ub4dor"}, "'a b' has characters"),
        ({"empty": None, "other": "Tr0ub4dor"}, "empty has no value"),
    ],
)
def test_errors_show_no_value(given: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message) as error:
        named_secrets(given, "staging/variables/")
    assert "Tr0ub4dor" not in str(error.value)
