# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One reading of a request: the call that IAM judges, and the request anew, which says nothing but this call.

MiniStack's services find operation and parameters each in their own way: in X-Amz-Target, in the path, in the address,
in a body of any Content-Type. A request that says two things would be judged as one and done as the other. So only
what AWS's model of the service has is read, anything else is refused, and MiniStack gets what was read, not what was
sent.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ministack import app

from sm2a_local_aws.iam.request import calls, members, rest, routes, tags
from sm2a_local_aws.iam.request.calls import Call, Form, Message
from sm2a_local_aws.patching.points import relies_on

relies_on("ministack.app", {"_decode_aws_chunked_body": "361f5a9fe419"})
relies_on("ministack.services.s3", {"_dispatch": "52562ee7c18b"})

FORM = "application/x-www-form-urlencoded"
JSON = ("application/x-amz-json-1.0", "application/x-amz-json-1.1")
# What a presigned address carries of its signature.
SIGNING = {
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
}
# Headers that say nothing about the call. The signature's are none of them.
NEUTRAL = {"accept", "amz-sdk-invocation-id", "amz-sdk-request", "content-md5", "content-type", "host", "user-agent"}
CHECKSUM = "x-amz-checksum-"
METADATA = "x-amz-meta-"
COPY_SOURCE = "x-amz-copy-source"
# Operations of S3 that a header makes of others with the same address.
COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}
# Operations that MiniStack's S3 does. It would take another one's address for the bucket's or the object's own.
S3 = frozenset(
    """
    AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket CreateMultipartUpload DeleteBucket
    DeleteBucketCors DeleteBucketEncryption DeleteBucketLifecycle DeleteBucketOwnershipControls
    DeleteBucketPolicy DeleteBucketReplication DeleteBucketTagging DeleteBucketWebsite DeleteObject
    DeleteObjectAnnotation DeleteObjectTagging DeleteObjects DeletePublicAccessBlock
    GetBucketAccelerateConfiguration GetBucketAcl GetBucketCors GetBucketEncryption
    GetBucketLifecycleConfiguration GetBucketLocation GetBucketLogging GetBucketNotificationConfiguration
    GetBucketOwnershipControls GetBucketPolicy GetBucketReplication GetBucketTagging GetBucketVersioning
    GetBucketWebsite GetObject GetObjectAcl GetObjectAnnotation GetObjectAttributes GetObjectLegalHold
    GetObjectLockConfiguration GetObjectRetention GetObjectTagging GetPublicAccessBlock HeadBucket HeadObject
    ListBuckets ListMultipartUploads ListObjectAnnotations ListObjectVersions ListObjects ListObjectsV2
    ListParts PutBucketAccelerateConfiguration PutBucketAcl PutBucketCors PutBucketEncryption
    PutBucketLifecycleConfiguration PutBucketLogging PutBucketNotificationConfiguration
    PutBucketOwnershipControls PutBucketPolicy PutBucketReplication PutBucketRequestPayment PutBucketTagging
    PutBucketVersioning PutBucketWebsite PutObject PutObjectAcl PutObjectAnnotation PutObjectLegalHold
    PutObjectLockConfiguration PutObjectRetention PutObjectTagging PutPublicAccessBlock RestoreObject UploadPart
    UploadPartCopy
    """.split()  # noqa: SIM905  A list of so many is read better so.
)


class Unreadable(ValueError):  # noqa: N818  It is an answer.
    """A request that AWS would not take, or could take for two calls. `code` is AWS's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Reading:
    """`message` is the request that makes `call`, without a signature."""

    call: Call
    message: Message


@dataclass(frozen=True)
class _Words:
    """AWS's codes for an operation that there is not, and for a request that cannot be read."""

    unknown: str
    unreadable: str


WORDS = {
    "json": _Words("UnknownOperationException", "SerializationException"),
    "query": _Words("InvalidAction", "MalformedQueryString"),
    "ec2": _Words("InvalidAction", "MalformedQueryString"),
    "rest-xml": _Words("InvalidRequest", "InvalidRequest"),
}


