# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the IAM policies that a person or a pipeline needs to run site.yml and teardown.yml for one environment.

One file per subject of docs/permissions.yml, each small enough for a managed policy; attach all of them to one role.
Another file is the permissions boundary of the environment's own roles (docs/permissions_boundary.yml), which an
administrator creates.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

DOCS = Path(__file__).resolve().parents[1] / "docs"
# What IAM allows in a managed policy, not counting white space.
MANAGED_POLICY_CHARACTERS = 6144
# ARNs that come from role options and cannot be derived from names: the placeholder, and the option here.
GIVEN = {
    "GIVEN_SECRETS": ("--secret", "secret of somebody else that a run reads"),
    "GIVEN_KEYS": ("--key", "KMS key without the tag of the environment"),
    "GIVEN_ROLES": ("--role", "IAM role of somebody else that Enhanced Monitoring is given"),
    "GIVEN_POLICIES": ("--managed-policy", "managed policy that a worker group gets (policy_arns)"),
    "GIVEN_WEB_ACLS": ("--web-acl", "web ACL of somebody else"),
    "GIVEN_NETWORK": ("--network", "VPC of somebody else, and each of its subnets and route tables that are used"),
    "GIVEN_SNAPSHOTS": ("--snapshot", "DB snapshot that is restored, or a final one with a name of your own"),
    "GIVEN_MASTER_SECRET": ("--master-secret", "secret of the master user of a database that exists already"),
    "GIVEN_DAGS": ("--dags", "bucket of somebody else with DAGs, and its objects"),
    "GIVEN_TOPICS": ("--topic", "SNS topic of somebody else that alarms tell, or what an alarm of your own does"),
    "GIVEN_REPOSITORIES": ("--repository", "ECR repository of somebody else that images are pulled from"),
}
# What other options here become: the same form, but no ARNs that are given one by one.
BOUNDARY, OWN_VPC = "GIVEN_BOUNDARY", "GIVEN_OWN_VPC"
ZONES, DOMAINS, RECORDS = "GIVEN_ZONES", "GIVEN_DOMAINS", "GIVEN_RECORDS"
# Passing a role that is there is no such action; which one, the statement says.
GIVE_RIGHTS = (
    *("iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy"),
    *("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreatePolicyVersion", "iam:CreateRole", "iam:CreateUser"),
    *("iam:DeleteRolePermissionsBoundary", "iam:PutGroupPolicy", "iam:PutRolePermissionsBoundary"),
    *("iam:PutRolePolicy", "iam:PutUserPolicy", "iam:SetDefaultPolicyVersion", "iam:UpdateAssumeRolePolicy"),
    *("iam:UpdateLoginProfile", "sts:AssumeRoot"),
)
WITHOUT_BOUNDARY = (
    "Without a permissions boundary whoever holds these policies can become administrator of the account: by a role of "
    "the environment that is allowed everything. Give them only to people and pipelines that are administrators anyway."
)

Statement = dict[str, Any]
Given = Mapping[str, Sequence[str]]


