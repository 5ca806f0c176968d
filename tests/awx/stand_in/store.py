# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The objects of a controller, how they hang together, and what goes with one that is deleted."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.tests.awx.stand_in.fields import (
    REFERENCES,
    answer_problems,
    initial,
    problems,
    stored,
)

ENCRYPTED = "$encrypted$"
LAUNCHED = ("job_templates", "projects", "inventory_sources", "workflow_job_templates")
KINDS = {"inventories": "inventory", "workflow_approval_templates": "workflow_approval_template"}
# The fields of a launch, and whether a template asks for each.
PROMPTS = {
    "limit": "ask_limit_on_launch",
    "scm_branch": "ask_scm_branch_on_launch",
    "job_type": "ask_job_type_on_launch",
    "inventory": "ask_inventory_on_launch",
}
ROLES = {
    "job_templates": ("admin", "execute", "read"),
    "workflow_job_templates": ("admin", "execute", "read", "approval"),
    "projects": ("admin", "use", "update", "read"),
    "inventories": ("admin", "use", "adhoc", "update", "read"),
    "organizations": ("admin", "execute", "member", "auditor", "read"),
}
# What is deleted with an object: endpoint, and the field that refers to it.
WITH_IT = {
    "inventories": [("inventory_sources", "inventory")],
    "workflow_job_templates": [("workflow_job_template_nodes", "workflow_job_template")],
    "organizations": [("teams", "organization"), ("labels", "organization")],
}
COUNTED = ("inventories", "teams", "job_templates", "projects")
Object = dict[str, Any]


class RefusedError(Exception):
    """The controller refuses a request with 400 and these sentences."""


