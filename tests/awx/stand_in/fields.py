# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a controller takes: the facts of AWX 24.6.1 about its fields, and the rules that it has for surveys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FACTS = Path(__file__).resolve().parents[1] / "facts"
FIELDS: dict[str, dict[str, dict[str, Any]]] = json.loads((FACTS / "fields.json").read_text(encoding="utf-8"))[
    "endpoints"
]
# The endpoint that an id of this name belongs to; None is any that can be launched.
REFERENCES: dict[str, str | None] = {
    "credential": "credentials",
    "credential_type": "credential_types",
    "default_environment": "execution_environments",
    "execution_environment": "execution_environments",
    "inventory": "inventories",
    "organization": "organizations",
    "project": "projects",
    "source_project": "projects",
    "unified_job_template": None,
    "workflow_job_template": "workflow_job_templates",
}
# What modules send besides the fields: a node its own type, a credential type that it is none of the controller's.
BESIDES = {"workflow_job_template_nodes": {"type"}, "credential_types": {"managed"}, "job_templates": {"organization"}}
SURVEY_TYPES = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": float,
}
EMPTY = {"string": "", "choice": "", "boolean": False, "json": {}, "integer": None, "id": None}


def initial(endpoint: str) -> dict[str, Any]:
    """A new object before anything is given."""
    return {name: field.get("default", EMPTY[field["type"]]) for name, field in FIELDS[endpoint].items()}


def stored(endpoint: str, name: str, value: Any) -> Any:
    """Null stands for no text."""
    kind = FIELDS[endpoint].get(name, {}).get("type")
    return "" if value is None and kind in ("string", "choice") else value


def problems(endpoint: str, given: Mapping[str, Any], new: bool) -> Iterator[str]:
    """One sentence for each thing that is wrong with what a request gives."""
    fields = FIELDS[endpoint]
    for name in given.keys() - fields.keys() - BESIDES.get(endpoint, set()):
        yield f"{name}: there is no such field"
    for name, field in fields.items():
        if new and field["required"] and given.get(name) in (None, ""):
            yield f"{name}: This field is required."
        elif given.get(name) is not None:
            yield from (f"{name}: {problem}" for problem in _problems_of(field, given[name]))


def _problems_of(field: Mapping[str, Any], value: Any) -> Iterator[str]:
    kinds: dict[str, Any] = {
        "string": str,
        "boolean": bool,
        "integer": int,
        "id": int,
        "json": (dict, list, str),
        "choice": (str, int),
    }
    if not isinstance(value, kinds[field["type"]]) or (field["type"] in ("integer", "id") and isinstance(value, bool)):
        yield f"{value!r} is no {field['type']}"
    elif "choices" in field and value not in field["choices"]:
        yield f"{value!r} is not a valid choice."
    elif isinstance(value, str) and len(value) > field.get("max_length", len(value)):
        yield f"Ensure this field has no more than {field['max_length']} characters."
    elif isinstance(value, int) and not field.get("min_value", value) <= value <= field.get("max_value", value):
        yield f"{value} is out of range"


def survey_problems(survey: Mapping[str, Any]) -> Iterator[str]:
    """The same of a survey, as the controller's view of it refuses one."""
    for name, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(survey.get(name), kind):
            yield f"Field '{name}' is missing from survey spec or of another type."
    seen: set[str] = set()
    if not survey.get("spec"):
        yield "'spec' doesn't contain any items."
    for question in survey.get("spec") or []:
        kinds: dict[str, type] = {"type": str, "question_name": str, "variable": str, "required": bool}
        for name, needed in kinds.items():
            if not isinstance(question.get(name), needed):
                yield f"'{name}' missing from survey question, or of another type: {question}"
                return
        if question["variable"] in seen:
            yield f"'variable' '{question['variable']}' duplicated"
        seen.add(question["variable"])
        yield from _question_problems(question)


def _question_problems(question: Mapping[str, Any]) -> Iterator[str]:
    variable, kind = question["variable"], question["type"]
    if kind not in SURVEY_TYPES:
        yield f"{variable}: '{kind}' is not one of the allowed question types"
        return
    default = question.get("default", "")
    if default != "" and not isinstance(default, SURVEY_TYPES[kind]):
        yield f"{variable}: default value {default!r} expected to be {kind}"
    for limit in ("min", "max"):
        if question.get(limit) is not None and not isinstance(question[limit], int):
            yield f"{variable}: the {limit} limit is expected to be integer"
    if kind in ("multiplechoice", "multiselect"):
        if not question.get("choices"):
            yield f"{variable}: must specify choices"
        elif any(one not in question["choices"] for one in str(default).splitlines()):
            yield f"{variable}: default choice must be answered from the choices listed"


def answer_problems(survey: Mapping[str, Any], answers: Mapping[str, Any], required: bool) -> Iterator[str]:
    """Why a job with this survey does not start with these answers; `required` is whether all must be there."""
    for question in survey.get("spec", []):
        variable = question["variable"]
        if variable not in answers:
            if required and question["required"]:
                yield f"'{variable}' value missing"
            continue
        value = answers[variable]
        if question["type"] == "multiplechoice" and value not in question["choices"]:
            yield f"Value {value} for '{variable}' expected to be one of {question['choices']}."
        elif question["type"] == "integer" and not isinstance(value, int):
            yield f"Value {value} for '{variable}' expected to be an integer."
        elif question["type"] in ("text", "textarea") and len(str(value)) < question.get("min", 0):
            yield f"'{variable}' value {value} is too small"
