# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the EC2 networking modules share: named resources, tags, placeholders of check mode, and retries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.amazon.aws.plugins.module_utils.transformation import ansible_dict_to_boto3_filter_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call, tag_change
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import error_code
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome, joint_result
from ansible_collections.sm2a.airflow.plugins.module_utils.common.waiters import wait_until

# Network interfaces of a deleted load balancer, database, task or endpoint hold groups and subnets for some minutes.
INTERFACE_POLL_SECONDS = 5
INTERFACE_TIMEOUT_SECONDS = 900
# After that a deletion is refused for seconds only.
DEPENDENCY_RETRIES = 20
DEPENDENCY_MAX_DELAY_SECONDS = 15
# What was written can be missing in lists for some seconds.
LIST_POLL_SECONDS = 2
LIST_TIMEOUT_SECONDS = 120
# How many network interfaces a message names.
NAMED = 5
Stray = TypeVar("Stray")


@dataclass
class Run:
    """One module run: where it writes, the tags it enforces, and what it changed.

    ``tags`` None leaves the tags of existing resources alone. ``lookup_tags`` are those by which resources are found
    again: what is created carries them, and what lacks them belongs to somebody else.
    ``before`` and ``after`` map a resource's name to its managed fields; they are the diff, and the run changed
    something exactly when they differ.
    """

    ec2: Any
    check_mode: bool
    tags: Mapping[str, Any] | None = None
    purge_tags: bool = True
    lookup_tags: Mapping[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def record(self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Note the managed fields of one resource; ``{}`` stands for an absent one."""
        if before:
            self.before[name] = dict(before)
        if after:
            self.after[name] = dict(after)

    def result(self, **members: Any) -> dict[str, Any]:
        """What the module returns, with ``members`` of its own."""
        sides = {name: (self.before.get(name, {}), self.after.get(name, {})) for name in {**self.before, **self.after}}
        outcomes = {name: Outcome(before != after, before, after) for name, (before, after) in sides.items()}
        return joint_result(outcomes, **members)

    def new_tags(self, name: str) -> dict[str, str]:
        """The tags of a resource that is created now."""
        given = {**(self.tags or {}), **self.lookup_tags}
        return {**{key: str(value) for key, value in given.items()}, "Name": name}

    def owns(self, resource: Mapping[str, Any]) -> bool:
        """Whether a resource carries the run's lookup tags."""
        tags = tags_of(resource)
        return all(tags.get(key) == str(value) for key, value in self.lookup_tags.items())

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


@call("describe network interfaces")
def describe_network_interfaces(ec2: Any, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    pages = ec2.get_paginator("describe_network_interfaces")
    found = pages.paginate(Filters=ansible_dict_to_boto3_filter_list(dict(filters))).build_full_result()
    return list(found["NetworkInterfaces"])


def wait_until_unused(ec2: Any, key: str, identifiers: list[str], what: str) -> None:
    """Return when no network interface is in ``identifiers`` (``key``: subnet-id or group-id) any more.

    What a load balancer, a database, a task or an endpoint leaves behind goes by itself. AnsibleAWSError after 15
    minutes, naming the interfaces and what they belong to.
    """
    left: list[dict[str, Any]] = []

    def unused() -> bool:
        left[:] = describe_network_interfaces(ec2, {key: identifiers})
        return not left

    def state() -> str:
        return f"{len(left)} network interfaces still use {what}"

    if identifiers and not wait_until(unused, INTERFACE_POLL_SECONDS, INTERFACE_TIMEOUT_SECONDS, state):
        names = [f"{one['NetworkInterfaceId']} ({one.get('Description') or 'no description'})" for one in left[:NAMED]]
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        message = (
            f"{len(left)} network interfaces still use {what}: {', '.join(names)}{more}. "
            f"Delete the resources that own them, then run again"
        )
        raise AnsibleAWSError(message=message)


def delete_with_retries(delete: Callable[[], Any]) -> None:
    """Retry ``delete``, for up to five minutes, while AWS still reports that the resource is in use."""
    AWSRetry.jittered_backoff(
        retries=DEPENDENCY_RETRIES,
        delay=2,
        max_delay=DEPENDENCY_MAX_DELAY_SECONDS,
        catch_extra_error_codes=["DependencyViolation", "InvalidIPAddress.InUse", "ResourceInUse"],
    )(delete)()


def create_or_replace(
    create: Callable[[], Any], replace: Callable[[], Any], *, there: bool, exists: Sequence[str], missing: Sequence[str]
) -> None:
    """Replace what is ``there`` according to a list, else create it; do the other if the list was out of date.

    ``exists`` are the error codes of a refused create, ``missing`` those of a refused replace. A create is also refused
    when an earlier one succeeded but its reply was lost. Raises ClientError for every other error.
    """
    first, second = (replace, create) if there else (create, replace)
    other_way, as_listed = (missing, exists) if there else (exists, missing)
    try:
        first()
    except ClientError as error:
        if error_code(error) not in other_way:
            raise
        try:
            second()
        except ClientError as again:
            # The list is right: the first refusal had another cause, which AWS gives the same code.
            raise error if error_code(again) in as_listed else again from None


def settle(look: Callable[[], Sequence[Stray]], move: Callable[[Stray], Any], what: str) -> None:
    """``move`` what ``look`` finds out of place, until it finds nothing; AnsibleAWSError after two minutes.

    ``move`` may fail silently where a list was out of date. ``what`` is for the message: "the subnets of ...".
    """

    def settled() -> bool:
        for stray in look():
            move(stray)
        return not look()

    if not wait_until(settled, LIST_POLL_SECONDS, LIST_TIMEOUT_SECONDS):
        raise AnsibleAWSError(message=f"{what} did not reach the expected state within two minutes: run again")
