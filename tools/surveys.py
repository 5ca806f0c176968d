# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the surveys of the controller's templates (extensions/awx/controller/surveys.yml).

`extensions/awx/questions.yml` says what is asked where; type, choices and bounds are those of the argument specs and of
the rules that the first check has. No question has a default: the controller hands it to the job as if somebody had
answered, and an answer wins over the inventory. What nobody answers is not given.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

# The collection, as the tests find it.
sys.path.append(str(Path(__file__).resolve().parents[1] / "collections"))

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import aws_values, broker
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import Choices, Range
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import Problem
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import all_specs, is_secret
from ansible_collections.sm2a.airflow.tools.pages import PROJECT, markdown

AWX = PROJECT / "extensions/awx"
SURVEYS = AWX / "controller/surveys.yml"
HEADER = """---
# Made by `python -m tools.surveys` from questions.yml and the argument specs of the roles; a test compares them.
# No question has a default, because an answer wins over the inventory.
"""
LONGEST_TEXT = 1024
LONGEST_LIST = 8192
# Types of questions by types of options. What has choices is a choice.
TYPES = {"str": "text", "path": "text", "int": "integer", "float": "float", "list": "textarea", "dict": "textarea"}


class IndentedLists(yaml.SafeDumper):
    """Lists stand deeper than their name, as everywhere in this repository."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        """Never without."""
        del indentless
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write what occurs twice twice."""
        del data
        return True


def asked(questions: list[Any]) -> Iterator[dict[str, Any]]:
    """The entries of a survey in questions.yml, each as a dictionary; lists in it are joined."""
    for entry in questions:
        if isinstance(entry, list):
            yield from asked(entry)
        else:
            yield {"variable": entry} if isinstance(entry, str) else entry


def limits(variable: str) -> list[Problem]:
    """What the first check asks of the values of a variable by itself."""
    return [rule.problem for rule in (*aws_values.RULES, *broker.RULES) if rule.option == variable]


def choices(variable: str, option: Mapping[str, Any]) -> list[str]:
    """The values that there are, as text; [] where there are too many to name."""
    if option["type"] == "bool":
        return ["true", "false"]
    named = [limit.allowed for limit in limits(variable) if isinstance(limit, Choices)]
    return [str(choice) for choice in option.get("choices") or (named[0] if named else ())]


def bounds(variable: str, kind: str, required: bool) -> dict[str, int]:
    """Least and most: of a number its value, of text its length, which is 0 where nobody has to answer."""
    if kind in ("text", "textarea"):
        return {"min": int(required), "max": LONGEST_TEXT if kind == "text" else LONGEST_LIST}
    ranges = [limit for limit in limits(variable) if isinstance(limit, Range) and kind in ("integer", "float")]
    # A number besides the range, such as 0 for none, must pass, too.
    least = [min([one.least, *one.besides]) for one in ranges if one.least is not None]
    most = [max([one.most, *one.besides]) for one in ranges if one.most is not None]
    return ({"min": int(max(least))} if least else {}) | ({"max": int(min(most))} if most else {})


def question(entry: Mapping[str, Any], specs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One question of a survey."""
    variable, required = entry["variable"], entry.get("required", False)
    option = specs[variable]
    if is_secret(option):
        raise ValueError(f"{variable} may be a secret: an answer of a survey is in the job's variables and output")
    found = choices(variable, option)
    kind = TYPES.get(option["type"], "text")
    if found:
        kind = "multiselect" if option["type"] == "list" else "multiplechoice"
    described = markdown(option["description"]) if "description" in option else ""
    return {
        "variable": variable,
        "question_name": entry.get("question") or variable.replace("_", " ").capitalize(),
        "question_description": described.replace("&lt;", "<").replace("\\|", "|"),
        "type": kind,
        "required": required,
        # An empty text would be an answer; no choice is empty, and the controller's pages need a default of choices.
        **({"default": "", "choices": found} if found else bounds(variable, kind, required)),
    }


def surveys() -> dict[str, dict[str, Any]]:
    """Every survey, by its name in questions.yml."""
    specs = {name: option for spec in all_specs().values() for name, option in spec.items()}
    wanted = yaml.safe_load((AWX / "questions.yml").read_text(encoding="utf-8"))
    return {
        name: {"name": "", "description": "", "spec": [question(entry, specs) for entry in asked(entries)]}
        for name, entries in wanted.items()
    }


def text() -> str:
    """The file."""
    return HEADER + yaml.dump(
        {"awx_surveys": surveys()}, Dumper=IndentedLists, sort_keys=False, width=150, allow_unicode=True
    )


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=SURVEYS, help="instead of the file there")
    parser.parse_args().path.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
