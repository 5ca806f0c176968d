# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the options of the role images say to the builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.roles.rendering import render

# options -> build arguments
CASES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"images_git": True}, {"EXTRA_PACKAGES": "git openssh-client"}),
    (
        {"images_git": True, "images_packages": ["libaio1t64", "git"]},
        {"EXTRA_PACKAGES": "git libaio1t64 openssh-client"},
    ),
    ({"images_require_hashes": True}, {"REQUIRE_HASHES": "true"}),
    ({"images_worker_queues": ["default", "high"]}, {"WORKER_QUEUES": "default high"}),
    ({"images_dag_import_test": False}, {"IMPORT_TEST": "false"}),
    ({"images_index_url": "https://pypi.example.com/simple"}, {"INDEX_URL": "https://pypi.example.com/simple"}),
]


def test_build_arguments(tmp_path: Path) -> None:
    files = ("defaults/main.yml", "vars/main.yml")
    found = render(tmp_path, "images", files, "__images_airflow_build_args", [options for options, _ in CASES])
    assert found == [wanted for _, wanted in CASES]


def test_a_users_certificate_authorities_take_the_place_of_ours(tmp_path: Path) -> None:
    files = ("defaults/main.yml", "vars/main.yml")
    expression = "__images_authorities.values() | flatten"
    cases = [{}, {"images_database_ca_bundle": "/mine.pem"}]
    plain, own = render(tmp_path, "images", files, expression, cases)
    assert plain == []
    assert [overlay["source"] for overlay in own] == ["/mine.pem"] * 2
    for overlay in own:
        assert (PROJECT / overlay["target"]).is_file()
