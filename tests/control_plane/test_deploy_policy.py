# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""site.yml and teardown.yml, by a role that has exactly the published deploy policies; no statement of them is idle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.control_plane import deploy_options, deploy_role
from ansible_collections.sm2a.airflow.tests.control_plane.deploy_options import OF_TEAM
from ansible_collections.sm2a.airflow.tests.control_plane.deploy_role import ACCOUNT, DeployRole, Documents
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tools import deploy_policy
from sm2a_local_aws.iam import recording
from sm2a_local_aws.iam.policy.documents import Document, parse
from sm2a_local_aws.iam.policy.evaluation import Policies, Request, evaluate
from sm2a_local_aws.iam.policy.principals import Principal

DEPLOYER = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/{deploy_role.NAME}/me", ACCOUNT)
# The key policies of keys that are used: each leaves it to IAM. Those of other resources only deny, to others.
LEAVES_IT_TO_IAM = parse(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
)
REPOSITORY = {"names": [f"{runs.NAME}/airflow"], "tags": {"sm2a:environment": runs.NAME}, "force": True}
NEWEST = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5}
LIFECYCLE = {"rules": [{"rulePriority": 1, "selection": NEWEST, "action": {"type": "expire"}}]}


@dataclass
class Part:
    """Calls that were made with one set of documents."""

    session: str
    documents: Documents
    # Each once, whenever it was made.
    requests: dict[str, Request] = field(default_factory=dict)


@dataclass
class Lives:
    """Every environment's life: how its runs ended, and what was asked for with which documents."""

    aws: runs.ControlPlane
    directory: Path
    played: dict[str, runs.PlaybookRun] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    # What the roles of each environment are allowed, and what its boundary would be.
    roles: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    boundaries: dict[str, Documents] = field(default_factory=dict)

    def role(self, session: str, *options: str) -> DeployRole:
        """The deploy role with what these options write."""
        documents = deploy_role.written(self.directory / session, *options)
        self.parts.append(Part(session, documents))
        return deploy_role.assume(self.aws, documents, session)

    def live(self, name: str, prepare: deploy_options.Prepare) -> None:
        """Deploy, change and remove one environment in an empty account."""
        self.aws.reset()
        case = prepare(self.aws, self.directory)
        role = self.role(f"{name}-first", *case.policy)
        limited = [option for option in case.policy if option != "--without-permissions-boundary"]
        self.boundaries[name] = deploy_role.written(self.directory / f"{name}-boundary", *limited)
        self.played[f"{name}: site"] = site = role.play("site", **case.made)
        self.roles[name] = role_policies(self.aws)
        if site.code == 0 and case.changed is not None:
            # From now on the VPC is known; something was added to its default group.
            role = self.role(f"{name}-later", *case.policy, "--own-vpc", open_default_group(self.aws))
            self.played[f"{name}: change"] = role.play("site", **case.changed)
        leave_in_namespace(self.aws)
        variables = {**(case.changed or case.made), **case.removed}
        self.played[f"{name}: teardown"] = role.play("teardown", **variables)

    def use_modules(self) -> None:
        """What no run does here: images are given, and no run takes boundaries off."""
        self.aws.reset()
        place = self.role("modules-limited").arguments()
        support.run("ecr_repository", {**place, **REPOSITORY, "lifecycle_policy": LIFECYCLE})
        support.run("ecr_repository", {**place, **REPOSITORY, "state": "absent"})
        place = self.role("modules-unlimited", "--without-permissions-boundary").arguments()
        role = {"roles": [{"name": f"{runs.NAME}-worker"}], "trust_statements": []}
        for boundary in (deploy_role.BOUNDARY_ARN, ""):
            support.run("iam_service_roles", {**place, **role, "permissions_boundary": boundary})

    def read(self, record: Path) -> None:
        """Give each part the requests of its session."""
        parts = {part.session: part for part in self.parts}
        for caller, request, _line in recording.read(record):
            part = parts.get(caller.rpartition("/")[2])
            if part and f"/{deploy_role.NAME}/" in caller:
                timeless = {key: value for key, value in request.context.items() if not key.endswith("time")}
                part.requests[f"{request.action} {request.resource} {sorted(timeless.items())}"] = request


def role_policies(aws: runs.ControlPlane) -> list[dict[str, Any]]:
    """The statements of the policies that a run wrote into roles of the environment."""
    iam = aws.client("iam")
    names = [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith(f"{runs.NAME}-")]
    written = [
        iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for name in names
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    return [statement for document in written for statement in document["Statement"]]


def open_default_group(aws: runs.ControlPlane) -> str:
    """Add a rule to the default group of the environment's VPC, as somebody does by hand; the VPC's id."""
    ec2 = aws.client("ec2")
    tag = {"Name": "tag:sm2a:environment", "Values": [runs.NAME]}
    vpc: str = ec2.describe_vpcs(Filters=[tag])["Vpcs"][0]["VpcId"]
    found = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    group = next(one["GroupId"] for one in found if one["GroupName"] == "default")
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "192.0.2.1/32"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    return vpc


def leave_in_namespace(aws: runs.ControlPlane) -> None:
    """Make what ECS Service Connect makes, and leaves when a task is gone; without containers nobody does."""
    cloud_map = aws.client("servicediscovery")
    namespaces = [one["Id"] for one in cloud_map.list_namespaces()["Namespaces"] if one["Name"] == runs.NAME]
    for namespace in namespaces:
        service = cloud_map.create_service(Name="api-server", NamespaceId=namespace)["Service"]["Id"]
        address = {"AWS_INSTANCE_IPV4": "10.0.0.1"}
        cloud_map.register_instance(ServiceId=service, InstanceId="gone", Attributes=address)


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lives]:
    directory = tmp_path_factory.mktemp("deploy_policy")
    record = directory / "rights.jsonl"
    with runs.control_plane(directory, "--record-rights", str(record)) as aws:
        lived = Lives(aws, directory)
        lived.use_modules()
        for name, prepare in deploy_options.CASES.items():
            lived.live(name, prepare)
        lived.read(record)
        yield lived


