# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Every request is signed by somebody who may do it, or is refused in AWS's words.

The machine itself is the administrator: a request from one of its own addresses may be signed with any key that AWS
would not have given out, such as `test`. Whoever signs with a session of a role or with the key of an IAM user is bound
by its policies, and a container is nobody else: from its address no other key is taken.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote

from ministack import app
from ministack.core import responses, sigv4
from ministack.core.router import detect_service, extract_access_key_id

from sm2a_local_aws import settings
from sm2a_local_aws.asgi import Application, read_body, replaying
from sm2a_local_aws.iam import callers, endpoints, recording, refusals, resource_policies, task_calls
from sm2a_local_aws.iam.callers import Caller
from sm2a_local_aws.iam.endpoints import Way
from sm2a_local_aws.iam.policy import evaluation
from sm2a_local_aws.iam.policy.documents import Document, PolicyError
from sm2a_local_aws.iam.policy.evaluation import Decision, Policies, Request
from sm2a_local_aws.iam.refusals import Refused
from sm2a_local_aws.iam.request import reading, signatures
from sm2a_local_aws.iam.request.calls import Call, Message
from sm2a_local_aws.iam.request.reading import Reading, Unreadable
from sm2a_local_aws.iam.request.signatures import Signature, SignatureError, Unsigned
from sm2a_local_aws.iam.rights import required
from sm2a_local_aws.iam.rights.existing import Place
from sm2a_local_aws.iam.state import Account
from sm2a_local_aws.patching.points import relies_on

logger = logging.getLogger("sm2a.iam")

relies_on("ministack.app", {"_routing_params": "00e89d22c926"})
relies_on("ministack.core.router", {"extract_access_key_id": "4f0df6b2b1cd", "detect_service": "fd156fac4b5d"})
relies_on("ministack.core.sigv4", {"decode_header_value": "1e6f511f1f17"})

Scope = dict[str, Any]

# What containers ask of the ECS agent: the address is the secret. Any other path, header or parameter could name a
# service of AWS, which MiniStack would call.
AGENT_PATHS = {
    "GET": re.compile(
        r"/v4/[A-Za-z0-9_-]{20,}(/task|/stats|/task/stats)?|/api/[A-Za-z0-9_-]{20,}/task-protection/v1/state"
    ),
    "PUT": re.compile(r"/api/[A-Za-z0-9_-]{20,}/task-protection/v1/state"),
}
# Where MiniStack itself answers before any service does.
RESERVED_PATHS = ("/_", "/v2/", "/v4/", "/api/", "/v20180820/", "/iceberg")
BUCKET_PATH = re.compile(r"/([a-z0-9][a-z0-9.-]{2,62}(/.*)?)?", re.DOTALL)
ROUTE53_PATH = "/2013-04-01/"
ADMINISTRATOR = "administrator"
# Of refusals of a request that cannot be read; of others it is 400.
STATUS = {"NotImplemented": 501}
# Characters of a refusal in the log: what a stranger wrote may be long.
LOGGED = 500


