# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ELBv2: the further certificates of a listener, chosen by SNI (MiniStack knows a listener's default one only)."""

from __future__ import annotations

from typing import Any

from ministack.services import alb

from sm2a_local_aws.patching.points import relies_on

Parameters = dict[str, Any]

# Where a listener's record keeps them.
FURTHER = "_further_certificates"

relies_on(
    "ministack.services.alb",
    {
        "_empty": "f58357f5e7af",
        "_error": "7bbb9cb965a1",
        "_p": "4073e17ee146",
        "_parse_certificate_arns": "b0032a02e4d6",
        "_xml": "451c5e276087",
    },
)


def of_listener(listener: dict[str, Any]) -> list[str]:
    """The ARNs of its certificates, the default one first."""
    return [*listener.get("Certificates", []), *listener.get(FURTHER, [])]


def _add(parameters: Parameters) -> Any:
    listener = _listener(parameters)
    if listener is None:
        return _not_found()
    arns = alb._parse_certificate_arns(parameters)
    listener[FURTHER] = list(dict.fromkeys([*listener.get(FURTHER, []), *arns]))
    members = "".join(_member(arn, is_default=False) for arn in arns)
    return alb._xml(200, "AddListenerCertificates", f"<Certificates>{members}</Certificates>")


def _remove(parameters: Parameters) -> Any:
    listener = _listener(parameters)
    if listener is None:
        return _not_found()
    gone = set(alb._parse_certificate_arns(parameters))
    listener[FURTHER] = [arn for arn in listener.get(FURTHER, []) if arn not in gone]
    return alb._empty("RemoveListenerCertificates")


def _describe(parameters: Parameters) -> Any:
    listener = _listener(parameters)
    if listener is None:
        return _not_found()
    members = "".join(_member(arn, is_default=True) for arn in listener.get("Certificates", []))
    members += "".join(_member(arn, is_default=False) for arn in listener.get(FURTHER, []))
    return alb._xml(200, "DescribeListenerCertificates", f"<Certificates>{members}</Certificates>")


def _listener(parameters: Parameters) -> dict[str, Any] | None:
    listener: dict[str, Any] | None = alb._listeners.get(alb._p(parameters, "ListenerArn"))
    return listener


def _member(arn: str, *, is_default: bool) -> str:
    flag = str(is_default).lower()
    return f"<member><CertificateArn>{arn}</CertificateArn><IsDefault>{flag}</IsDefault></member>"


def _not_found() -> Any:
    return alb._error("ListenerNotFound", "One or more listeners not found")


# Actions that MiniStack does not have at all: nothing is replaced.
alb._ACTION_MAP.update(
    AddListenerCertificates=_add, RemoveListenerCertificates=_remove, DescribeListenerCertificates=_describe
)
