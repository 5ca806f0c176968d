# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Listeners and rules of an Application Load Balancer: what they are, what they are to be, and the way there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils import elbv2_oidc
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import call, tag_change
from ansible_collections.sm2a.airflow.plugins.module_utils.creates import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import (
    describe_listeners,
    describe_tags_of,
    target_groups_of,
    write_tags,
)

# A listener as the module's options have it, and as the diff shows it.
Options = dict[str, Any]
View = dict[str, Any]

_RULE: dict[str, Any] = {
    "priority": {"type": "int", "required": True},
    "path_patterns": {"type": "list", "elements": "str", "required": True},
}
OPTION: dict[str, Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "port": {"type": "int", "required": True},
        "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "required": True},
        "certificate_arn": {"type": "str"},
        "ssl_policy": {"type": "str"},
        "target_group_arn": {"type": "str"},
        "redirect_to_port": {"type": "int"},
        "authenticate_oidc": {"type": "dict", "options": elbv2_oidc.OPTIONS},
        "rules": {"type": "list", "elements": "dict", "options": _RULE},
    },
    "required_if": [("protocol", "HTTPS", ("certificate_arn", "ssl_policy"))],
    "mutually_exclusive": [
        ("target_group_arn", "redirect_to_port"),
        ("redirect_to_port", "authenticate_oidc"),
        ("redirect_to_port", "rules"),
    ],
    "required_one_of": [("target_group_arn", "redirect_to_port")],
}


@call("describe the rules of a listener")
def describe_rules(elbv2: Any, listener_arn: str) -> dict[str, dict[str, Any]]:
    """Rules by priority, without the default one, which is the listener's own action."""
    pages = elbv2.get_paginator("describe_rules").paginate(ListenerArn=listener_arn).build_full_result()
    return {rule["Priority"]: rule for rule in pages["Rules"] if not rule.get("IsDefault")}


@call("create a listener")
def create_listener(elbv2: Any, arn: str, request: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    """Create a listener of the load balancer ``arn``; returns it as the API answers it."""
    tagged = {**request, "Tags": ansible_dict_to_boto3_tag_list(tags)} if tags else request
    return create_once(
        elbv2,
        lambda: dict(elbv2.create_listener(LoadBalancerArn=arn, **tagged)["Listeners"][0]),
        lambda: describe_listeners(elbv2, arn).get(request["Port"]),
        ("DuplicateListener",),
    )


@call("change a listener")
def modify_listener(elbv2: Any, listener_arn: str, request: dict[str, Any]) -> None:
    """Write all that the request says."""
    elbv2.modify_listener(ListenerArn=listener_arn, **request)


@call("delete a listener", missing=("ListenerNotFound",))
def delete_listener(elbv2: Any, listener_arn: str) -> None:
    """Its rules go with it."""
    elbv2.delete_listener(ListenerArn=listener_arn)


@call("create a rule of a listener")
def create_rule(elbv2: Any, listener_arn: str, request: dict[str, Any], tags: dict[str, str]) -> None:
    """Create a rule at the request's priority."""
    tagged = {**request, "Tags": ansible_dict_to_boto3_tag_list(tags)} if tags else request
    create_once(
        elbv2,
        lambda: dict(elbv2.create_rule(ListenerArn=listener_arn, **tagged)["Rules"][0]),
        lambda: describe_rules(elbv2, listener_arn).get(str(request["Priority"])),
        ("PriorityInUse",),
    )


@call("change a rule of a listener")
def modify_rule(elbv2: Any, rule_arn: str, request: dict[str, Any]) -> None:
    """Write conditions and actions; the priority stays."""
    elbv2.modify_rule(RuleArn=rule_arn, Conditions=request["Conditions"], Actions=request["Actions"])


@call("delete a rule of a listener", missing=("RuleNotFound",))
def delete_rule(elbv2: Any, rule_arn: str) -> None:
    """Fine when it is gone."""
    elbv2.delete_rule(RuleArn=rule_arn)


def listener_request(options: Options) -> dict[str, Any]:
    """A listener of the options as the API wants it, without a client secret."""
    if options["target_group_arn"]:
        actions: list[dict[str, Any]] = [{"Type": "forward", "TargetGroupArn": options["target_group_arn"]}]
    else:
        redirect = {"Protocol": "HTTPS", "Port": str(options["redirect_to_port"]), "StatusCode": "HTTP_301"}
        actions = [{"Type": "redirect", "RedirectConfig": redirect}]
    if options["authenticate_oidc"]:
        # Several actions need an order.
        actions = [{**elbv2_oidc.action(options["authenticate_oidc"]), "Order": 1}, {**actions[0], "Order": 2}]
    request = {"Port": options["port"], "Protocol": options["protocol"], "DefaultActions": actions}
    if options["protocol"] == "HTTPS":
        request["Certificates"] = [{"CertificateArn": options["certificate_arn"]}]
        request["SslPolicy"] = options["ssl_policy"]
    return request


def rule_request(rule: Options, target_group_arn: str) -> dict[str, Any]:
    """A rule of the options as the API wants it."""
    return {
        "Priority": rule["priority"],
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": rule["path_patterns"]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": target_group_arn}],
    }


