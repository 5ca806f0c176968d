# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Connections that Airflow reads as meant, and those that it cannot read; no sentence repeats a value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.connections import connection_problem
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.secrets import problems

CANARY = "birdsong"
RIGHT: list[Any] = [
    f"postgres://login:{CANARY}@db.example.com:5432/schema",
    "postgresql://db.example.com/a?options=-c%20search_path%3Dx",
    f"mysql://login:a%40b%2F{CANARY}@10.0.0.7/a\n",
    "http://[::1]:8080/",
    "http://https://api.example.com:8443/v1",
    "http://https%3A%2F%2Fapi.example.com",
    "google-cloud-platform://?extra__project=x",
    "aws://?endpoint_url=http://localhost:4566",
    "aws://",
    "s3://shared",
    "sqlite:////tmp/a.db",
    "ssh://login@host:22",
    {"conn_type": "http"},
    {"conn_type": "git", "login": "airflow", "password": CANARY, "extra": {"private_key": CANARY}},
    {"engine": "postgres", "username": "a", "password": CANARY, "host": "b", "port": 5432, "database": "c"},
    {"conn_type": "postgres", "port": "5432", "extra": '{"sslmode": "require"}'},
    {"conn_type": "aws", "login": None, "extra": "", "port": ""},
    json.dumps({"conn_type": "http", "host": "https://a"}),
]
READ = "its host or port must be one that can be read"
WRONG: list[tuple[Any, str]] = [
    (CANARY, "must be a URI with conn_type://"),
    (f"postgres:login:{CANARY}@db", "must be a URI with conn_type://"),
    (f"://login:{CANARY}@db", "must begin with its conn_type"),
    (f"google_cloud_platform://{CANARY}", "must begin with its conn_type"),
    (f"postgres://login:{CANARY} x@db", "must have no space"),
    (f"postgres://login:{CANARY}\n@db", "must have no space and no line end"),
    (f"postgres://login:{CANARY}%@db", "must have two hexadecimal digits after each '%'; write %25"),
    (f"postgres://login:{CANARY}%4@db", "must have two hexadecimal digits"),
    (f"postgres://login:{CANARY}#1@db", "must have no '#'"),
    (f"postgres://login:{CANARY}/1@db", READ),
    (f"postgres://login:{CANARY}?1@db", READ),
    (f"postgres://login:{CANARY}@db:port/a", READ),
    (f"postgres://login:{CANARY}@db:70000/a", READ),
    (f"http://[::1:8080/{CANARY}", READ),
    (f"http://login:{CANARY}@https://db", "must not have '://' in a login, password or host"),
    (f"http://a://b://{CANARY}", "must not have '://'"),
    ({"host": CANARY}, "must have a conn_type"),
    ({"conn_type": "", "host": CANARY}, "must have a conn_type"),
    ({"conn_type": "http", "hots": CANARY}, "not hots, which Airflow drops; did you mean host?"),
    (
        {"conn_type": "http", "private_key": CANARY},
        "not private_key, which Airflow drops; what is meant for the provider",
    ),
    ({"uri": f"http://{CANARY}"}, "must have no field uri"),
    ({"conn_type": "http", "password": 4711}, "password must be text; put it in quotes"),
    ({"conn_type": "http", "login": True}, "login must be text; put it in quotes"),
    ({"conn_type": "http", "pass": 1.1}, "pass must be text; put it in quotes"),
    ({"conn_type": "http", "host": {"name": CANARY}}, "host must be text"),
    ({"conn_type": "http", "port": CANARY}, "port must be a whole number, at most 65535"),
    ({"conn_type": "http", "port": 70000}, "port must be"),
    ({"conn_type": "http", "port": True}, "port must be"),
    ({"conn_type": "http", "port": "9" * 5000}, "port must be"),
    ({"conn_type": "http", "port": -1}, "port must be"),
    ({"conn_type": "http", "extra": "[" * 10000}, "extra must be a dictionary"),
    ({"conn_type": "http", "port": 80.5}, "port must be"),
    ({"conn_type": "http", "extra": CANARY}, "extra must be a dictionary, or text that is one in JSON"),
    ({"conn_type": "http", "extra": f'["{CANARY}"]'}, "extra must be a dictionary"),
    ({"conn_type": "http", "extra": [CANARY]}, "extra must be a dictionary"),
    (f'{{"conn_type": "http", "password": "{CANARY}"', "must be JSON, as it begins with '{'"),
    (f'{{"host": "{CANARY}"}}', "must have a conn_type"),
]


@pytest.mark.parametrize("value", RIGHT)
def test_what_airflow_reads_passes(value: Any) -> None:
    assert problems({"secrets_connections": {"name": value}}) == []


@pytest.mark.parametrize(("value", "said"), WRONG)
def test_what_airflow_cannot_read_is_refused_by_name(value: Any, said: str) -> None:
    [problem] = problems({"secrets_connections": {"warehouse": value}})
    assert problem.startswith("secrets_connections.warehouse: ")
    assert said in problem
    assert CANARY not in problem
    assert "4711" not in problem


def test_connections_of_groups_are_judged_and_variables_are_not() -> None:
    [problem] = problems({"secrets_group_connections": {"team": {"warehouse": {"host": "a"}}}})
    assert problem.startswith("secrets_group_connections.team.warehouse: must have a conn_type")
    assert problems({"secrets_variables": {"a": {"host": "a"}, "b": "no URI"}}) == []


def test_a_connection_from_elsewhere_is_not_judged() -> None:
    assert problems({"secrets_connections": {"a": {"value_from": {"environment": "A"}}}}) == []
    assert connection_problem({"conn_type": "http"}) is None
