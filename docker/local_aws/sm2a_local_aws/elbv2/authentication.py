# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2: the rules of authenticate-oidc actions, and a client secret that outlives changes that do not name it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ministack.services import alb

from sm2a_local_aws.patching.points import relies_on, replaces

Handler = Callable[[dict[str, Any]], Any]
Parameters = dict[str, Any]

relies_on("ministack.services.alb", {"_error": "7bbb9cb965a1", "_p": "4073e17ee146", "_parse_actions": "40b80c548b38"})


@replaces("ministack.services.alb:_create_listener", "23d4ba6f6584", over=("load_balancer.front",))
def create_listener(original: Handler, parameters: Parameters) -> Any:
    """Refuse authentication without TLS or without a client secret."""
    asked = list(_configs(alb._parse_actions(parameters, "DefaultActions")))
    return _problem(alb._p(parameters, "Protocol"), asked, []) or original(parameters)


@replaces("ministack.services.alb:_modify_listener", "be2a9bfca23f")
def modify_listener(original: Handler, parameters: Parameters) -> Any:
    """Refuse the same; keep the secret of a listener that authenticates already."""
    held = alb._listeners.get(alb._p(parameters, "ListenerArn"), {})
    before = list(_configs(held.get("DefaultActions", [])))
    asked = list(_configs(alb._parse_actions(parameters, "DefaultActions")))
    protocol = alb._p(parameters, "Protocol") or held.get("Protocol", "")
    return _problem(protocol, asked, before) or _keeping_secret(original, parameters, held, "DefaultActions", before)


def _keeping_secret(
    original: Handler, parameters: Parameters, held: dict[str, Any], key: str, before: list[dict[str, Any]]
) -> Any:
    response = original(parameters)
    for config in _configs(held.get(key, [])):
        if config.pop("UseExistingClientSecret", False) and before:
            config["ClientSecret"] = before[0]["ClientSecret"]
    return response


def _problem(protocol: str, asked: list[dict[str, Any]], before: list[dict[str, Any]]) -> Any:
    if not asked:
        return None
    if protocol != "HTTPS":
        return alb._error("InvalidConfigurationRequest", "Authenticate actions are supported on HTTPS listeners only")
    if any("ClientSecret" not in one and not (one.get("UseExistingClientSecret") and before) for one in asked):
        return alb._error("ValidationError", "You must provide a client secret")
    return None


def _configs(actions: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return (action["AuthenticateOidcConfig"] for action in actions if "AuthenticateOidcConfig" in action)