def statements() -> dict[str, list[Statement]]:
    """docs/permissions.yml: by subject, statements of ``sid``, ``why``, ``actions``, ``resources`` and more."""
    return yaml.safe_load((DOCS / "permissions.yml").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def boundary_statements() -> list[Statement]:
    """docs/permissions_boundary.yml: statements of the same form."""
    source = (DOCS / "permissions_boundary.yml").read_text(encoding="utf-8")
    return yaml.safe_load(source)  # type: ignore[no-any-return]


def fill_in(value: Any, names: Mapping[str, str], given: Given) -> Any:
    """``value`` with every placeholder replaced at any depth; a placeholder of what is given becomes a list."""
    if isinstance(value, str):
        if value.startswith("GIVEN_"):
            return list(given.get(value, ()))
        # Whole words: CNAME is a type of records.
        words = "|".join(rf"\b{name}\b" if name.isalpha() else re.escape(name) for name in names)
        return re.sub(words, lambda found: names[found[0]], value)
    if isinstance(value, list):
        filled = [fill_in(item, names, given) for item in value]
        return [one for item in filled for one in (item if isinstance(item, list) else [item])]
    if isinstance(value, dict):
        return {key: fill_in(item, names, given) for key, item in value.items()}
    return value


def policy(listed: Sequence[Statement], names: Mapping[str, str], given: Given) -> dict[str, Any]:
    """The policy document of these statements, without those that are about nothing."""
    written = []
    for statement in listed:
        resources = fill_in(statement["resources"], names, given)
        conditions = fill_in(statement.get("conditions", {}), names, given)
        asks_for_nothing = any(not values for tests in conditions.values() for values in tests.values())
        if resources and not asks_for_nothing and not given.get(statement.get("unless", "")):
            written.append(
                {
                    "Sid": statement["sid"],
                    "Effect": "Allow",
                    "Action": statement["actions"],
                    "Resource": resources,
                    **({"Condition": conditions} if conditions else {}),
                }
            )
    return {"Version": "2012-10-17", "Statement": written}


def policies(names: Mapping[str, str], given: Given) -> dict[str, dict[str, Any]]:
    """Policy documents by subject.

    ``names``: NAME, REGION, ACCOUNT, PARTITION and /IAM_PATH/. ``given``: values by placeholder, such as GIVEN_KEYS.
    """
    return {subject: policy(listed, names, given) for subject, listed in statements().items()}


def boundary(names: Mapping[str, str], given: Given, worker_statements: Sequence[Any] = ()) -> dict[str, Any]:
    """The permissions boundary; ``worker_statements`` are the policy_statements of worker groups."""
    document = policy(boundary_statements(), names, given)
    document["Statement"] += worker_statements
    return document


def form(pattern: str, what: str) -> Callable[[str], str]:
    """A type of argument: text of this form; ArgumentTypeError for any other, with which a policy would be another."""

    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}")
        return text

    return checked


environment_name = form(r"[a-z][a-z0-9-]{1,20}", "name of an environment (sm2a_name)")
region = form(r"[a-z]{2,4}(-[a-z]+)+-\d+", "region, such as eu-west-1")
account = form(r"\d{12}", "account number of 12 digits")
iam_path = form(r"/([\w+=,.@-]+/)*", "path that begins and ends with a slash")
vpc_id = form(r"vpc-[0-9a-f]+", "id of a VPC")
zone_id = form(r"Z[A-Z0-9]+", "id of a hosted zone, such as Z0123456789")
domain = form(r"(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]+", "domain name, as airflow.example.com")
arn = form(r"arn:aws(-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:(\d{12}|aws)?:\S+", "ARN")
boundary_arn = form(r"arn:aws(-[a-z]+)*:iam::(\d{12}|aws):policy/\S+", "ARN of a managed policy")


def list_in(path: str) -> list[Any]:
    """The list in a file of YAML or JSON; ArgumentTypeError when there is none."""
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, list) or not all(isinstance(statement, dict) for statement in found):
        raise argparse.ArgumentTypeError(f"{path} is no list of statements")
    if any(_gives_rights(statement) for statement in found):
        raise argparse.ArgumentTypeError(f"{path} lets workers give rights in IAM: the boundary would be none")
    return found


