# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A first deployment on an AWS that is not ready at once: nothing begins before what it needs is there."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.benchmarks.converge import first_deployment
from ansible_collections.sm2a.airflow.tests.benchmarks.converge.waits import seconds

# The longest wait is 45 seconds.
SCALE = 0.05
# What is started first, what AWS has time for, and where it is waited for.
ORDER = [
    "network : VPC, subnets, gateways, route tables and network ACLs",
    "database : Start the database",
    "load_balancer : Certificate",
    "images : Build and push the images",
    "load_balancer : Load balancer with its listeners",
    "cluster : Create the Service Connect namespace",
    "database : Wait until the database is available",
    "network : Wait for the NAT gateways",
    "airflow : Create the database's user and schema",
    "airflow : Run the services",
    "autoscaler : Run the service",
    "airflow : Wait until the services are steady",
]


def test_a_first_deployment_waits_for_what_it_needs(tmp_path: Path) -> None:
    spent, waits = first_deployment.deploy(tmp_path / "account", seconds(), SCALE)
    result = first_deployment.Result(SCALE, spent.wall, 0.0, 0.0, waits)
    assert first_deployment.problems(result) == []
    lines = (tmp_path / "account/results.jsonl").read_text(encoding="utf-8").splitlines()
    tasks = [json.loads(line)["task"] for line in lines]
    assert [name for name in ORDER if not any(name in task for task in tasks)] == []
    order = [next(number for number, task in enumerate(tasks) if name in task) for name in ORDER]
    assert order == sorted(order)
