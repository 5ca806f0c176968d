# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What an inventory sets reaches AWS also where site.yml sets the same option, and options that no other test sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.sm2a.airflow.tests.control_plane import runs

DAGS_KEY = "arn:aws:kms:eu-west-1:000000000000:key/dags"
# Variables of the host: extra ones would win over what site.yml sets, and hide what it does.
VALUES: dict[str, Any] = {
    "airflow_dags_source": "s3",
    "airflow_dags_s3_uri": "s3://company-dags/airflow",
    "cluster_dags_kms_key_arn": DAGS_KEY,
    "network_load_balancer_egress": [{"ports": [8443], "cidrs": ["192.0.2.0/24"]}],
}


class Environment:
    """An environment whose variables come from an inventory."""

    def __init__(self, aws: runs.ControlPlane, folder: Path) -> None:
        self.aws, self._inventory = aws, folder / "values.yml"

    def deploy(self, values: dict[str, Any]) -> None:
        """Run site.yml with these variables of the host."""
        self._inventory.write_text(yaml.safe_dump({"sm2a": {"hosts": {"control_plane": values}}}), encoding="utf-8")
        run = self.aws.play("site", "-i", str(self._inventory))
        assert run.code == 0, run.end()

    def egress(self, group: str) -> set[tuple[int, str]]:
        """Ports and ranges that the security group lets out to."""
        name = {"Name": "group-name", "Values": [f"{runs.NAME}-{group}"]}
        [found] = self.aws.client("ec2").describe_security_groups(Filters=[name])["SecurityGroups"]
        rules = found["IpPermissionsEgress"]
        return {(rule["FromPort"], entry["CidrIp"]) for rule in rules for entry in rule["IpRanges"]}

    def statements(self, component: str) -> dict[str, dict[str, Any]]:
        """What the component's task role allows, by the names of the statements."""
        role = {"RoleName": f"{runs.NAME}-{component}", "PolicyName": "permissions"}
        document = self.aws.client("iam").get_role_policy(**role)["PolicyDocument"]
        return {each["Sid"]: each for each in document["Statement"]}

    def variables(self, family: str) -> dict[str, str]:
        """Environment of the family's first container."""
        answer = self.aws.client("ecs").describe_task_definition(taskDefinition=f"{runs.NAME}-{family}")
        pairs = answer["taskDefinition"]["containerDefinitions"][0]["environment"]
        return {pair["name"]: pair["value"] for pair in pairs}


@pytest.fixture(scope="module")
def environment(control_plane: runs.ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    deployed = Environment(control_plane, tmp_path_factory.mktemp("inventory"))
    deployed.deploy(VALUES)
    return deployed


def test_dags_come_from_a_bucket_of_ones_own(environment: Environment) -> None:
    for component in ("dag-processor", "worker"):
        allowed = environment.statements(component)
        assert allowed["ReadDags"]["Resource"] == ["arn:aws:s3:::company-dags/airflow/*"]
        assert allowed["ListDags"]["Resource"] == ["arn:aws:s3:::company-dags"]
        assert allowed["DecryptDags"]["Resource"] == DAGS_KEY
    assert "ReadDags" not in environment.statements("scheduler")
    for family in ("dag-processor", "worker-default"):
        variables = environment.variables(family)
        [bundle] = json.loads(variables["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"])
        assert (bundle["kwargs"]["bucket_name"], bundle["kwargs"]["prefix"]) == ("company-dags", "airflow")


def test_the_load_balancer_may_reach_what_the_inventory_says(environment: Environment) -> None:
    assert environment.egress("load-balancer") == {(8443, "192.0.2.0/24")}
