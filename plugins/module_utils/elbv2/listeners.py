# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Listeners of an Application Load Balancer: what they are, what they are to be, and the way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call, tag_change
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import actions as elbv2_actions
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import oidc as elbv2_oidc
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import rules as elbv2_rules
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import (
    describe_listeners,
    describe_tags_of,
    write_tags,
)

# A listener as the module's options have it, and as the diff shows it.
Options = dict[str, Any]
View = dict[str, Any]

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
        "redirect_to_host": {"type": "str"},
        "default_status": {"type": "int"},
        "authenticate_oidc": {"type": "dict", "options": elbv2_oidc.OPTIONS},
        "rules": elbv2_rules.OPTION,
        "attributes": {"type": "dict"},
    },
    "required_if": [("protocol", "HTTPS", ("certificate_arn", "ssl_policy"))],
    "mutually_exclusive": [
        ("target_group_arn", "redirect_to_port"),
        ("redirect_to_port", "authenticate_oidc"),
        ("default_status", "authenticate_oidc"),
        ("default_status", "redirect_to_port"),
    ],
    "required_by": {"redirect_to_host": ("redirect_to_port",)},
    "required_one_of": [("target_group_arn", "redirect_to_port")],
}


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


@call("describe the attributes of a listener")
def describe_attributes(elbv2: Any, listener_arn: str) -> dict[str, str]:
    """Attributes by key; one that is not set may be missing, or empty."""
    found = elbv2.describe_listener_attributes(ListenerArn=listener_arn)["Attributes"]
    return {attribute["Key"]: attribute.get("Value", "") for attribute in found}


@call("change the attributes of a listener")
def modify_attributes(elbv2: Any, listener_arn: str, attributes: dict[str, str]) -> None:
    """Set attributes; an empty value takes one away."""
    pairs = [{"Key": key, "Value": value} for key, value in attributes.items()]
    elbv2.modify_listener_attributes(ListenerArn=listener_arn, Attributes=pairs)


def listener_request(options: Options) -> dict[str, Any]:
    """A listener of the options as the API wants it, without a client secret."""
    if options["default_status"] is not None:
        actions = [elbv2_actions.fixed_response(options["default_status"])]
    elif options["target_group_arn"]:
        actions = [elbv2_actions.forward(options["target_group_arn"])]
    else:
        actions = [elbv2_actions.redirect(options["redirect_to_port"], options["redirect_to_host"])]
    if options["authenticate_oidc"]:
        # Several actions need an order.
        actions = [{**elbv2_oidc.action(options["authenticate_oidc"]), "Order": 1}, {**actions[0], "Order": 2}]
    request = {"Port": options["port"], "Protocol": options["protocol"], "DefaultActions": actions}
    if options["protocol"] == "HTTPS":
        request["Certificates"] = [{"CertificateArn": options["certificate_arn"]}]
        request["SslPolicy"] = options["ssl_policy"]
    return request


def listener_view(listener: dict[str, Any]) -> View:
    """What is compared of a listener itself, whether of a request or of an answer."""
    view = {"protocol": listener["Protocol"], "actions": elbv2_actions.view(listener.get("DefaultActions", []))}
    if listener["Protocol"] == "HTTPS":
        view["certificates"] = [one["CertificateArn"] for one in listener.get("Certificates", [])]
        view["ssl_policy"] = listener.get("SslPolicy")
    return view


def wanted_attributes(options: Options) -> dict[str, str]:
    """Attributes of the options as the API wants them: all strings, booleans in lower case."""
    given = options["attributes"] or {}
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}


def read(elbv2: Any, arn: str, wanted: list[Options] | None) -> dict[str, View]:
    """The listeners of a load balancer by port, with their tags; rules and attributes where the options name them."""
    listeners = describe_listeners(elbv2, arn)
    options = {one["port"]: one for one in wanted or [] if one["port"] in listeners}
    rules = {
        port: elbv2_rules.describe_rules(elbv2, listeners[port]["ListenerArn"])
        for port, one in options.items()
        if one["rules"] is not None
    }
    arns = [one["ListenerArn"] for one in listeners.values()]
    arns += [rule["RuleArn"] for found in rules.values() for rule in found.values()]
    tags = describe_tags_of(elbv2, arns)
    views = {}
    for port, listener in sorted(listeners.items()):
        view: View = {**listener_view(listener), "tags": tags[listener["ListenerArn"]]}
        if port in rules:
            view["rules"] = {
                priority: {**elbv2_rules.view(rule), "tags": tags[rule["RuleArn"]]}
                for priority, rule in rules[port].items()
            }
        if port in options and options[port]["attributes"] is not None:
            held = describe_attributes(elbv2, listener["ListenerArn"])
            view["attributes"] = {key: held.get(key, "") for key in wanted_attributes(options[port])}
        views[str(port)] = view
    return views


def plan(options: Options, held: View, params: dict[str, Any], secrets: Callable[[], Any]) -> View:
    """What a listener is to look like; ``held`` is what it looks like now ({} when it is to be created)."""
    own, oidc = params["tags"], options["authenticate_oidc"]
    tags = tag_change(held.get("tags", {}), own, params["purge_tags"]).result
    tags.pop(elbv2_oidc.VERSION_TAG, None)
    if oidc:
        tags[elbv2_oidc.VERSION_TAG] = elbv2_oidc.secret_version(secrets(), oidc)
    view: View = {**listener_view(listener_request(options)), "tags": tags}
    if options["attributes"] is not None:
        view["attributes"] = wanted_attributes(options)
    if options["rules"] is not None:
        view["rules"] = elbv2_rules.plan(options, held.get("rules", {}), params)
    return view


def ensure(elbv2: Any, arn: str, wanted: list[Options], after: dict[str, View], secrets: Callable[[], Any]) -> None:
    """Create, change and remove listeners, with their rules and attributes, so that they look as ``after``."""
    current = describe_listeners(elbv2, arn)
    before = read(elbv2, arn, wanted)
    for options in wanted:
        port, held = str(options["port"]), current.pop(options["port"], None)
        # New rules come before another default action and old ones go after it: a request finds its way meanwhile.
        if held and options["rules"] is not None:
            elbv2_rules.ensure(elbv2, held["ListenerArn"], options, after[port]["rules"])
        listener_arn = ensure_listener(elbv2, arn, held, (before.get(port, {}), after[port], options, secrets))
        if options["rules"] is not None:
            elbv2_rules.ensure(elbv2, listener_arn, options, after[port]["rules"])
            elbv2_rules.purge(elbv2, listener_arn, options)
        attributes, wanted_ones = before.get(port, {}).get("attributes", {}), after[port].get("attributes", {})
        if differing := {key: value for key, value in wanted_ones.items() if attributes.get(key) != value}:
            modify_attributes(elbv2, listener_arn, differing)
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
