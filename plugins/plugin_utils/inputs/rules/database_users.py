# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What argument_specs cannot say about the database's variables: the names of its users. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

# Characters that a name of a user may have. PostgreSQL cuts longer ones, MySQL refuses them.
LONGEST = {"postgres": 63, "mysql": 32}
DEFAULTS = {
    "database_master_username": "sm2a_admin",
    "database_username": "airflow",
    "database_result_name": "airflow_results",
}
# Variable -> what the names of further users have behind it (role database).
FURTHER = {
    "database_username": ("_dag_processor", "_triggerer", "_autoscaler"),
    "database_result_name": ("_reader",),
}


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence for each thing that is wrong with these variables; those that are not given are not judged."""
    names = {variable: str(values.get(variable, default)) for variable, default in DEFAULTS.items()}
    if names == DEFAULTS:
        return []
    longest = LONGEST[values.get("database_engine", "postgres")]
    return [
        *(problem for variable in FURTHER if (problem := _length_problem(variable, names[variable], longest))),
        *_repeated(names),
    ]


def _length_problem(variable: str, name: str, longest: int) -> str | None:
    suffix = max(FURTHER[variable], key=len)
    if len(name + suffix) <= longest:
        return None
    return (
        f"{variable}: {name!r} has {len(name)} characters; SM2A appends {suffix} for another user, and this engine "
        f"allows {longest} in all; choose a name with at most {longest - len(suffix)}"
    )


def _repeated(names: Mapping[str, str]) -> list[str]:
    """Each user has a password and rights of its own."""
    users = Counter([*names.values(), *(names[variable] + end for variable, ends in FURTHER.items() for end in ends)])
    return [
        f"{', '.join(names)}: {user!r} would be the name of {count} users of the database; give each another"
        for user, count in users.items()
        if count > 1
    ]
