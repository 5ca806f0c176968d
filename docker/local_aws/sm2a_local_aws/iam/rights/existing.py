# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What has to be known of the account to tell which rights a call needs; state.py answers it from MiniStack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Place:
    """Where a call goes to."""

    region: str
    account: str
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a regional resource."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, name: str, path: str = "/") -> str:
        return f"arn:{self.partition}:iam::{self.account}:role{path}{name}"


class Existing(Protocol):
    """The account as it is before the call. None and {} stand for what does not exist."""

    def tags(self, arn: str) -> dict[str, str]:
        """The tags of a resource."""

    def arn_of_role(self, name: str) -> str | None:
        """With its path."""

    def boundary_of_role(self, name: str) -> str | None:
        """The ARN of its permissions boundary."""

    def vpc_of(self, identifier: str) -> str | None:
        """The id of the VPC that a subnet, security group, route table or network ACL is in."""

    def arn_of_secret(self, name_or_arn: str) -> str | None:
        """With the six characters at its end."""

    def arn_of_key(self, reference: str) -> str | None:
        """Of a key that is named by id, alias or ARN."""

    def aliases_of_key(self, arn: str) -> list[str]:
        """Such as alias/staging."""

    def arn_of_task_definition(self, family: str) -> str | None:
        """Of the newest revision."""

    def arn_of_web_acl(self, name: str) -> str | None:
        """Of a regional web ACL."""

    def arn_of_associated_web_acl(self, resource: str) -> str | None:
        """Of the web ACL in front of a load balancer."""

    def members_of_association(self, association: str) -> list[str]:
        """EC2 ids of what an association of a route table or network ACL joins."""

    def key_of(self, arn: str) -> str | None:
        """The customer managed key that a secret, queue, topic, bucket, repository or DB instance is encrypted with."""

    def roles_of_task_definition(self, arn: str) -> list[str]:
        """The roles that its tasks get."""

    def service_linked_role(self, service: str) -> bool:
        """Whether the account has the role that AWS makes at the first use of a service."""