def is_allowed(request: Request, documents: list[Document]) -> bool:
    """Whether the documents allow it to the deployer."""
    resource = LEAVES_IT_TO_IAM if request.action.startswith("kms:") else None
    return evaluate(DEPLOYER, request, Policies(documents, resource=resource)).allowed


def deploy_documents(documents: Documents, without: str = "") -> list[Document]:
    """The documents of the deploy role, without the statement of that Sid."""
    return [
        parse({**document, "Statement": [one for one in document["Statement"] if one["Sid"] != without]})
        for name, document in documents.items()
        if not name.endswith(("-boundary", "-dns")) or name.endswith("-deploy-dns")
    ]


@pytest.mark.parametrize(
    "run",
    [
        f"{name}: {what}"
        for name in deploy_options.CASES
        for what in ("site", "change", "teardown")
        if what != "change" or name == "defaults"
    ],
)
def test_the_run_has_every_right_that_it_needs(lives: Lives, run: str) -> None:
    played = lives.played[run]
    assert played.code == 0, f"{played.message}\n{played.end()}"
    assert played.changed


def test_what_was_recorded_is_allowed_and_something_was(lives: Lives) -> None:
    for part in lives.parts:
        documents = deploy_documents(part.documents)
        assert part.requests, part.session
        refused = {(one.action, one.resource) for one in part.requests.values() if not is_allowed(one, documents)}
        assert refused == set(), part.session


@pytest.mark.parametrize("sid", [one["sid"] for listed in deploy_policy.statements().values() for one in listed])
def test_no_statement_can_be_left_out(lives: Lives, sid: str) -> None:
    """Without it some call of these runs would be refused."""
    assert any(not is_allowed(request, documents) for request, documents in concerned(lives, sid))


def concerned(lives: Lives, sid: str) -> Iterator[tuple[Request, list[Document]]]:
    """What was asked for of the actions of a statement, and the documents of then without it."""
    for part in lives.parts:
        statements = [one for document in part.documents.values() for one in document["Statement"]]
        actions = {action for one in statements if one["Sid"] == sid for action in one["Action"]}
        documents = deploy_documents(part.documents, without=sid)
        yield from ((one, documents) for one in part.requests.values() if one.action in actions)


@pytest.mark.parametrize("name", deploy_options.CASES)
def test_the_boundary_allows_what_the_roles_are_allowed(lives: Lives, name: str) -> None:
    limit = [parse(lives.boundaries[name][f"{runs.NAME}-boundary"])]
    assert lives.roles[name]
    lacking = [
        (statement["Sid"], request.action, request.resource)
        for statement in lives.roles[name]
        if statement["Effect"] == "Allow"
        for request in asked_by(statement)
        if not is_allowed(request, limit)
    ]
    assert lacking == []


def test_the_boundary_allows_no_action_that_no_role_has(lives: Lives) -> None:
    allowed = {action for statement in deploy_policy.boundary_statements() for action in statement["actions"]}
    statements = [statement for written in lives.roles.values() for statement in written]
    assert allowed == {action for one in statements if one != OF_TEAM[0] for action in _listed(one["Action"])}


def asked_by(statement: Mapping[str, Any]) -> Iterator[Request]:
    """A request for each action and resource of a statement, as a caller makes it who meets its conditions."""
    tagged = {
        "aws:ResourceTag/sm2a:environment": runs.NAME,
        "aws:ResourceTag/aws:rds:primaryDBInstanceArn": f"arn:aws:rds:{runs.REGION}:{ACCOUNT}:db:{runs.NAME}",
    }
    met = {
        key: values if isinstance(values, str) else values[0]
        for tests in statement.get("Condition", {}).values()
        for key, values in tests.items()
    }
    for action in _listed(statement["Action"]):
        for resource in _listed(statement["Resource"]):
            yield Request.of(action, resource, {**tagged, **met})


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_a_missing_right_ends_the_run_with_its_name(lives: Lives) -> None:
    lives.aws.reset()
    documents = deploy_role.written(lives.directory / "lacking")
    network = documents[f"{runs.NAME}-deploy-network"]
    network["Statement"] = [one for one in network["Statement"] if one["Sid"] != "CreateVpcAndAddresses"]
    role = deploy_role.assume(lives.aws, documents, "lacking")
    site = role.play("site", **deploy_options.LIMITED)
    assert site.code != 0
    vpc = f"arn:aws:ec2:{runs.REGION}:{ACCOUNT}:vpc/*"
    assert f"The credentials lack ec2:CreateVpc on {vpc}: add it to their policy" in site.message
    assert len(site.message.splitlines()) == 1
    holders = lives.aws.client("s3").list_objects_v2(Bucket=f"{runs.NAME}-run-lock-{ACCOUNT}")
    assert "Contents" not in holders, "the failed run kept the lock"
