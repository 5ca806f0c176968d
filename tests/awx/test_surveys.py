# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a survey takes, the first check takes; what is beyond its bounds, the first check refuses as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.check import RULES, converted
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.specs import all_specs, is_secret
from ansible_collections.sm2a.airflow.tests.awx.stand_in.fields import answer_problems, survey_problems
from ansible_collections.sm2a.airflow.tools import surveys

SPECS = {name: option for spec in all_specs().values() for name, option in spec.items()}
FILE: dict[str, dict[str, Any]] = yaml.safe_load(surveys.SURVEYS.read_text(encoding="utf-8"))["awx_surveys"]
QUESTIONS = {question["variable"]: question for survey in FILE.values() for question in survey["spec"]}
NUMBERS = sorted(name for name, question in QUESTIONS.items() if question["type"] in ("integer", "float"))
CHOSEN = sorted(name for name, question in QUESTIONS.items() if "choices" in question)
KINDS = {"text": {"str", "path"}, "textarea": {"list", "dict"}, "integer": {"int"}, "float": {"float"}}


def refused(variable: str, value: Any) -> list[str]:
    """What the first check says about an answer by itself."""
    typed, wrong = converted({variable: value}, (), {variable: SPECS[variable]})
    judged = [sentence for rules in RULES for sentence in rules(typed) if sentence.startswith(f"{variable}:")]
    return [*wrong.get(variable, []), *judged]


def test_the_file_is_what_the_generator_makes() -> None:
    assert surveys.SURVEYS.read_text(encoding="utf-8") == surveys.text(), "run `make docs`"


@pytest.mark.parametrize("name", sorted(FILE))
def test_the_controller_takes_the_survey(name: str) -> None:
    assert list(survey_problems(FILE[name])) == []


@pytest.mark.parametrize("variable", sorted(QUESTIONS))
def test_a_question_has_the_type_of_its_option(variable: str) -> None:
    question, option = QUESTIONS[variable], SPECS[variable]
    assert not is_secret(option)
    if "choices" not in question:
        assert option["type"] in KINDS[question["type"]]
    assert (question["type"] == "multiselect") == (option["type"] == "list" and "choices" in option)


@pytest.mark.parametrize("variable", CHOSEN)
def test_every_choice_is_taken_and_none_is_missing(variable: str) -> None:
    question, option = QUESTIONS[variable], SPECS[variable]
    for choice in question["choices"]:
        assert refused(variable, [choice] if question["type"] == "multiselect" else choice) == []
    if "choices" in option:
        assert question["choices"] == [str(choice) for choice in option["choices"]]


@pytest.mark.parametrize("variable", NUMBERS)
def test_bounds_are_those_of_the_first_check(variable: str) -> None:
    question = QUESTIONS[variable]
    assert "min" in question
    assert refused(variable, question["min"]) == []
    assert refused(variable, question["min"] - 1) != []
    if "max" in question:
        assert refused(variable, question["max"]) == []
        assert refused(variable, question["max"] + 1) != []
    else:
        assert refused(variable, 2**31) == []


@pytest.mark.parametrize("variable", sorted(QUESTIONS))
def test_no_answer_is_none(variable: str) -> None:
    """The controller hands a default to the job like an answer, unless it is none of the choices."""
    question = QUESTIONS[variable]
    assert question.get("default", "") == ""
    assert ("default" in question) == ("choices" in question)
    assert question.get("min", 0) == 0 or question["required"] or question["type"] in ("integer", "float")


def required(name: str) -> set[str]:
    """Variables that the survey of a template insists on."""
    return {question["variable"] for question in FILE[name]["spec"] if question["required"]} if name else set()


def survey_of(template: dict[str, Any]) -> dict[str, Any]:
    """The survey that the controller asks."""
    return dict(template["survey_spec"]) if template["survey_enabled"] else {}


def test_only_what_a_job_is_about_is_asked_for() -> None:
    insisted = {name: required(name) for name in FILE}
    assert {name: names for name, names in insisted.items() if names} == {
        "teardown": {"sm2a_destroy"},
        "remedy": {"sm2a_remedy_alarm"},
    }


def carried(configuration: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, survey and answers of each launch without a person: schedules, and nodes with their workflow's answers."""
    templates = {entry["name"]: entry for entry in configuration["controller_templates"]}
    for schedule in configuration["controller_schedules"]:
        template = templates[schedule["unified_job_template"]]
        yield schedule["name"], survey_of(template), schedule.get("extra_data", {})
    for workflow in configuration["controller_workflows"]:
        answers = {one["variable"]: "an answer" for one in survey_of(workflow).get("spec", []) if one["required"]}
        for node in workflow["simplified_workflow_nodes"]:
            if template := templates.get(node.get("unified_job_template", "")):
                yield node["identifier"], survey_of(template), {**node.get("extra_data", {}), **answers}


def test_schedules_and_nodes_carry_every_required_answer(configuration: dict[str, Any]) -> None:
    found = list(carried(configuration))
    assert len(found) > 8
    for name, survey, answers in found:
        known = {variable: value for variable, value in answers.items() if variable in str(survey)}
        assert list(answer_problems(survey, known, required=True)) == [], name


def test_a_workflow_asks_only_what_one_of_its_jobs_takes(configuration: dict[str, Any]) -> None:
    templates = {entry["name"]: entry for entry in configuration["controller_templates"]}
    for workflow in configuration["controller_workflows"]:
        jobs = [templates.get(node.get("unified_job_template", "")) for node in workflow["simplified_workflow_nodes"]]
        taken = {one["variable"] for job in jobs if job for one in survey_of(job).get("spec", [])}
        assert {one["variable"] for one in survey_of(workflow)["spec"]} <= taken
