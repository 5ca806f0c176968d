# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The controller's extra variables, which whoever launches a job can give as well, are numbers and short lines."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.s3.lock_holder import Job
from ansible_collections.sm2a.airflow.plugins.plugin_utils.controller_job import controller_job

# As AWX 24.6.1 hands them to ansible-playbook, each a second time as tower_*.
VARIABLES = {
    "awx_job_id": 41,
    "awx_job_launch_type": "manual",
    "awx_job_template_id": 7,
    "awx_job_template_name": "Deploy",
    "awx_user_id": 1,
    "awx_user_name": "ada",
    "awx_workflow_job_id": 40,
}
ENVIRONMENT = {"AWX_HOST": "https://awx.example.com"}


def job_of(environment: dict[str, str] = ENVIRONMENT, **variables: Any) -> Job:
    members = controller_job({**VARIABLES, **variables}, environment, allow_simultaneous=False)
    assert members is not None
    return Job(**members)


def test_job_of_a_workflow() -> None:
    job = job_of()
    assert job == Job(41, "ada", 7, "Deploy", 40, "https://awx.example.com", allow_simultaneous=False)
    assert job.url == "https://awx.example.com/#/jobs/playbook/41"


def test_job_of_a_schedule_has_no_user() -> None:
    """The job of an older controller, by the other names."""
    variables = {"tower_job_id": "41", "tower_job_template_id": "7", "tower_job_template_name": "Deploy"}
    members = controller_job(variables, {}, allow_simultaneous=True)
    assert members is not None
    job = Job(**members)
    assert (job.id, job.template_id, job.user, job.workflow_id, job.url) == (41, 7, "", 0, "")
    assert str(job) == 'job 41 of template "Deploy"'


@pytest.mark.parametrize("number", [None, "", "x", "4 1", "-1", "1e3", "9" * 19, True, [41], {"id": 41}, "41\n", "٤"])
def test_no_job(number: Any) -> None:
    variables = VARIABLES if number is None else {**VARIABLES, "awx_job_id": number}
    given = {name: value for name, value in variables.items() if number is not None or name != "awx_job_id"}
    assert controller_job(given, ENVIRONMENT, allow_simultaneous=False) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\nTASK [all well]", "a TASK [all well]"),
        ("\x1b[31mred\x07", "[31mred"),
        ("right\u202eleft", "right left"),
        (["a"], ""),
        ("{{ lookup('env', 'HOME') }}", "{{ lookup('env', 'HOME') }}"),
        ("x" * 101, "x" * 97 + "..."),
        ("x" * 10_000_000, "x" * 97 + "..."),
    ],
)
def test_a_name_is_one_short_line(name: Any, said: str) -> None:
    job = job_of(awx_user_name=name, awx_job_template_name=name)
    assert (job.user, job.template) == (said, said)


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://awx.example.com/", "https://awx.example.com"),
        ("http://10.0.0.1:8052", "http://10.0.0.1:8052"),
        ("https://[fd00::1]:8443", "https://[fd00::1]:8443"),
        ("https://awx.example.com/controller", "https://awx.example.com/controller"),
        # What every controller says whose address nobody has set.
        ("https://towerhost", ""),
        ("https://platformhost/", ""),
        ("javascript:alert(1)", ""),
        ("https://user:secret@awx.example.com", ""),
        ("https://awx.example.com\nx", ""),
        ("https://" + "x" * 201, ""),
        ("", ""),
    ],
)
def test_address(address: str, taken: str) -> None:
    assert job_of({"AWX_HOST": address}).controller == taken
