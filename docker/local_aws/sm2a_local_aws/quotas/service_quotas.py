# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The API of Service Quotas: the quotas of the catalogue, with AWS's default values and with those that apply.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_Operations.html
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack import app
from ministack.core import router
from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

from sm2a_local_aws.quotas import applied, catalogue
from sm2a_local_aws.quotas.catalogue import Quota

Request = Mapping[str, Any]
Operation = Callable[[Request], dict[str, Any]]

NAME = "servicequotas"
TARGET = "ServiceQuotasV20190624"
# The most on a page, and what a page has when nothing is said.
PAGE = 100


class BadRequest(Exception):  # noqa: N818  It is an answer.
    """`code` is AWS's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def handle_request(_method: str, _path: str, headers: Mapping[str, str], body: bytes, _query: Any) -> Any:
    """One call."""
    name = headers.get("x-amz-target", "").rpartition(".")[2]
    operation = OPERATIONS.get(name)
    if operation is None:
        return error_response_json("UnknownOperationException", f"The local AWS has no {name} of {NAME}.", 400)
    try:
        return json_response(operation(json.loads(body or b"{}")))
    except BadRequest as refused:
        return error_response_json(refused.code, str(refused), 400)


def list_service_quotas(request: Request) -> dict[str, Any]:
    return _page([_applied(quota) for quota in _of_service(request, request.get("QuotaCode"))], "Quotas", request)


def list_default_service_quotas(request: Request) -> dict[str, Any]:
    return _page([_default(quota) for quota in _of_service(request)], "Quotas", request)


def get_service_quota(request: Request) -> dict[str, Any]:
    return {"Quota": _applied(_one(request))}


def get_default_service_quota(request: Request) -> dict[str, Any]:
    return {"Quota": _default(_one(request))}


def list_services(request: Request) -> dict[str, Any]:
    known = [code for code in sorted(catalogue.SERVICES) if catalogue.of_service(code, get_region())]
    listed = [{"ServiceCode": code, "ServiceName": catalogue.SERVICES[code]} for code in known]
    return _page(listed, "Services", request)


OPERATIONS: dict[str, Operation] = {
    "GetAWSDefaultServiceQuota": get_default_service_quota,
    "GetServiceQuota": get_service_quota,
    "ListAWSDefaultServiceQuotas": list_default_service_quotas,
    "ListServiceQuotas": list_service_quotas,
    "ListServices": list_services,
}


def _of_service(request: Request, code: str | None = None) -> list[Quota]:
    """The quotas of the service that is named; with a code that one alone."""
    found = catalogue.of_service(_named(request, "ServiceCode"), get_region())
    if not found:
        # https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/servicequotas_service
        raise BadRequest("NoSuchResourceException", "The request failed because the specified service does not exist.")
    return [quota for quota in found if code in (None, quota.code)]


def _one(request: Request) -> Quota:
    found = _of_service(request, _named(request, "QuotaCode"))
    if not found:
        raise BadRequest("NoSuchResourceException", "The request failed because the specified quota does not exist.")
    return found[0]


def _named(request: Request, member: str) -> str:
    given = request.get(member)
    if not isinstance(given, str) or not given:
        raise BadRequest("IllegalArgumentException", f"{member} is required.")
    return given


def _applied(quota: Quota) -> dict[str, Any]:
    return {**_quota(quota, get_account_id()), "Value": applied.value(quota), "QuotaAppliedAtLevel": "ACCOUNT"}


def _default(quota: Quota) -> dict[str, Any]:
    return {**_quota(quota, ""), "Value": float(quota.value)}


def _quota(quota: Quota, account_id: str) -> dict[str, Any]:
    """A default value belongs to no account."""
    return {
        "ServiceCode": quota.service,
        "ServiceName": catalogue.SERVICES[quota.service],
        "QuotaArn": f"arn:aws:{NAME}:{get_region()}:{account_id}:{quota.service}/{quota.code}",
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Unit": quota.unit,
        "Adjustable": quota.adjustable,
        "GlobalQuota": quota.is_global,
    }


def _page(listed: list[dict[str, Any]], member: str, request: Request) -> dict[str, Any]:
    """From where the token says, with a token for the next page."""
    start, size = _start(request.get("NextToken")), int(request.get("MaxResults") or PAGE)
    answer: dict[str, Any] = {member: listed[start : start + size]}
    if start + size < len(listed):
        answer["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return answer


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (ValueError, binascii.Error) as error:
        raise BadRequest("InvalidPaginationTokenException", "The pagination token is invalid.") from error


app.SERVICE_HANDLERS[NAME] = handle_request
router.SERVICE_PATTERNS[NAME] = {"target_prefixes": [TARGET]}
