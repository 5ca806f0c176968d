# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
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
