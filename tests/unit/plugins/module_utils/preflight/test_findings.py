# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How findings become problems, warnings and endings of checks."""

from __future__ import annotations

from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.checks import NAMES
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding, Unread, conclude
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import QUOTAS
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.support.role_files import main_options

MADE = ["vpcs", "elastic_ips", "secrets", "role_names"]


def test_everything_passes_where_nothing_is_found() -> None:
    result = conclude(MADE, [], [], [])
    assert result == {"changed": False, "problems": [], "notices": [], "checks": dict.fromkeys(MADE, "passed")}


def test_problems_are_in_the_order_of_the_checks() -> None:
    found = [Finding("role_names", "b"), Finding("vpcs", "a"), Finding("role_names", "c")]
    result = conclude(MADE, found, [], [])
    assert [one["message"] for one in result["problems"]] == ["a", "b", "c"]
    assert result["checks"] == {
        "vpcs": "problem",
        "elastic_ips": "passed",
        "secrets": "passed",
        "role_names": "problem",
    }


def test_a_check_that_is_ignored_is_a_warning() -> None:
    result = conclude(MADE, [Finding("vpcs", "a"), Finding("secrets", "b", certain=False)], [], ["vpcs"])
    assert result["problems"] == []
    assert result["notices"] == [{"check": "vpcs", "message": "a"}, {"check": "secrets", "message": "b"}]
    assert (result["checks"]["vpcs"], result["checks"]["secrets"]) == ("ignored", "warning")


def test_a_problem_outweighs_a_guess_of_the_same_check() -> None:
    found = [Finding("vpcs", "guess", certain=False), Finding("vpcs", "sure")]
    assert conclude(MADE, found, [], [])["checks"]["vpcs"] == "problem"
    assert conclude(MADE, list(reversed(found)), [], [])["checks"]["vpcs"] == "problem"


def test_one_reason_is_one_warning_with_all_checks_that_it_prevents() -> None:
    unread = [
        Unread(("vpcs",), "No right."),
        Unread(("vpcs", "secrets"), "No right."),
        Unread(("role_names",), "Late."),
    ]
    result = conclude(MADE, [], unread, [])
    assert [one["message"] for one in result["notices"]] == [
        "Not checked: vpcs, secrets. No right.",
        "Not checked: role_names. Late.",
    ]
    assert result["checks"] == {
        "vpcs": "not checked",
        "elastic_ips": "passed",
        "secrets": "not checked",
        "role_names": "not checked",
    }


def test_a_check_that_was_made_in_part_keeps_its_problem() -> None:
    result = conclude(MADE, [Finding("vpcs", "a")], [Unread(("vpcs",), "No right.")], [])
    assert result["checks"]["vpcs"] == "problem"
    assert len(result["notices"]) == 1


def test_the_role_knows_every_check_and_no_other() -> None:
    assert main_options("preflight")["preflight_ignore"]["choices"] == list(NAMES)
    assert len(set(NAMES)) == len(NAMES)
    assert set(QUOTAS) < set(NAMES)


def test_every_check_is_on_the_page() -> None:
    page = (PROJECT / "docs/preflight.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"| `{name}` |" not in page] == []
    assert "(docs/preflight.md)" in (PROJECT / "README.md").read_text(encoding="utf-8")
