# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Tags in the parameters of a call, in the forms that AWS's services have for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sm2a_local_aws.iam.request.calls import Call

# (key, value) in lists of tags.
NAMES = (("Key", "Value"), ("key", "value"), ("TagKey", "TagValue"))


def of(call: Call, resource: str = "") -> dict[str, str]:
    """The tags that the call gives to a resource, or to whatever. EC2 names the type that they are for."""
    kind = resource.split(":", 5)[-1].partition("/")[0]
    found = read(call.parameters.get("Tags")) | read(call.parameters.get("tags"))
    for specification in call.parameters.get("TagSpecifications") or []:
        if not resource or specification.get("ResourceType") in (kind, None):
            found |= read(specification.get("Tags"))
    return found


def keys(call: Call, resource: str = "") -> tuple[str, ...]:
    """The keys of the tags that the call gives to a resource or takes away."""
    taken = [str(key) for name in ("TagKeys", "tagKeys") for key in call.parameters.get(name) or []]
    return tuple(dict.fromkeys([*of(call, resource), *taken]))


def require_each_once(call: Call) -> None:
    """ValueError for a key twice: one of the values would be judged and the other one kept."""
    specified = [one.get("Tags") for one in call.parameters.get("TagSpecifications") or []]
    for tags in (call.parameters.get("Tags"), call.parameters.get("tags"), *specified):
        if isinstance(tags, list) and len(read(tags)) != len(tags):
            raise ValueError("Duplicate tag keys")


def read(tags: Any) -> dict[str, str]:
    """Tags as a mapping, from a list of one of the forms or a mapping."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    found = {}
    for tag in tags if isinstance(tags, list) else []:
        for key, value in NAMES:
            if key in tag:
                found[str(tag[key])] = str(tag.get(value, ""))
    return found
