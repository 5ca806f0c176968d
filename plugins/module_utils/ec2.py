# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What the EC2 networking modules share: named resources, tags, placeholders of check mode and patient deletion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import call, tag_change

# Network interfaces of a deleted load balancer, task or endpoint hold groups and subnets for some minutes.
DEPENDENCY_RETRIES = 40
DEPENDENCY_MAX_DELAY_SECONDS = 15


@dataclass
class Run:
    """One module run: where it writes, the tags it enforces, and what it changed.

    ``tags`` None leaves the tags of existing resources alone.
    ``before`` and ``after`` map a resource's name to its managed fields; they are the diff, and the run changed
    something exactly when they differ.
    """

    ec2: Any
    check_mode: bool
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def record(self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note the managed fields of one resource; ``{}`` stands for an absent one."""
        if before:
            self.before[name] = dict(before)
        if after:
            self.after[name] = dict(after)

    def result(self, **members: Any) -> dict[str, Any]:
        """What every module returns: ``changed`` and ``diff``, and the module's own ``members``."""
        return {"changed": self.before != self.after, "diff": {"before": self.before, "after": self.after}, **members}

    def new_tags(self, name: str) -> dict[str, str]:
        """The tags of a resource that is created now."""
        return {**{key: str(value) for key, value in (self.tags or {}).items()}, "Name": name}

    def tag_specification(self, kind: str, name: str) -> list[dict[str, Any]]:
        """``TagSpecifications`` of a create call: an interrupted run leaves only resources that the next one finds."""
        return [{"ResourceType": kind, "Tags": ansible_dict_to_boto3_tag_list(self.new_tags(name))}]

    def ensure_tags(self, identifier: str, name: str, current: Mapping[str, str]) -> dict[str, str]:
        """Bring the tags of an existing resource to those of the run plus its name; return what it then carries."""
        change = tag_change(current, None if self.tags is None else self.new_tags(name), self.purge_tags)
        if change and not self.check_mode:
            write_tags(self.ec2, identifier, change.set, change.remove)
        return change.result


def placeholder(prefix: str, index: int = 0) -> str:
    """An id of the right shape for a resource that check mode did not create."""
    return f"{prefix}-{index:017d}"


def tags_of(resource: Mapping[str, Any]) -> dict[str, str]:
    """The tags of an EC2 resource as a dict."""
    return dict(boto3_tag_list_to_ansible_dict(resource.get("Tags", [])))


def by_name(resources: Iterable[Mapping[str, Any]], kind: str, identifier: str) -> dict[str, dict[str, Any]]:
    """Index resources by their ``Name`` tag; AnsibleAWSError when two share a name, because either could be in use.

    ``identifier`` is the key that holds the id, for the message.
    """
    named: dict[str, dict[str, Any]] = {}
    for resource in resources:
        name = tags_of(resource).get("Name")
        if name in named:
            pair = f"{named[name][identifier]} and {resource[identifier]}"
            raise AnsibleAWSError(message=f"Two {kind} are named {name} ({pair}): delete or rename one of them")
        if name:
            named[name] = dict(resource)
    return named


@call("change the tags of an EC2 resource")
def write_tags(ec2: Any, identifier: str, to_set: dict[str, str], to_remove: list[str]) -> None:
    if to_remove:
        ec2.delete_tags(Resources=[identifier], Tags=[{"Key": key} for key in to_remove])
    if to_set:
        ec2.create_tags(Resources=[identifier], Tags=ansible_dict_to_boto3_tag_list(to_set))


def delete_patiently(delete: Callable[[], Any]) -> None:
    """Call ``delete`` again, for up to ten minutes, while AWS still finds something that uses the resource."""
    AWSRetry.jittered_backoff(
        retries=DEPENDENCY_RETRIES,
        delay=2,
        max_delay=DEPENDENCY_MAX_DELAY_SECONDS,
        catch_extra_error_codes=["DependencyViolation", "ResourceInUse"],
    )(delete)()