def actions_view(actions: Iterable[dict[str, Any]]) -> list[View]:
    """What is compared of actions, whether of a request or of an answer."""
    shown = []
    for action in sorted(actions, key=lambda one: one.get("Order", 1)):
        redirect = action.get("RedirectConfig", {})
        if action["Type"] == "forward":
            detail: Any = target_groups_of({"DefaultActions": [action]})
        elif action["Type"] == elbv2_oidc.ACTION:
            detail = elbv2_oidc.view(action["AuthenticateOidcConfig"])
        else:
            detail = {key: redirect.get(key) for key in ("Protocol", "Port", "StatusCode")}
        shown.append({action["Type"]: detail})
    return shown


def listener_view(listener: dict[str, Any]) -> View:
    """What is compared of a listener itself, whether of a request or of an answer."""
    view = {"protocol": listener["Protocol"], "actions": actions_view(listener.get("DefaultActions", []))}
    if listener["Protocol"] == "HTTPS":
        view["certificates"] = [one["CertificateArn"] for one in listener.get("Certificates", [])]
        view["ssl_policy"] = listener.get("SslPolicy")
    return view


def rule_view(rule: dict[str, Any]) -> View:
    """What is compared of a rule, whether of a request or of an answer."""
    conditions = [
        {one["Field"]: one.get("PathPatternConfig", {}).get("Values") or one.get("Values", [])}
        for one in rule["Conditions"]
    ]
    return {"conditions": conditions, "actions": actions_view(rule["Actions"])}


def read(elbv2: Any, arn: str, wanted: list[Options] | None) -> dict[str, View]:
    """The listeners of a load balancer by port, with their tags, and rules where the options name rules."""
    listeners = describe_listeners(elbv2, arn)
    with_rules = {one["port"] for one in wanted or [] if one["rules"] is not None}
    rules = {port: describe_rules(elbv2, listeners[port]["ListenerArn"]) for port in with_rules & set(listeners)}
    arns = [one["ListenerArn"] for one in listeners.values()]
    arns += [rule["RuleArn"] for found in rules.values() for rule in found.values()]
    tags = describe_tags_of(elbv2, arns)
    views = {}
    for port, listener in sorted(listeners.items()):
        views[str(port)] = {**listener_view(listener), "tags": tags[listener["ListenerArn"]]}
        if port in rules:
            views[str(port)]["rules"] = {
                priority: {**rule_view(rule), "tags": tags[rule["RuleArn"]]} for priority, rule in rules[port].items()
            }
    return views


