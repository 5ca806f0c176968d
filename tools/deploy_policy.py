"""Write the IAM policies that a person or a pipeline needs to run site.yml and teardown.yml for one environment.

One file per subject of docs/permissions.yml, each small enough for a managed policy; attach all of them to one role.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

SOURCE = Path(__file__).resolve().parents[1] / "docs/permissions.yml"
# What IAM allows in a managed policy, not counting white space.
MANAGED_POLICY_CHARACTERS = 6144

Statement = dict[str, Any]


def statements() -> dict[str, list[Statement]]:
    """docs/permissions.yml: by subject, statements of ``sid``, ``why``, ``actions``, ``resources``, ``conditions``."""
    return yaml.safe_load(SOURCE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def fill_in(value: Any, names: Mapping[str, str]) -> Any:
    """``value`` with every placeholder, such as ACCOUNT, replaced at any depth."""
    if isinstance(value, str):
        for placeholder, name in names.items():
            value = value.replace(placeholder, name)
        return value
    if isinstance(value, list):
        return [fill_in(item, names) for item in value]
    if isinstance(value, dict):
        return {key: fill_in(item, names) for key, item in value.items()}
    return value


def policy(subject: list[Statement], names: Mapping[str, str], boundary: str | None) -> dict[str, Any]:
    """The policy document of one subject."""
    written = []
    for statement in subject:
        conditions = dict(statement.get("conditions", {}))
        if conditions.pop("boundary", False) and boundary:
            conditions["StringEquals"] = {"iam:PermissionsBoundary": boundary}
        written.append(
            {
                "Sid": statement["sid"],
                "Effect": "Allow",
                "Action": statement["actions"],
                "Resource": fill_in(statement["resources"], names),
                **({"Condition": fill_in(conditions, names)} if conditions else {}),
            }
        )
    return {"Version": "2012-10-17", "Statement": written}


def policies(names: Mapping[str, str], boundary: str | None = None) -> dict[str, dict[str, Any]]:
    """Policy documents by subject. ``names``: NAME, REGION, ACCOUNT, PARTITION, HOSTED_ZONE."""
    return {subject: policy(listed, names, boundary) for subject, listed in statements().items()}


def main() -> None:
    """Write ``<directory>/<name>-deploy-<subject>.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="sm2a_name of the environment")
    parser.add_argument("directory", type=Path, help="where the files go")
    parser.add_argument("--region", required=True, help="sm2a_region")
    parser.add_argument("--account", required=True, help="number of the AWS account")
    parser.add_argument("--partition", default="aws", help="aws, aws-cn or aws-us-gov")
    parser.add_argument("--hosted-zone", default="*", help="id of the Route 53 zone, if any; every zone when unset")
    parser.add_argument("--permissions-boundary", help="ARN of the policy that every role must carry as its boundary")
    given = parser.parse_args()
    names = {
        "HOSTED_ZONE": given.hosted_zone,
        "PARTITION": given.partition,
        "ACCOUNT": given.account,
        "REGION": given.region,
        "NAME": given.name,
    }
    given.directory.mkdir(parents=True, exist_ok=True)
    for subject, document in policies(names, given.permissions_boundary).items():
        path = given.directory / f"{given.name}-deploy-{subject.replace('_', '-')}.json"
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
