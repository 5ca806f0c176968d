# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the API of a controller, over HTTP on this machine, which remembers every request.

It is no AWX: it has what awx.awx asks for, refuses what the facts of AWX 24.6.1 refuse, and launches nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ansible_collections.sm2a.airflow.tests.awx.stand_in.fields import FIELDS, survey_problems
from ansible_collections.sm2a.airflow.tests.awx.stand_in.store import Object, RefusedError, Store

Answer = tuple[int, Any]
# Lists of others that an object has, by its endpoint, and what is in them.
TOLD = dict.fromkeys(
    (f"notification_templates_{when}" for when in ("started", "success", "error")), "notification_templates"
)
ASSOCIATIONS = {
    "job_templates": {**TOLD, "labels": "labels", "credentials": "credentials", "instance_groups": "instance_groups"},
    "workflow_job_templates": {
        **TOLD,
        "notification_templates_approvals": "notification_templates",
        "labels": "labels",
    },
    "workflow_job_template_nodes": dict.fromkeys(
        ("success_nodes", "failure_nodes", "always_nodes"), "workflow_job_template_nodes"
    ),
    "roles": {"teams": "teams"},
}
PAGING = {"page_size", "page", "order_by"}
DONE = {"status": "successful", "failed": False, "finished": "2026-01-01T00:00:00Z", "started": None, "elapsed": 0.1}


@dataclass(frozen=True)
class Call:
    """One request."""

    method: str
    path: str
    body: Any


