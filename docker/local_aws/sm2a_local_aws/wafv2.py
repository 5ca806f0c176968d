# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""WAFv2: a web ACL protects load balancers that exist, and stays while it protects one. Requests are not inspected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import alb, waf

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]

relies_on("ministack.services.waf", {"_resource_from_scope": "1003883e779a"})


@replaces("ministack.services.waf:_associate_web_acl", "d165fba72258")
def associate_web_acl(original: Handler, data: dict[str, Any]) -> Any:
    """Refuse an unknown load balancer."""
    arn = data.get("ResourceArn", "")
    if ":loadbalancer/" in arn and arn not in alb._lbs:
        message = "AWS WAF couldn't perform the operation because your resource doesn't exist."
        return error_response_json("WAFNonexistentItemException", message, 400)
    return original(data)


@replaces("ministack.services.waf:_get_web_acl_for_resource", "54c08c13c66d")
def get_web_acl_for_resource(original: Handler, data: dict[str, Any]) -> Any:
    """A resource without a web ACL has none: that is no error."""
    if data.get("ResourceArn", "") not in _associations():
        return json_response({})
    return original(data)


@replaces("ministack.services.waf:_delete_web_acl", "d8595f67ec79")
def delete_web_acl(original: Handler, data: dict[str, Any]) -> Any:
    """Refuse while it protects something."""
    acl = waf._resource_from_scope(waf._web_acls, data.get("Id", ""), data.get("Scope", "REGIONAL"))
    if acl and acl["ARN"] in _associations().values():
        message = "AWS WAF couldn't perform the operation because your resource is being used by another resource."
        return error_response_json("WAFAssociatedItemException", message, 400)
    return original(data)


def _associations() -> dict[str, str]:
    """Web ACL ARN by resource ARN; those of a load balancer that is gone went with it."""
    for arn in [arn for arn in waf._associations if ":loadbalancer/" in arn and arn not in alb._lbs]:
        waf._associations.pop(arn, None)
    return dict(waf._associations.items())
