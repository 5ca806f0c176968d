# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the local AWS serves: the services that SM2A uses, and nothing else of what MiniStack can do.

MiniStack serves a hundred: among them Lambda, CodeBuild, EKS, Glue and Athena, which run code or read files on this
machine. Their APIs, and the entrances that MiniStack has beside APIs, answer an error here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack import app
from ministack.core.router import detect_service

from sm2a_local_aws.patching.points import relies_on, replaces

Response = Any
Handler = Callable[..., Awaitable[Response]]

# By MiniStack's names.
SERVICES = frozenset(
    {
        "acm",
        # Tests count API calls in its trail.
        "cloudtrail",
        "ec2",
        "ecr",
        "ecs",
        # What a container asks about itself.
        "ecs-metadata",
        "elasticloadbalancing",
        "iam",
        "kms",
        "logs",
        "monitoring",
        "rds",
        "route53",
        "s3",
        "secretsmanager",
        "servicediscovery",
        # The quotas of SM2A's services (package quotas).
        "servicequotas",
        "sns",
        "sqs",
        "sts",
        "wafv2",
    }
)

# The only setting of MiniStack that may be changed while it runs: tests count API calls in the trail.
RECORDING = "cloudtrail._recording_enabled"

relies_on(
    "ministack.app",
    {
        "_handle_health_request": "4d327bd1ded5",
        "_handle_admin_reset": "41b8f2f42386",
        "_handle_admin_config_request": "68ee50c5f03b",
        "_handle_s3_control_request": "65f5c1e30b4a",
        "_handle_ecr_registry_request": "2b170ee843a3",
        "_handle_s3_vhost_request": "189151d8915b",
        "_with_data_plane_headers": "becb94a8378f",
        "_routing_params": "00e89d22c926",
    },
)
relies_on("ministack.core.router", {"detect_service": "fd156fac4b5d"})


for _name in set(app.SERVICE_HANDLERS) - SERVICES:
    del app.SERVICE_HANDLERS[_name]


@replaces("ministack.app:_handle_pre_body_request", "827a7ae1d526")
async def handle_pre_body_request(
    _original: Handler, method: str, path: str, _headers: Any, query: dict[str, Any], request_id: str
) -> Response:
    """Health and reset. No preflights, Lambda code, login pages, nor lists of messages."""
    health = app._handle_health_request(path, request_id)
    return health or await app._handle_admin_reset(path, method, query)


@replaces("ministack.app:_handle_post_body_shortcuts", "950ae5cb53a4")
async def handle_post_body_shortcuts(
    _original: Handler, method: str, path: str, _headers: Any, body: bytes, *_rest: Any
) -> Response:
    """One setting. No login forms, no signals of CloudFormation."""
    return await app._handle_admin_config_request(path, method, _recording_only(body))


@replaces("ministack.app:_handle_special_data_plane_request", "011e0dfba6d8")
async def handle_special_data_plane_request(_original: Handler, *request: Any, **_more: Any) -> Response:
    """S3 Control, the registry, S3 by virtual host. No API Gateway, function URLs, Iceberg, RDS Data and so on."""
    method, path, headers, body, query, request_id = request
    if response := await app._handle_s3_control_request(path, method, body, query, request_id, headers):
        return response
    if response := await app._handle_ecr_registry_request(method, path, headers, body, query):
        return app._with_data_plane_headers(response, request_id)
    host = headers.get("host", "")
    response = await app._handle_s3_vhost_request(host, path, method, headers, body, query)
    return app._with_data_plane_headers(response, request_id, include_s3_id=True)


@replaces("ministack.app:_dispatch_service_request", "17e5ef6dcfa0")
async def dispatch_service_request(original: Handler, *request: Any) -> Response:
    """An API call goes to its service when that is served."""
    method, path, headers, body, query, _request_id = request
    service = detect_service(method, path, headers, app._routing_params(method, path, headers, body, query))
    if service in SERVICES:
        return await original(*request)
    return refusal(service, headers)


@replaces("ministack.app:_collect_scripts", "f7822985abd5")
def collect_scripts(_original: Callable[..., list[str]], *_directories: str) -> list[str]:
    """Run no script at start or reset that somebody put into a directory of MiniStack's or LocalStack's."""
    return []


def refusal(service: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """What AWS answers to an operation that it does not know, in the words of the local AWS."""
    message = f"The local AWS does not serve {service}; it serves {', '.join(sorted(SERVICES))}."
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        error = f"<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>{escape(message)}</Message></Error>"
        return 400, {"Content-Type": "text/xml"}, f"<ErrorResponse>{error}</ErrorResponse>".encode()
    code = "UnknownOperationException"
    answer = json.dumps({"__type": code, "message": message}).encode()
    return 400, {"Content-Type": "application/json", "x-amzn-errortype": code}, answer


def _recording_only(body: bytes) -> bytes:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        asked = {}
    known = isinstance(asked, dict) and RECORDING in asked
    return json.dumps({RECORDING: asked[RECORDING]} if known else {}).encode()
