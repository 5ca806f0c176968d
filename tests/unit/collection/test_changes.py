# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A prediction that differs from what was done is told, and only then."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.testing.plugins.plugin_utils.changes import Change, differences, of_result

QUEUE: dict[str, Any] = {"name": "q", "timeout": 30, "tags": {"team": "data"}}


def change(resource: str = "q", before: Any = None, after: Any = None, host: str = "small") -> Change:
    return Change(host, "broker : Create the queues", "", resource, before or {}, {} if after is None else after)


def test_the_same_changes_in_another_order() -> None:
    first, second = change("a", after=QUEUE), change("b", after=QUEUE)
    assert differences([first, second], [second, first]) == []


@pytest.mark.parametrize(
    ("predicted", "done", "told"),
    [
        pytest.param([change()], [], "small > broker : Create the queues > q: predicted, but not changed", id="undone"),
        pytest.param(
            [], [change()], "small > broker : Create the queues > q: changed, but not predicted", id="unforeseen"
        ),
        pytest.param([change()], [change(), change()], "q: changed, but not predicted", id="twice"),
        pytest.param([change(host="small")], [change(host="big")], "big > broker", id="another-host"),
        pytest.param(
            [change(after=QUEUE)],
            [change(after={**QUEUE, "timeout": 60})],
            "q: timeout: predicted 30, became 60",
            id="value-of-a-new-resource",
        ),
        pytest.param(
            [change(after=QUEUE)],
            [change(after={**QUEUE, "tags": {}})],
            'q: tags.team: predicted "data", became nothing',
            id="attribute-that-never-came",
        ),
        pytest.param(
            [change(before=QUEUE, after={**QUEUE, "timeout": 60})],
            [change(before=QUEUE, after={**QUEUE, "timeout": 60, "kms": "k"})],
            'q: kms: not predicted, became "k"',
            id="more-of-an-existing-resource",
        ),
        pytest.param(
            [change(before=QUEUE, after=QUEUE)],
            [change(before=QUEUE)],
            'q: name: predicted "q", became nothing',
            id="removed-instead-of-changed",
        ),
    ],
)
def test_a_difference_is_named(predicted: list[Change], done: list[Change], told: str) -> None:
    assert any(told in line for line in differences(predicted, done))


@pytest.mark.parametrize(
    ("guess", "fact"),
    [
        ({"vpc_id": "vpc-00000000000000000"}, {"vpc_id": "vpc-0a1b2c3d4e5f67890"}),
        ({"arn": "arn:aws:sqs:us-east-1:000000000000:q"}, {"arn": "arn:aws:sqs:eu-west-1:123456789012:q"}),
        ({"version_id": "new"}, {"version_id": "12345678-90ab-cdef-1234-567890abcdef"}),
        ({"url": "https://sqs.eu-west-1.amazonaws.com/0/q"}, {"url": "http://127.0.0.1:4586/0/q"}),
        (
            {"url": "https://sqs.eu-west-1.amazonaws.com/000000000000/q"},
            {"url": "https://sqs.eu-west-1.amazonaws.com/123456789012/q"},
        ),
        ({"id": "ns-0000000000000000"}, {"id": "ns-knamq9dibod5b03syw3c"}),
        ({"name": "q"}, {"name": "q", "created": 1}),
        ({"groups": ["sg-00000001", "b"]}, {"groups": ["b", "sg-0fffffffff"]}),
    ],
)
def test_what_aws_chooses_for_a_new_resource_is_no_difference(guess: dict[str, Any], fact: dict[str, Any]) -> None:
    assert differences([change(after=guess)], [change(after=fact)]) == []


def test_the_name_of_a_queue_in_its_url_is_compared() -> None:
    urls = [f"https://sqs.eu-west-1.amazonaws.com/000000000000/{name}" for name in ("q", "r")]
    assert differences(*([change(after={"url": url})] for url in urls)) != []


def test_an_entry_for_each_resource_of_a_list_module() -> None:
    headed = [{"after_header": name, "before": {}, "after": {"name": name}} for name in ("a", "b")]
    assert [one.resource for one in of_result("h", "t", "", {"changed": True, "diff": headed})] == ["a", "b"]


def test_a_result_without_a_diff_is_one_change() -> None:
    assert of_result("h", "t", "i", {"changed": True}) == [Change("h", "t", "i")]
