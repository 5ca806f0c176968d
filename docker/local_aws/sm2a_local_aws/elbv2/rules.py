# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2: what AWS refuses of rules and listener attributes, and how it compares paths and hosts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import alb

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]
Parameters = dict[str, Any]

PRIORITIES = range(1, 50001)
VALUES_OF_A_RULE = 5
LENGTH_OF_A_VALUE = 128
HOST = re.compile(r"[A-Za-z0-9*?.-]*\.[A-Za-z]+")
PATH = re.compile(r"""[A-Za-z0-9_.$/~"'@:+&*?-]+""")
ONE_OF_A_KIND = {"host-header": HOST, "path-pattern": PATH}

# Of an Application Load Balancer. All but the first take a header's value, and are empty where there is none.
SERVER_HEADER = "routing.http.response.server.enabled"
HEADER_ATTRIBUTES = tuple(alb._LISTENER_RESPONSE_HEADERS)
MUTUAL_TLS_ATTRIBUTES = re.compile(r"routing\.http\.request\.x_amzn_(mtls|tls)_[a-z_]+\.header_name")

relies_on(
    "ministack.services.alb",
    {
        "_error": "7bbb9cb965a1",
        "_p": "4073e17ee146",
        "_parse_actions": "40b80c548b38",
        "_parse_conditions": "7da9263731cc",
    },
)


@replaces("ministack.services.alb:_create_rule", "99193af3da45")
def create_rule(original: Handler, parameters: Parameters) -> Any:
    """Refuse a priority, a condition or an action that AWS does not take."""
    priority = alb._p(parameters, "Priority")
    if not priority.isdigit() or int(priority) not in PRIORITIES:
        return alb._error("ValidationError", f"Priority '{priority}' must be between 1 and 50000")
    return _refusal(parameters) or _associating(parameters, original(parameters))


@replaces("ministack.services.alb:_modify_rule", "332c1268fb83")
def modify_rule(original: Handler, parameters: Parameters) -> Any:
    """Refuse the same, apart from the priority, which stays."""
    return _refusal(parameters) or _associating(parameters, original(parameters))


@replaces("ministack.services.alb:_describe_listener_attrs", "f9ab75c1603b")
def describe_listener_attributes(original: Handler, parameters: Parameters) -> Any:
    """Name every header, also one that is not set."""
    held = alb._listener_attrs.get(alb._p(parameters, "ListenerArn"))
    if held is not None:
        named = {item["Key"] for item in held}
        held += [{"Key": key, "Value": ""} for key in HEADER_ATTRIBUTES if key not in named]
    return original(parameters)


@replaces("ministack.services.alb:_modify_listener_attrs", "6582d4c22b43")
def modify_listener_attributes(original: Handler, parameters: Parameters) -> Any:
    """Refuse a key that AWS does not know."""
    index = 1
    while key := alb._p(parameters, f"Attributes.member.{index}.Key"):
        if key not in (SERVER_HEADER, *HEADER_ATTRIBUTES) and not MUTUAL_TLS_ATTRIBUTES.fullmatch(key):
            return alb._error("ValidationError", f"Listener attribute key '{key}' is not recognized")
        index += 1
    return original(parameters)


@replaces("ministack.services.alb:_match_condition", "cd102f509296")
def match_condition(original: Callable[..., bool], condition: dict[str, Any], *request: Any) -> bool:
    """Paths in their case, hosts in any; only `*` and `?` stand for something else."""
    _method, path, headers, _query = request
    if condition["Field"] == "path-pattern":
        return any(_matches(value, path) for value in condition["Values"])
    if condition["Field"] == "host-header":
        host = re.sub(r":\d+$", "", headers.get("host", "")).lower()
        return any(_matches(value.lower(), host) for value in condition["Values"])
    return original(condition, *request)


def _associating(parameters: Parameters, response: Any) -> Any:
    """The response; a target group belongs to the load balancer whose rule forwards to it."""
    rule = alb._p(parameters, "RuleArn")
    listener = alb._rules.get(rule, {}).get("ListenerArn") if rule else alb._p(parameters, "ListenerArn")
    balancer = alb._listeners.get(listener, {}).get("LoadBalancerArn")
    for action in alb._parse_actions(parameters, "Actions"):
        group = alb._tgs.get(action.get("TargetGroupArn", ""))
        if response[0] == 200 and group and balancer and balancer not in group["LoadBalancerArns"]:
            group["LoadBalancerArns"].append(balancer)
    return response


def _matches(pattern: str, text: str) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text, re.DOTALL) is not None


def _refusal(parameters: Parameters) -> Any:
    problem = next(_problems(alb._parse_conditions(parameters)), None)
    return alb._error(*problem) if problem else None


def _problems(conditions: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Code and message of each error, the first one first."""
    fields = [condition["Field"] for condition in conditions]
    for field, pattern in ONE_OF_A_KIND.items():
        if fields.count(field) > 1:
            yield "ValidationError", f"A rule can only have one '{field}' condition"
        for value in (value for one in conditions if one["Field"] == field for value in one["Values"]):
            if len(value) > LENGTH_OF_A_VALUE or not pattern.fullmatch(value):
                yield "ValidationError", f"The {field} value '{value}' is not valid"
    if any(not one["Values"] for one in conditions if one["Field"] in ONE_OF_A_KIND):
        yield "ValidationError", "A condition value must be specified"
    if sum(len(one["Values"]) for one in conditions) > VALUES_OF_A_RULE:
        yield "ValidationError", f"Rules cannot have more than {VALUES_OF_A_RULE} condition values"