class Controller:
    """The stand-in: its objects, and the requests that it got."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.store = Store()
        self.calls: list[Call] = []
        self.address = ""
        self._lock = Lock()

    def changes(self) -> list[Call]:
        """The requests that are no reads."""
        return [call for call in self.calls if call.method != "GET"]

    def names(self) -> dict[str, list[str]]:
        """Names of all objects by endpoint; endpoints without any are left out."""
        found = {
            kind: sorted(str(one.get("name") or one.get("identifier")) for one in self.store.all(kind))
            for kind in self.store.objects
        }
        return {kind: names for kind, names in found.items() if names}

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """What the API answers."""
        with self._lock:
            self.calls.append(Call(method, path, body))
            parts = urlsplit(path)
            steps = [step for step in parts.path.split("/") if step][2:]
            try:
                return self._route(method, steps, dict(parse_qsl(parts.query)), body or {})
            except RefusedError as error:
                return 400, {"detail": str(error)}

    def _route(self, method: str, steps: list[str], query: dict[str, str], body: Any) -> Answer:
        match steps:
            case ["project_updates" | "inventory_updates", number]:
                return 200, {**DONE, "id": int(number)}
            case [endpoint]:
                return self._collection(method, endpoint, query, body)
            case ["roles", number, actors]:
                return self._associations(method, "roles", int(number), actors, body)
            case [endpoint, number, *rest] if found := self.store.find(endpoint, int(number)):
                return self._of(method, endpoint, found, rest, body)
        return 404, {"detail": "Not found."}

    def _collection(self, method: str, endpoint: str, query: Mapping[str, str], body: Any) -> Answer:
        if endpoint not in FIELDS and endpoint not in ("unified_job_templates", "instance_groups"):
            return 404, {"detail": "Not found."}
        if method == "POST":
            made = self.store.create(endpoint, body)
            answer = self.store.shown(endpoint, made)
            if endpoint == "projects":
                # A new project is fetched at once.
                answer["summary_fields"]["current_update"] = {"id": self.store.next_id()}
                answer["scm_revision"] = "0" * 40
            return 201, answer
        return 200, _page(
            [self.store.shown(endpoint, one) for one in self.store.all(endpoint) if self._fits(one, query)]
        )

    def _fits(self, found: Object, query: Mapping[str, str]) -> bool:
        for name, wanted in query.items():
            if name in PAGING or name == "or__id":
                continue
            field, _underscores, operator = name.partition("__")
            value: Any = found.get(field)
            if operator == "startswith":
                if not str(value).startswith(wanted):
                    return False
                continue
            if operator:
                value = self._followed(found, name.split("__"))
            if str(value) != wanted:
                return False
        return True

    def _followed(self, found: Object, steps: list[str]) -> Any:
        """The value at the end of ids that refer to one another."""
        kinds = {"organization": "organizations", "workflow_job_template": "workflow_job_templates"}
        kinds |= {"credential_type": "credential_types", "unified_job_template": "unified_job_templates"}
        current: Any = found
        for step in steps[:-1]:
            if step not in kinds:
                raise RefusedError(f"{'__'.join(steps)} is no filter that the stand-in knows")
            current = self.store.find(kinds[step], (current or {}).get(step) or 0)
        return (current or {}).get(steps[-1])

    def _of(self, method: str, endpoint: str, found: Object, rest: list[str], body: Any) -> Answer:
        """What belongs to one object."""
        number = found["id"]
        if not rest:
            return self._one(method, endpoint, found, body)
        [name, *more] = rest
        if more:
            return 404, {"detail": "Not found."}
        if name == "survey_spec":
            return self._survey(method, endpoint, number, body)
        if method == "POST" and name == "create_approval_template":
            return self._approval(found, body)
        if method == "POST" and name == "update":
            update = self.store.next_id()
            return 202, {"id": update, "status": "pending", "url": f"/api/v2/inventory_updates/{update}/"}
        return self._associations(method, endpoint, number, name, body)

    def _one(self, method: str, endpoint: str, found: Object, body: Any) -> Answer:
        if method == "DELETE":
            self._delete(endpoint, found)
            return (202 if endpoint == "inventories" else 204), None
        if method == "PATCH":
            found = self.store.update(endpoint, found["id"], body)
        return 200, self.store.shown(endpoint, found)

    def _delete(self, endpoint: str, found: Object) -> None:
        approvals = self.store.objects.get("workflow_approval_templates", {})
        nodes = self.store.all("workflow_job_template_nodes")
        self.store.delete(endpoint, found["id"])
        left = {node["id"] for node in self.store.all("workflow_job_template_nodes")}
        for node in nodes:
            if node["id"] not in left:
                approvals.pop(node["unified_job_template"] or 0, None)

    def _survey(self, method: str, endpoint: str, number: int, body: Any) -> Answer:
        if method == "GET":
            return 200, self.store.surveys.get((endpoint, number), {})
        if method == "DELETE":
            self.store.surveys.pop((endpoint, number), None)
            return 200, {}
        if wrong := list(survey_problems(body)):
            return 400, {"error": "; ".join(wrong)}
        self.store.surveys[(endpoint, number)] = body
        return 200, {}

    def _approval(self, node: Object, body: Any) -> Answer:
        if unknown := body.keys() - {"name", "description", "timeout"}:
            raise RefusedError(f"an approval has no {unknown}")
        number = self.store.next_id()
        approval = {
            "id": number,
            "type": "workflow_approval_template",
            "url": f"/api/v2/workflow_approval_templates/{number}/",
            "name": body["name"],
            "description": body.get("description", ""),
            "timeout": body.get("timeout", 0),
        }
        self.store.objects.setdefault("workflow_approval_templates", {})[number] = approval
        node["unified_job_template"] = number
        return 201, approval

    def _associations(self, method: str, endpoint: str, number: int, name: str, body: Any) -> Answer:
        if name not in ASSOCIATIONS.get(endpoint, {}):
            return 404, {"detail": "Not found."}
        kind = ASSOCIATIONS[endpoint][name]
        if method == "GET":
            ids = self.store.associations.get((endpoint, number, name), [])
            return 200, _page([self.store.shown(kind, one) for one in self.store.all(kind) if one["id"] in ids])
        if self.store.find(kind, body["id"]) is None:
            raise RefusedError(f"{kind} has no {body['id']}")
        self.store.associate(endpoint, number, name, body["id"], bool(body.get("disassociate")))
        return 204, None


def _page(found: list[Any]) -> dict[str, Any]:
    return {"count": len(found), "next": None, "previous": None, "results": found}


@contextmanager
def serving(token: str) -> Iterator[Controller]:
    """The stand-in, on a port of this machine."""
    controller = Controller(token)

    class Handler(BaseHTTPRequestHandler):
        """Hands each request on."""

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            if self.headers.get("Authorization") == f"Bearer {controller.token}":
                status, answer = controller.answer(self.command, self.path, json.loads(text) if text else None)
            else:
                status, answer = 401, {"detail": "Authentication credentials were not provided."}
            said = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    for method in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._any)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    controller.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield controller
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
