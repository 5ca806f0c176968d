"""Write the IAM policies that a person or a pipeline needs to run site.yml and teardown.yml for one environment.

One file per subject of docs/permissions.yml, each small enough for a managed policy; attach all of them to one role.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).resolve().parents[1] / "docs/permissions.yml"
# What IAM allows in a managed policy, not counting white space.
MANAGED_POLICY_CHARACTERS = 6144
# ARNs of what options of the roles give and nobody can tell by name: the placeholder, and the option here.
GIVEN = {
    "GIVEN_SECRETS": ("--secret", "secret of somebody else that a run reads"),
    "GIVEN_KEYS": ("--key", "KMS key without the tag of the environment"),
    "GIVEN_ROLES": ("--role", "IAM role of somebody else that a service is given"),
    "GIVEN_WEB_ACLS": ("--web-acl", "web ACL of somebody else"),
}

Statement = dict[str, Any]


def statements() -> dict[str, list[Statement]]:
    """docs/permissions.yml: by subject, statements of ``sid``, ``why``, ``actions``, ``resources``, ``conditions``."""
    return yaml.safe_load(SOURCE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def fill_in(value: Any, names: Mapping[str, str]) -> Any:
    """``value`` with every placeholder, such as ACCOUNT, replaced at any depth."""
    if isinstance(value, str):
        return re.sub("|".join(map(re.escape, names)), lambda found: names[found[0]], value)
    if isinstance(value, list):
        return [fill_in(item, names) for item in value]
    if isinstance(value, dict):
        return {key: fill_in(item, names) for key, item in value.items()}
    return value


def policy(
    subject: list[Statement], names: Mapping[str, str], boundary: str | None, given: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The policy document of one subject, without statements that are about nothing."""
    written = []
    for statement in subject:
        resources = [arn for one in statement["resources"] for arn in given.get(one, [fill_in(one, names)])]
        conditions = fill_in(statement.get("conditions", {}), names)
        carries_boundary = conditions.pop("boundary", None)
        if boundary and carries_boundary:
            conditions["StringEquals"] = {"iam:PermissionsBoundary": boundary}
        if resources and not (boundary and carries_boundary is False):
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


def policies(
    names: Mapping[str, str], boundary: str | None = None, given: Mapping[str, Sequence[str]] | None = None
) -> dict[str, dict[str, Any]]:
    """Policy documents by subject.

    ``names``: NAME, REGION, ACCOUNT, PARTITION, HOSTED_ZONE and /IAM_PATH/. ``given``: ARNs by placeholder of GIVEN.
    """
    arns = dict.fromkeys(GIVEN, ()) | dict(given or {})
    return {subject: policy(listed, names, boundary, arns) for subject, listed in statements().items()}


def iam_path(text: str) -> str:
    """The IAM path that ``text`` is; ArgumentTypeError when it is none."""
    if not re.fullmatch(r"/([\w+=,.@-]+/)*", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text} does not begin and end with a slash")
    return text


def main(arguments: list[str] | None = None) -> None:
    """Write ``<directory>/<name>-deploy-<subject>.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="sm2a_name of the environment")
    parser.add_argument("directory", type=Path, help="where the files go")
    parser.add_argument("--region", required=True, help="sm2a_region")
    parser.add_argument("--account", required=True, help="number of the AWS account")
    parser.add_argument("--partition", default="aws", choices=["aws", "aws-us-gov"])
    parser.add_argument("--hosted-zone", default="*", help="id of the Route 53 zone, if any; every zone when unset")
    parser.add_argument("--permissions-boundary", help="ARN of the policy that every role must carry as its boundary")
    parser.add_argument("--iam-path", default="/", type=iam_path, help="cluster_, network_ and database_iam_path")
    for placeholder, (option, what) in GIVEN.items():
        parser.add_argument(
            option, action="append", default=[], dest=placeholder, metavar="ARN", help=f"{what}; may be repeated"
        )
    chosen = parser.parse_args(arguments)
    names = {
        "HOSTED_ZONE": chosen.hosted_zone,
        "PARTITION": chosen.partition,
        "/IAM_PATH/": chosen.iam_path,
        "ACCOUNT": chosen.account,
        "REGION": chosen.region,
        "NAME": chosen.name,
    }
    given = {placeholder: getattr(chosen, placeholder) for placeholder in GIVEN}
    chosen.directory.mkdir(parents=True, exist_ok=True)
    for subject, document in policies(names, chosen.permissions_boundary, given).items():
        path = chosen.directory / f"{chosen.name}-deploy-{subject.replace('_', '-')}.json"
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
