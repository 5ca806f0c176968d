# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Two linters of IAM policies find nothing in the roles that a deployment makes."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tools.audit.environment import Environment, statements

pytestmark = pytest.mark.chain("audit")

with warnings.catch_warnings():
    # Both of parliament: it imports pkg_resources, and its regular expressions are not raw.
    warnings.simplefilter("ignore")
    import parliament
    from cloudsplaining.scan.policy_document import PolicyDocument

# What cloudsplaining calls its risks; each is a list of actions, empty when there is none.
RISKS = (
    "allows_privilege_escalation",
    "permissions_management_without_constraints",
    "write_actions_without_constraints",
    "allows_data_exfiltration_actions",
    "service_wildcard",
    "credentials_exposure",
    "infrastructure_modification",
)
# parliament's list of AWS actions ends before this one took log groups as resources.
OUTDATED = {
    ("RESOURCE_MISMATCH", "logs:DescribeLogGroups"),
    # Without a container instance, IAM is asked for the resource `*`: what limits it is the condition on the cluster.
    ("RESOURCE_STAR", "ecs:ListTasks"),
}
BAD = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["iam:PassRole", "s3:*"], "Resource": "*"}]}


def policies(environment: Environment) -> dict[str, dict[str, Any]]:
    """Every inline policy, by role and name."""
    iam = environment.aws("iam")
    return {
        f"{role['RoleName']}/{name}": iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
        for role in environment.roles
        for name in environment.pages("iam", "list_role_policies", "PolicyNames", RoleName=role["RoleName"])
    }


def parliament_findings(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Issue and the actions that it is about."""
    findings = parliament.analyze_policy_string(json.dumps(document)).findings
    return {
        (finding.issue, entry["action"] if isinstance(entry, dict) else str(entry))
        for finding in findings
        for entry in (finding.detail if isinstance(finding.detail, list) else [finding.detail])
    }


def risks(document: dict[str, Any]) -> dict[str, Any]:
    judged = PolicyDocument(document)
    return {risk: getattr(judged, risk) for risk in RISKS if getattr(judged, risk)}


@pytest.fixture(scope="module")
def deployed_policies(environment: Environment) -> dict[str, dict[str, Any]]:
    found = policies(environment)
    assert len(found) >= 8
    assert all(statements(document) for document in found.values())
    return found


def test_parliament_finds_nothing(deployed_policies: dict[str, dict[str, Any]]) -> None:
    found = {name: parliament_findings(document) - OUTDATED for name, document in deployed_policies.items()}
    assert {name: told for name, told in found.items() if told} == {}


def test_cloudsplaining_finds_nothing(deployed_policies: dict[str, dict[str, Any]]) -> None:
    found = {name: risks(document) for name, document in deployed_policies.items()}
    assert {name: told for name, told in found.items() if told} == {}


def test_both_find_what_is_wrong() -> None:
    assert {"service_wildcard", "write_actions_without_constraints"} <= set(risks(BAD))
    assert parliament_findings({**BAD, "Statement": [{"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"}]})