def _gives_rights(statement: Mapping[str, Any]) -> bool:
    """Whether a statement lets its holder give rights, which a boundary is there to prevent."""
    actions = statement.get("Action", [])
    patterns = [str(pattern).lower() for pattern in ([actions] if isinstance(actions, str) else actions)]
    giving = any(fnmatch.fnmatchcase(action.lower(), pattern) for action in GIVE_RIGHTS for pattern in patterns)
    return statement.get("Effect") == "Allow" and (giving or "NotAction" in statement)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("name", type=environment_name, help="sm2a_name of the environment")
    made.add_argument("directory", type=Path, help="where the files go")
    made.add_argument("--region", required=True, type=region, help="sm2a_region")
    made.add_argument("--account", required=True, type=account, help="number of the AWS account")
    made.add_argument("--partition", default="aws", choices=["aws", "aws-eusc", "aws-us-gov"])
    limit = made.add_mutually_exclusive_group(required=True)
    limit.add_argument(
        "--permissions-boundary",
        type=boundary_arn,
        metavar="ARN",
        help="policy that every role must carry: that of <name>-boundary.json, or another",
    )
    limit.add_argument("--without-permissions-boundary", action="store_true", help=WITHOUT_BOUNDARY)
    made.add_argument(
        "--worker-statements",
        type=list_in,
        default=[],
        metavar="FILE",
        help="YAML or JSON list of IAM statements that worker groups get (policy_statements), for the boundary",
    )
    made.add_argument("--iam-path", default="/", type=iam_path, help="cluster_, network_ and database_iam_path")
    made.add_argument("--own-vpc", type=vpc_id, metavar="ID", help="the environment's VPC, once it is there")
    many: dict[str, Any] = {"action": "append", "default": []}
    made.add_argument("--hosted-zone", type=zone_id, metavar="ID", help="Route 53 zone; may be repeated", **many)
    made.add_argument("--domain", type=domain, help="name in that zone, or of its certificate; may be repeated", **many)
    for placeholder, (option, what) in GIVEN.items():
        made.add_argument(option, dest=placeholder, type=arn, metavar="ARN", help=f"{what}; may be repeated", **many)
    return made


def placeholders(chosen: argparse.Namespace) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What the command line says, as names and as what is given."""
    names = {
        "PARTITION": chosen.partition,
        "/IAM_PATH/": chosen.iam_path,
        "ACCOUNT": chosen.account,
        "REGION": chosen.region,
        "NAME": chosen.name,
    }
    vpc = f"arn:{chosen.partition}:ec2:{chosen.region}:{chosen.account}:vpc/{chosen.own_vpc}"
    given = {
        **{placeholder: getattr(chosen, placeholder) for placeholder in GIVEN},
        BOUNDARY: [chosen.permissions_boundary] if chosen.permissions_boundary else [],
        OWN_VPC: [vpc] if chosen.own_vpc else [],
        ZONES: [f"arn:{chosen.partition}:route53:::hostedzone/{zone}" for zone in chosen.hosted_zone],
        DOMAINS: [domain.lower() for domain in chosen.domain],
        # ACM validates a name by one below it that begins with an underscore.
        RECORDS: [record for domain in chosen.domain for record in (domain.lower(), f"_*.{domain.lower()}")],
    }
    return names, given


def main(arguments: list[str] | None = None) -> None:
    """Write ``<directory>/<name>-deploy-<subject>.json`` and ``<directory>/<name>-boundary.json``."""
    command_line = parser()
    chosen = command_line.parse_args(arguments)
    if bool(chosen.hosted_zone) != bool(chosen.domain):
        command_line.error("--hosted-zone and --domain belong together")
    # AWS's own managed policies belong to the account "aws".
    if chosen.permissions_boundary and chosen.permissions_boundary.split(":")[4] not in (chosen.account, "aws"):
        command_line.error("--permissions-boundary is a policy of another account than --account")
    names, given = placeholders(chosen)
    documents = {f"deploy-{subject.replace('_', '-')}": one for subject, one in policies(names, given).items()}
    if chosen.permissions_boundary:
        documents["boundary"] = boundary(names, given, chosen.worker_statements)
    else:
        print(WITHOUT_BOUNDARY, file=sys.stderr)
        if chosen.worker_statements:
            print("--worker-statements are in no file: they belong into a boundary, and there is none", file=sys.stderr)
    chosen.directory.mkdir(parents=True, exist_ok=True)
    for title, document in documents.items():
        if len(json.dumps(document, separators=(",", ":"))) > MANAGED_POLICY_CHARACTERS:
            print(f"{title} is too long for a managed policy: divide it, or give fewer ARNs", file=sys.stderr)
        path = chosen.directory / f"{chosen.name}-{title}.json"
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