def read(service: str, message: Message) -> Reading:
    """The one call that a request to a service is, as the signature names it; Unreadable when there is not just one."""
    service = calls.SIGNED_AS.get(service, service)
    model = routes.model(service)
    spoken = set(model.metadata.get("protocols") or [model.metadata["protocol"]]) if model else set()
    # MiniStack lacks cbor2, so that no service speaks smithy-rpc-v2-cbor.
    protocol = _protocol(message, spoken & READERS.keys())
    if model is None or protocol is None:
        words = WORDS[next((name for name in WORDS if name in spoken), "json")]
        raise Unreadable(words.unknown, f"{service} has no operation for {message.method} {message.path!r}")
    words = WORDS[protocol]
    try:
        found = READERS[protocol](model, words, _decoded(service, message))
        tags.require_each_once(found.call)
    except Unreadable:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise Unreadable(words.unreadable, str(error)) from error
    return found


def identify(service: str, message: Message) -> Call:
    """The call alone."""
    return read(service, message).call


def _protocol(message: Message, spoken: set[str]) -> str | None:
    """The protocol of a request, if the service speaks it and the request no other one."""
    if "rest-xml" in spoken:
        foreign = "x-amz-target" in message.headers or _is_rpc(message.path) or "Action" in _names(message.query)
        return None if foreign else "rest-xml"
    if message.path != "/":
        return None
    if "x-amz-target" in message.headers:
        return "json" if "json" in spoken else None
    return next((name for name in ("query", "ec2") if name in spoken), None)


def _is_rpc(path: str) -> bool:
    return path.startswith("/service/") and "/operation/" in path


def _names(query: str) -> set[str]:
    return {name for name, _value in parse_qsl(query, keep_blank_values=True)}


def _decoded(service: str, message: Message) -> Message:
    """The request with its body as it was before it was coded for the way."""
    headers = dict(message.headers)
    if service == "s3":
        return _without_chunks(message, headers)
    if "x-amz-decoded-content-length" in headers or headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        raise ValueError("only S3 takes a body in chunks")
    coding = headers.pop("content-encoding", "").strip().lower()
    if coding not in ("", "identity", "gzip"):
        raise ValueError(f"the Content-Encoding {coding!r} is not supported")
    body = message.body
    if coding == "gzip":
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(f"the body is not compressed: {error}") from error
    return Message(message.method, message.path, message.query, headers, body)


def _without_chunks(message: Message, headers: dict[str, str]) -> Message:
    """Without the chunks of S3; what follows them counts as headers."""
    try:
        body = app._decode_aws_chunked_body(message.body, headers)
    except app._IncompleteRequestBody as error:
        raise Unreadable("IncompleteBody", str(error)) from error
    trailers = headers.keys() - message.headers.keys()
    if any(not name.startswith((CHECKSUM, "x-amz-trailer-signature")) for name in trailers):
        raise Unreadable("MalformedTrailerError", "The request contained trailing data that was not well-formed.")
    return Message(message.method, message.path, message.query, headers, body)


def _pairs(text: str) -> dict[str, str]:
    """The parameters of an address or form, each of which is there once."""
    pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a parameter is given twice")
    return found


def _address(message: Message) -> dict[str, str]:
    """The parameters in the address but those of a signature, which a request has in one place."""
    if not message.query.isascii():
        raise ValueError("the address is not encoded")
    found = _pairs(message.query)
    signing = SIGNING & found.keys()
    if signing and "authorization" in message.headers:
        raise ValueError("Only one auth mechanism allowed")
    return {name: value for name, value in found.items() if name not in signing}


def _media_type(message: Message) -> str:
    return message.headers.get("content-type", "").partition(";")[0].strip().lower()


def _operation(model: Any, words: _Words, name: str) -> Any:
    if name not in model.operation_names:
        raise Unreadable(words.unknown, f"{model.service_name} has no operation {name!r}")
    return model.operation_model(name)