def plan(options: Options, held: View, params: dict[str, Any], secrets: Callable[[], Any]) -> View:
    """What a listener is to look like; ``held`` is what it looks like now ({} when it is to be created)."""
    own, oidc = params["tags"], options["authenticate_oidc"]
    tags = tag_change(held.get("tags", {}), own, params["purge_tags"]).result
    tags.pop(elbv2_oidc.VERSION_TAG, None)
    if oidc:
        tags[elbv2_oidc.VERSION_TAG] = elbv2_oidc.secret_version(secrets(), oidc)
    view: View = {**listener_view(listener_request(options)), "tags": tags}
    if options["rules"] is None:
        return {**view, **{key: value for key, value in held.items() if key == "rules"}}
    view["rules"] = {}
    for rule in options["rules"]:
        priority = str(rule["priority"])
        found = held.get("rules", {}).get(priority, {}).get("tags", {})
        shown = rule_view(rule_request(rule, options["target_group_arn"]))
        view["rules"][priority] = {**shown, "tags": tag_change(found, own, params["purge_tags"]).result}
    return view


def ensure(elbv2: Any, arn: str, wanted: list[Options], after: dict[str, View], secrets: Callable[[], Any]) -> None:
    """Create, change and remove listeners and rules of the load balancer so that they look as ``after``."""
    current = describe_listeners(elbv2, arn)
    before = read(elbv2, arn, wanted)
    for options in wanted:
        port = str(options["port"])
        listener_arn = ensure_listener(
            elbv2, arn, current.pop(options["port"], None), (before.get(port, {}), after[port], options, secrets)
        )
        if options["rules"] is not None:
            ensure_rules(elbv2, listener_arn, options, after[port]["rules"])
    for listener in current.values():
        delete_listener(elbv2, listener["ListenerArn"])


def ensure_listener(
    elbv2: Any,
    arn: str,
    listener: dict[str, Any] | None,
    change: tuple[View, View, Options, Callable[[], Any]],
) -> str:
    """Create or change one listener without its rules; returns its ARN. ``change``: before, after, options, secrets."""
    before, after, options, secrets = change
    request, oidc = listener_request(options), options["authenticate_oidc"]
    tags = tag_change(before.get("tags", {}), after["tags"], purge=True)
    new_secret = elbv2_oidc.VERSION_TAG in tags.set
    config = elbv2_oidc.config_of(request["DefaultActions"])
    if listener and config is not None and not new_secret and elbv2_oidc.config_of(listener["DefaultActions"]):
        config["UseExistingClientSecret"] = True
    elif config is not None:
        config["ClientSecret"] = elbv2_oidc.client_secret(secrets(), oidc)
    if listener is None:
        return str(create_listener(elbv2, arn, request, after["tags"])["ListenerArn"])
    if new_secret or listener_view(listener) != listener_view(request):
        modify_listener(elbv2, listener["ListenerArn"], request)
    # Only now: the tag says which secret the listener has.
    if tags:
        write_tags(elbv2, listener["ListenerArn"], tags)
    return str(listener["ListenerArn"])


def ensure_rules(elbv2: Any, listener_arn: str, options: Options, after: dict[str, View]) -> None:
    """Create, change and remove rules so that exactly those of the options are left."""
    current = describe_rules(elbv2, listener_arn)
    tags = describe_tags_of(elbv2, [rule["RuleArn"] for rule in current.values()])
    for rule in options["rules"]:
        request, wanted = rule_request(rule, options["target_group_arn"]), after[str(rule["priority"])]
        held = current.pop(str(rule["priority"]), None)
        if held is None:
            create_rule(elbv2, listener_arn, request, wanted["tags"])
            continue
        if rule_view(held) != rule_view(request):
            modify_rule(elbv2, held["RuleArn"], request)
        change = tag_change(tags[held["RuleArn"]], wanted["tags"], purge=True)
        if change:
            write_tags(elbv2, held["RuleArn"], change)
    for held in current.values():
        delete_rule(elbv2, held["RuleArn"])
