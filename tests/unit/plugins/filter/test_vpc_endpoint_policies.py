# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The filter vpc_endpoint_policies: whose requests pass an endpoint, and to which resources."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.sm2a.airflow.plugins.filter.vpc_endpoint_policies import vpc_endpoint_policies
from sm2a_local_aws.iam.policy import evaluation
from sm2a_local_aws.iam.policy.documents import parse
from sm2a_local_aws.iam.policy.principals import Principal

OWN = "111111111111"
OTHER = "222222222222"
THIRD = "333333333333"
LAYERS = "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/0123"
SERVICES = ["s3", "ecr.api", "ecr.dkr", "logs", "secretsmanager", "sqs", "sts", "kms"]


def policies(*services: str, **options: Any) -> dict[str, dict[str, Any]]:
    """The policy of each service, in an account of its own."""
    given = {"partition": "aws", "region": "eu-west-1", "account_ids": [OWN], **options}
    made = vpc_endpoint_policies([{"service": service, "type": "Interface"} for service in services], **given)
    assert all(one["type"] == "Interface" for one in made)
    return {one["service"]: one["policy"] for one in made}


def passes(policy: dict[str, Any], action: str, resource: str, **context: str) -> bool:
    """Whether a caller who may do everything gets through; ``context`` has the keys after ``aws:``.

    Those of the principal are told of whoever signed the request: without them nobody did.
    """
    keys = {f"aws:{name}": value for name, value in context.items()}
    caller = {key.lower(): value for key, value in keys.items() if key.startswith("aws:Principal")}
    principal = Principal("arn:aws:iam::0:role/caller", context.get("PrincipalAccount", ""), context=caller)
    request = evaluation.Request.of(action, resource, keys)
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    asked = evaluation.Policies(identity=[parse(everything)], endpoint=parse(policy))
    return evaluation.evaluate(principal, request, asked).allowed


@pytest.mark.parametrize("service", SERVICES)
def test_data_cannot_leave_for_another_account(service: str) -> None:
    policy = policies(*SERVICES)[service]
    own = {"PrincipalAccount": OWN, "ResourceAccount": OWN}
    assert passes(policy, "s3:PutObject", "arn:aws:s3:::ours/key", **own)
    # A task's role, a bucket of the attacker.
    assert not passes(policy, "s3:PutObject", "arn:aws:s3:::theirs/key", **{**own, "ResourceAccount": OTHER})
    # Keys of the attacker, which a task brought along.
    assert not passes(policy, "sqs:SendMessage", "*", PrincipalAccount=OTHER, ResourceAccount=OTHER)
    assert not passes(policy, "sqs:SendMessage", "*", PrincipalAccount=OTHER, ResourceAccount=OWN)
    # No keys at all.
    assert not passes(policy, "s3:PutObject", "arn:aws:s3:::open-to-everybody/key", ResourceAccount=OTHER)


def test_without_a_policy_data_leaves_for_another_account() -> None:
    everything = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
    theirs = {"PrincipalAccount": OWN, "ResourceAccount": OTHER}
    assert passes(everything, "s3:PutObject", "arn:aws:s3:::theirs/key", **theirs)


def test_layers_of_images_are_read_with_urls_of_aws() -> None:
    made = policies("s3", "sqs")
    aws = {"PrincipalAccount": THIRD, "ResourceAccount": THIRD}
    assert passes(made["s3"], "s3:GetObject", LAYERS, **aws)
    assert not passes(made["s3"], "s3:PutObject", LAYERS, **aws)
    assert not passes(made["s3"], "s3:GetObject", LAYERS.replace("eu-west-1", "us-east-1"), **aws)
    assert not passes(made["sqs"], "s3:GetObject", LAYERS, **aws)
    china = policies("s3", partition="aws-cn", region="cn-north-1")["s3"]
    assert passes(china, "s3:GetObject", "arn:aws-cn:s3:::prod-cn-north-1-starport-layer-bucket/0123", **aws)


def test_fargate_itself_is_not_kept_from_its_endpoints() -> None:
    assert policies("ecs-agent", "ecs-telemetry") == {"ecs-agent": {}, "ecs-telemetry": {}}


def test_other_accounts_and_an_organization_can_be_trusted() -> None:
    policy = policies("s3", account_ids=[OWN, OTHER], organization_id="o-a1b2c3d4e5")["s3"]
    assert passes(policy, "s3:GetObject", "*", PrincipalAccount=OWN, ResourceAccount=OTHER)
    assert passes(policy, "s3:GetObject", "*", PrincipalAccount=OTHER, ResourceAccount=OWN)
    both = {"PrincipalOrgID": "o-a1b2c3d4e5", "ResourceOrgID": "o-a1b2c3d4e5"}
    assert passes(policy, "s3:GetObject", "*", PrincipalAccount=THIRD, ResourceAccount=THIRD, **both)
    assert not passes(policy, "s3:GetObject", "*", PrincipalAccount=THIRD, ResourceAccount=THIRD)


def test_named_resources_of_others_are_reached_through_the_endpoint_of_their_service() -> None:
    queue = f"arn:aws:sqs:eu-west-1:{OTHER}:theirs"
    repository = f"arn:aws:ecr:eu-west-1:{OTHER}:repository/airflow"
    role = f"arn:aws:iam::{OTHER}:role/reader"
    ours = f"arn:aws:sqs:eu-west-1:{OWN}:ours"
    given = [queue, repository, role, ours, "s3://public-data/part/of/it"]
    made = policies("s3", "sqs", "ecr.api", "ecr.dkr", "sts", resources=given)
    context = {"PrincipalAccount": OWN, "ResourceAccount": OTHER}
    assert passes(made["sqs"], "sqs:SendMessage", queue, **context)
    assert not passes(made["sqs"], "sqs:SendMessage", f"{queue}-too", **context)
    assert not passes(made["sqs"], "sqs:SendMessage", queue, PrincipalAccount=OTHER, ResourceAccount=OTHER)
    assert all(passes(made[one], "ecr:BatchGetImage", repository, **context) for one in ("ecr.api", "ecr.dkr"))
    assert passes(made["sts"], "sts:AssumeRole", role, **context)
    assert ours not in str(made)
    for place in ("arn:aws:s3:::public-data", "arn:aws:s3:::public-data/key"):
        assert passes(made["s3"], "s3:GetObject", place, **context)
        assert passes(made["s3"], "s3:GetObject", place, ResourceAccount=OTHER), "without a signature"
    assert not passes(made["s3"], "s3:GetObject", "arn:aws:s3:::public-data-2/key", **context)


def test_policies_are_short_enough_for_aws() -> None:
    many = [f"arn:aws:s3:::bucket-with-a-long-name-number-{number:03}" for number in range(100)]
    assert len(str(policies("s3", resources=many)["s3"])) < 20480


def test_what_is_no_arn_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="my-bucket is neither an ARN nor an s3:// URI"):
        policies("s3", resources=["my-bucket"])