def middleware(application: Application) -> Application:
    """The ASGI application, which gets only what its caller may do."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or _needs_no_signature(scope):
            await application(scope, receive, send)
            return
        headers = _headers(scope)
        if _is_of_administrator(scope, headers) and not settings.current().record_rights:
            await application(scope, receive, send)
            return
        message = Message(
            method=scope["method"],
            path=scope["path"],
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=headers,
            body=await read_body(receive),
        )
        try:
            allowed = await asyncio.to_thread(_check, scope, message)
        except Refused as refused:
            logger.warning("refused a request of %s: %s", scope.get("client"), ascii(str(refused))[:LOGGED])
            await refusals.answer(send, refused, headers)
            return
        if allowed is not None:
            message, scope = allowed, _scope(scope, allowed)
        await application(scope, replaying(message.body, receive), send)

    return answer


def _scope(scope: Scope, message: Message) -> Scope:
    """The scope of another message of the same client."""
    return {
        **scope,
        "method": message.method,
        "path": message.path,
        "raw_path": quote(message.path).encode(),
        "query_string": message.query.encode(),
        "headers": [(name.encode("latin-1"), value.encode()) for name, value in message.headers.items()],
    }


def refusal_of_task(role_arn: str, task_arn: str, call: Call) -> str | None:
    """Why a task may not do what it asks of the ECS agent, which calls AWS with the task role; None when it may."""
    _arn, partition, _ecs, region, account, _resource = task_arn.split(":", 5)
    with responses.request_scope(account, region):
        try:
            _authorise(callers.of_task(task_arn, role_arn), call, Place(region, account, partition))
        except (Refused, SignatureError, PolicyError) as refused:
            return str(refused)
    return None


def _needs_no_signature(scope: Scope) -> bool:
    paths = AGENT_PATHS.get(scope["method"])
    if paths is None or not paths.fullmatch(scope["path"]) or scope.get("query_string"):
        return False
    headers = _headers(scope)
    return _has_known_host(headers) and not any(name.startswith(("authorization", "x-amz-")) for name in headers)


def _headers(scope: Scope) -> dict[str, str]:
    """By name in small letters; several of one name are joined as a signature has them."""
    found: dict[str, str] = {}
    for name, value in scope.get("headers") or ():
        key, text = name.decode("latin-1").lower(), sigv4.decode_header_value(value)
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def _is_own_address(scope: Scope) -> bool:
    """Whether the request comes from this machine and not from a container."""
    client = (scope.get("client") or ("",))[0]
    return client.startswith("127.") or client in settings.current().bind_addresses


def _is_of_administrator(scope: Scope, headers: dict[str, str]) -> bool:
    if not _is_own_address(scope):
        return False
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    return not callers.is_issued(extract_access_key_id(headers, asked))


def _check(scope: Scope, message: Message) -> Message | None:
    """Refused unless whoever signed the request may do it. What to do instead of the request, for all but the
    administrator: it says only what was judged."""
    service = detect_service(message.method, message.path, dict(message.headers), _parameters(message))
    try:
        signature = signatures.read(message)
    except Unsigned:
        if _is_of_administrator(scope, dict(message.headers)):
            return None
        if extract_access_key_id(dict(message.headers), signatures.query(message)):
            raise Refused(service, "UnsupportedSignature", "Sign with AWS4-HMAC-SHA256.") from None
        missing = "Request is missing Authentication Token"
        raise Refused(service, "MissingAuthenticationToken", missing) from None
    except SignatureError as error:
        raise Refused(service, error.code, str(error)) from error
    if _is_of_administrator(scope, dict(message.headers)):
        _record_administrator(signature, service, message)
        return None
    account = settings.ACCOUNT_ID
    with responses.request_scope(account, signature.region):
        try:
            caller = _verified(scope, signature, service, message)
            read = _reading(service, message)
            _authorise(caller, read.call, Place(signature.region, account))
        except PolicyError as error:
            # IAM would not have taken it.
            raise Refused(service, "AccessDenied", f"a policy cannot be read: {error}") from error
    return _handed_on(service, signature, read.message)


def _handed_on(service: str, signature: Signature, message: Message) -> Message:
    """The request with its signature, in one form only: MiniStack takes the caller, account and region from it."""
    parsed = signature.parsed
    scope = f"{parsed.access_key_id}/{parsed.date_stamp}/{parsed.region}/{parsed.service}/aws4_request"
    headers = {
        **message.headers,
        "authorization": f"{signatures.ALGORITHM} Credential={scope}, "
        f"SignedHeaders={parsed.signed_headers}, Signature={parsed.signature}",
        "x-amz-date": str(parsed.amz_date),
        **({"x-amz-security-token": signature.token} if signature.token else {}),
        "content-length": str(len(message.body)),
    }
    handed = replace(message, headers=headers)
    routed = detect_service(handed.method, handed.path, headers, _parameters(handed))
    if routed != service:
        raise Refused(service, "AccessDenied", f"the request is one to {routed}")
    return handed


def _verified(scope: Scope, signature: Signature, service: str, message: Message) -> Caller:
    """Whoever signed the request, if that is true."""
    if signature.service != service:
        wrong = f"Credential should be scoped to correct service: '{service}'. "
        raise Refused(service, "SignatureDoesNotMatch", wrong)
    raw_path = (scope.get("raw_path") or quote(message.path).encode()).decode("latin-1").partition("?")[0]
    try:
        caller = callers.find(signature.access_key, signature.token, settings.ACCOUNT_ID)
        signatures.verify(signature, caller.secret, message, raw_path)
    except SignatureError as error:
        raise Refused(service, error.code, str(error)) from error
    return caller


def _reading(service: str, message: Message) -> Reading:
    """The call, and the request that makes it and none else."""
    host = message.headers.get("host", "")
    if (
        not _has_known_host(message.headers)
        or message.path.startswith(RESERVED_PATHS)
        or not _has_path_of(service, message.path)
    ):
        raise Refused(service, "AccessDenied", f"no AWS API is at {message.path!r} of {host!r}")
    try:
        return reading.read(service, message)
    except Unreadable as error:
        raise Refused(service, error.code, str(error), status=STATUS.get(error.code, 400)) from error


def _has_known_host(headers: Mapping[str, str]) -> bool:
    """Another Host could name a bucket or a service."""
    host = headers.get("host", "")
    return (host.rpartition(":")[0] or host) in (*settings.current().bind_addresses, "localhost")


def _has_path_of(service: str, path: str) -> bool:
    if service == "s3":
        return BUCKET_PATH.fullmatch(path) is not None
    if service == "route53":
        return path.startswith(ROUTE53_PATH)
    # What else there is, the reading refuses in AWS's words.
    return path == "/" or path.startswith("/service/")


def _parameters(message: Message) -> Any:
    query = signatures.query(message)
    return app._routing_params(message.method, message.path, dict(message.headers), message.body, query)


def _authorise(caller: Caller, call: Call, place: Place) -> None:
    """Refused unless every right that the call needs is there."""
    for request in required.of(call, place, Account()):
        way = _way(caller, call, request)
        request = replace(request, context={**request.context, **way.keys})  # noqa: PLW2901
        decision = _decide(caller, request, way.policy)
        _record(caller.principal.arn, request, decision)
        if not decision.allowed:
            reason = (
                f"User: {caller.principal.arn} is not authorized to perform: {request.action} "
                f"on resource: {request.resource} {decision.reason}"
            )
            raise Refused(call.service, "AccessDenied", reason, request.action)


def _way(caller: Caller, call: Call, request: Request) -> Way:
    """What AWS does in a task's name does not come through the task's VPC."""
    if not caller.task_arn or request.context.get("aws:viaawsservice") == "true":
        return Way()
    service = refusals.ministack_name(call.service)
    way = endpoints.way_of(caller.task_arn, service)
    task_calls.record(caller.principal.role_arn, service, way.keys.get("aws:sourcevpce", ""))
    return way


def _decide(caller: Caller, request: Request, endpoint: Document | None) -> Decision:
    resource = resource_policies.of(request.action, request.resource)
    asked = Policies(caller.identity, caller.boundary, caller.session, resource, endpoint)
    return evaluation.evaluate(caller.principal, request, asked)


def _record(who: str, request: Request, decision: Decision | None) -> None:
    file = settings.current().record_rights
    if file:
        recording.write(file, who, request, decision)


def _record_administrator(signature: Signature, service: str, message: Message) -> None:
    place = Place(signature.region, settings.ACCOUNT_ID)
    with responses.request_scope(place.account, place.region):
        try:
            call = _reading(service, message).call
        except Refused:
            # Nothing binds the administrator.
            return
        for request in required.of(call, place, Account()):
            _record(ADMINISTRATOR, request, None)