def _anew(message: Message, own: Mapping[str, str], body: bytes, query: str = "") -> Message:
    """The request with a new body: of its headers, those that say nothing of the call."""
    kept = {name: value for name, value in message.headers.items() if name in NEUTRAL and name != "content-md5"}
    return Message("POST", "/", query, {**kept, **own}, body)


def _json(model: Any, words: _Words, message: Message) -> Reading:
    prefix, _, name = message.headers["x-amz-target"].rpartition(".")
    is_plain = message.method == "POST" and not _address(message)
    if prefix != model.metadata["targetPrefix"] or not is_plain or _media_type(message) not in JSON:
        raise Unreadable(words.unknown, "X-Amz-Target, Content-Type, method or address is of another protocol")
    operation = _operation(model, words, name)
    parameters = members.of_input(operation.input_shape, members.loads(message.body))
    own = {
        "x-amz-target": f"{prefix}.{name}",
        "content-type": f"application/x-amz-json-{model.metadata['jsonVersion']}",
    }
    call = Call(model.service_name, name, parameters)
    return Reading(call, _anew(message, own, json.dumps(parameters).encode()))


def _query(model: Any, words: _Words, message: Message) -> Reading:
    given = _address(message)
    if message.body:
        if given or message.method != "POST" or _media_type(message) != FORM:
            raise ValueError(f"parameters are in the address or in a body of the type {FORM}, not in both")
        given = _pairs(message.body.decode())
    if message.method not in ("GET", "POST"):
        raise Unreadable(words.unknown, f"there is no {message.method} here")
    if "Action" not in given:
        raise Unreadable("MissingAction", "The request must contain the parameter Action.")
    operation = _operation(model, words, given["Action"])
    form = Form(given)
    parameters = calls.from_form(model.service_name, operation.input_shape, form)
    # What the model does not know, AWS does not look at.
    body = urlencode({name: value for name, value in given.items() if name in {"Action", "Version", *form.used}})
    call = Call(model.service_name, operation.name, parameters)
    return Reading(call, _anew(message, {"content-type": f"{FORM}; charset=utf-8"}, body.encode()))


def _rest(model: Any, words: _Words, message: Message) -> Reading:
    address, headers = _address(message), dict(message.headers)
    for name in [name for name in address if name.lower().startswith("x-amz-")]:
        _fold(name, address.pop(name), headers, "authorization" not in message.headers and model.service_name == "s3")
    route, places = routes.find(model.service_name, message.method, message.path, address)
    name = COPIES.get(route.action, route.action) if COPY_SOURCE in headers else route.action
    if model.service_name == "s3" and name not in S3:
        raise Unreadable("NotImplemented", "A header you provided implies functionality that is not implemented")
    operation = _operation(model, words, name)
    query = {name: value for name, value in address.items() if name in route.names}
    kept = {name: value for name, value in headers.items() if _is_of(operation, name)}
    parameters = rest.from_rest(operation, places, query, kept, message.body)
    handed = Message(message.method, message.path, urlencode(query), kept, message.body)
    return Reading(Call(model.service_name, operation.name, parameters), handed)


def _fold(name: str, value: str, headers: dict[str, str], presigned: bool) -> None:
    """A presigned URL may have a header of S3 as a parameter, but not again as a header."""
    key = name.lower()
    if not presigned or key in headers or key in {one.lower() for one in SIGNING}:
        raise ValueError(f"{name} is no parameter of this address")
    # A checksum is that of the body that the signer had, who had none.
    if not key.startswith(CHECKSUM):
        headers[key] = value


def _is_of(operation: Any, header: str) -> bool:
    """Whether a header is one of the operation's, or says nothing of the call."""
    if header in NEUTRAL or header.startswith((CHECKSUM, METADATA)):
        return True
    return any(
        member.serialization.get("location") == "header" and member.serialization["name"].lower() == header
        for member in rest.members(operation).values()
    )


READERS: dict[str, Callable[[Any, _Words, Message], Reading]] = {
    "json": _json,
    "query": _query,
    "ec2": _query,
    "rest-xml": _rest,
}
