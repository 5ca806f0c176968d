# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The tables of Airflow's options are Python, and say what Airflow declares."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tools import airflow_options

DECLARED: airflow_options.Options = {
    "core": {
        "parallelism": {"type": "integer", "default": "32", "sensitive": None},
        "load_examples": {"type": "string", "default": "True", "sensitive": False},
        "fernet_key": {"type": "string", "default": "", "sensitive": True},
    },
    # Defaults that Airflow has of providers that are not there come without a type.
    "elasticsearch": {
        "host": {"type": None, "default": "", "sensitive": None},
        "write_stdout": {"type": None, "default": "False", "sensitive": None},
    },
    "scheduler": {
        **{
            f"a_long_name_of_an_option_{number}": {"type": "float", "default": "1", "sensitive": None}
            for number in "123"
        },
        "only_idle": {"type": "boolean", "default": "False", "sensitive": None},
    },
}


def run(text: str) -> dict[str, Any]:
    """What the module of this text defines."""
    defined: dict[str, Any] = {}
    exec(text, defined)  # noqa: S102 (our own)
    return defined


def test_names_and_secrets() -> None:
    written = run(airflow_options.names_module(DECLARED))
    assert {section: set(names.split()) for section, names in written["OPTIONS"].items()} == {
        section: set(names) for section, names in DECLARED.items()
    }
    assert written["SENSITIVE"] == {("core", "fernet_key")}


def test_types() -> None:
    written = run(airflow_options.types_module(DECLARED))
    assert written["TYPES"] == {
        "boolean": {"scheduler": "only_idle"},
        "integer": {"core": "parallelism"},
        "float": {"scheduler": " ".join(f"a_long_name_of_an_option_{number}" for number in "123")},
        "switch": {"core": "load_examples", "elasticsearch": "write_stdout"},
    }


@pytest.mark.parametrize("text", [airflow_options.names_module(DECLARED), airflow_options.types_module(DECLARED)])
def test_lines_fit(text: str) -> None:
    assert max(map(len, text.splitlines())) <= 120