class Store:
    """Every object, by endpoint and id. Ids are never used twice."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, Object]] = {}
        self.associations: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], dict[str, Any]] = {}
        self.role_ids: dict[int, tuple[str, int, str]] = {}
        self._last = 0

    def next_id(self) -> int:
        """A number that nothing has."""
        self._last += 1
        return self._last

    def all(self, endpoint: str) -> list[Object]:
        """Every object of an endpoint, or of all that can be launched."""
        if endpoint == "unified_job_templates":
            return [found for kind in LAUNCHED for found in self.all(kind)]
        return list(self.objects.get(endpoint, {}).values())

    def find(self, endpoint: str, number: int) -> Object | None:
        """The object of this id."""
        return next((found for found in self.all(endpoint) if found["id"] == number), None)

    def create(self, endpoint: str, given: Mapping[str, Any]) -> Object:
        """A new object; RefusedError with what is wrong."""
        self._check(endpoint, given, new=True)
        number = self.next_id()
        made = {
            **initial(endpoint),
            **{name: stored(endpoint, name, value) for name, value in given.items()},
            "id": number,
            "type": KINDS.get(endpoint, endpoint.removesuffix("s")),
            "url": f"/api/v2/{endpoint}/{number}/",
        }
        if endpoint in ("projects", "job_templates", "workflow_job_templates", "inventory_sources"):
            made.setdefault("organization", None)
        if endpoint == "job_templates":
            made["organization"] = self.objects["projects"][made["project"]]["organization"]
        self.objects.setdefault(endpoint, {})[number] = made
        self._unique(endpoint, made)
        for role in ROLES.get(endpoint, ()):
            self.role_ids[self.next_id()] = (endpoint, number, f"{role}_role")
        return made

    def update(self, endpoint: str, number: int, given: Mapping[str, Any]) -> Object:
        """The object with other values."""
        self._check(endpoint, given, new=False, existing=self.objects[endpoint][number])
        found = self.objects[endpoint][number]
        if "inputs" in given and endpoint == "credentials":
            # The word for a secret stands for the one that is stored.
            inputs = {
                name: found["inputs"][name] if value == ENCRYPTED else value for name, value in given["inputs"].items()
            }
            given = {**given, "inputs": inputs}
        found.update({name: stored(endpoint, name, value) for name, value in given.items() if name != "type"})
        return found

    def delete(self, endpoint: str, number: int) -> None:
        """Delete an object and what hangs on it."""
        del self.objects[endpoint][number]
        gone = [
            (kind, found["id"]) for kind, name in WITH_IT.get(endpoint, []) for found in self._with(kind, name, number)
        ]
        if endpoint in LAUNCHED:
            gone += [("schedules", found["id"]) for found in self._with("schedules", "unified_job_template", number)]
        for kind, other in gone:
            self.delete(kind, other)
        self.surveys.pop((endpoint, number), None)
        for key in [key for key in self.associations if key[:2] == (endpoint, number)]:
            del self.associations[key]

    def associate(self, endpoint: str, number: int, name: str, other: int, leave: bool) -> None:
        """Add an association, or take it away. A label that nothing has any more is deleted."""
        found = self.associations.setdefault((endpoint, number, name), [])
        if not leave:
            found.append(other)
            return
        found.remove(other)
        if name == "labels" and not any(other in ids for key, ids in self.associations.items() if key[2] == "labels"):
            self.delete("labels", other)

    def shown(self, endpoint: str, found: Object) -> Object:
        """The object as the controller answers it: secrets are not in it."""
        endpoint = self.endpoint_of(endpoint, found)
        number = found["id"]
        answer = copy.deepcopy(found)
        base = found["url"]
        answer["related"] = {"survey_spec": f"{base}survey_spec/", "update": f"{base}update/"}
        answer["summary_fields"] = {
            "object_roles": {
                role: {"id": one}
                for one, (kind, owner, role) in self.role_ids.items()
                if (kind, owner) == (endpoint, number)
            }
        }
        if endpoint == "organizations":
            counts = {kind: len(self._with(kind, "organization", number)) for kind in COUNTED}
            answer["summary_fields"]["related_field_counts"] = {**counts, "users": 0, "admins": 0}
        if template := self.find("unified_job_templates", found.get("unified_job_template") or 0):
            answer["summary_fields"]["unified_job_template"] = {"id": template["id"], "name": template["name"]}
        if approval := self.objects.get("workflow_approval_templates", {}).get(found.get("unified_job_template") or 0):
            answer["related"]["unified_job_template"] = approval["url"]
        _hide(answer.get("inputs"), self._secret_inputs(found))
        _hide(answer.get("notification_configuration"), {"password", "token"})
        return answer

    def endpoint_of(self, endpoint: str, found: Object) -> str:
        """The endpoint that an object of the joint list has itself."""
        return str(found["url"].split("/")[3]) if endpoint == "unified_job_templates" else endpoint

    def _with(self, endpoint: str, name: str, number: int) -> list[Object]:
        return [found for found in self.all(endpoint) if found.get(name) == number]

    def _secret_inputs(self, found: Object) -> set[str]:
        kind = self.objects.get("credential_types", {}).get(found.get("credential_type") or 0)
        return {field["id"] for field in kind["inputs"]["fields"] if field.get("secret")} if kind else set()

    def _unique(self, endpoint: str, made: Object) -> None:
        """Two of one name and organization are refused; nodes have an identifier, and a workflow of their own."""
        keys = ("name", "organization", "inventory", "identifier", "workflow_job_template", "unified_job_template")
        same = [found for found in self.all(endpoint) if all(found.get(key) == made.get(key) for key in keys)]
        if len(same) > 1:
            del self.objects[endpoint][made["id"]]
            raise RefusedError(f"{endpoint} with this name already exists")

    def _check(
        self, endpoint: str, given: Mapping[str, Any], new: bool, existing: Mapping[str, Any] | None = None
    ) -> None:
        wrong = list(problems(endpoint, given, new))
        for name, kind in REFERENCES.items():
            number = given.get(name)
            if isinstance(number, int) and self.find(kind or "unified_job_templates", number) is None:
                wrong.append(f"{name}: Invalid pk '{number}' - object does not exist.")
        if endpoint in ("schedules", "workflow_job_template_nodes"):
            wrong += self._launch_problems({**(existing or {}), **given}, endpoint == "schedules")
        if wrong:
            raise RefusedError("; ".join(wrong))

    def _launch_problems(self, given: Mapping[str, Any], alone: bool) -> Iterable[str]:
        """What a template does not take from a schedule or a node. What a node does not answer, its workflow may."""
        template = self.find("unified_job_templates", given.get("unified_job_template") or 0)
        if template is None:
            return
        for name, asks in PROMPTS.items():
            if given.get(name) and not template.get(asks):
                yield f"{name}: Field is not configured to prompt on launch."
        survey = self.surveys.get((self.endpoint_of("unified_job_templates", template), template["id"]), {})
        answers = given.get("extra_data") or {}
        if template.get("survey_enabled"):
            yield from answer_problems(survey, answers, required=alone)
        known = {question["variable"] for question in survey.get("spec", [])}
        for name in answers.keys() - known if not template.get("ask_variables_on_launch") else ():
            yield f"Variables {name} are not allowed on launch."


def _hide(values: Any, secret: set[str]) -> None:
    for name in secret & set(values or {}):
        values[name] = ENCRYPTED if values[name] else values[name]
