# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Signatures (SigV4, in the headers or in the address of a presigned request): who signed, and whether it is true."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from ministack.core import sigv4

from sm2a_local_aws.iam.request.calls import Message
from sm2a_local_aws.patching.points import relies_on

relies_on(
    "ministack.core.sigv4",
    {
        "header_signature_failure": "5661f4d2d78e",
        "header_signing_documents": "f180789cd913",
        "parse_header_signature": "cd41d461d959",
        "parse_query_signature": "abe21631f159",
        "presigned_request_is_expired": "4cc2a8c514c4",
        "request_time_failure": "0185b7962a6c",
    },
)

ALGORITHM = "AWS4-HMAC-SHA256"
HASH = re.compile(r"[0-9a-f]{64}")


class Unsigned(ValueError):  # noqa: N818  It is a kind of request before it is an error.
    """The request carries no signature of this kind."""


class SignatureError(ValueError):
    """A signature that AWS refuses; `code` is AWS's name for why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Signature:
    """What a request says about its signature; nothing of it is verified yet."""

    parsed: sigv4.HeaderSignature
    token: str
    presigned: bool

    @property
    def access_key(self) -> str:
        return str(self.parsed.access_key_id)

    @property
    def service(self) -> str:
        return str(self.parsed.service)

    @property
    def region(self) -> str:
        return str(self.parsed.region)


def read(message: Message) -> Signature:
    """The signature of a request; Unsigned without one, SignatureError for half of one."""
    authorization = message.headers.get("authorization", "")
    asked = query(message)
    if authorization.startswith(f"{ALGORITHM} "):
        parsed = sigv4.parse_header_signature(message.headers)
        token = message.headers.get("x-amz-security-token", "")
    elif asked.get("X-Amz-Algorithm") == [ALGORITHM] and not authorization:
        parsed = sigv4.parse_query_signature(asked)
        token = asked.get("X-Amz-Security-Token", [""])[0]
    else:
        raise Unsigned
    if isinstance(parsed, tuple):
        raise SignatureError(*parsed)
    return Signature(parsed, token, presigned=not authorization)


def verify(signature: Signature, secret: str, message: Message, raw_path: str) -> None:
    """SignatureError unless the request was signed with this secret, just now, as it is."""
    _verify_time(signature, message)
    failure = sigv4.header_signature_failure(
        signature.parsed,
        secret,
        message.method,
        raw_path,
        query(message),
        message.headers,
        message.body,
        presigned=signature.presigned,
    )
    if failure:
        raise SignatureError(*failure)
    claimed = message.headers.get("x-amz-content-sha256", "")
    if HASH.fullmatch(claimed) and hashlib.sha256(message.body).hexdigest() != claimed:
        raise SignatureError("SignatureDoesNotMatch", "The body is not the one that was signed.")


def _verify_time(signature: Signature, message: Message) -> None:
    if not signature.presigned:
        failure = sigv4.request_time_failure(signature.parsed)
        if failure:
            raise SignatureError(*failure)
        return
    try:
        expires = query(message).get("X-Amz-Expires", ["0"])[0]
        expired = sigv4.presigned_request_is_expired(signature.parsed.amz_date, expires)
    except ValueError:
        expired = True
    if expired:
        raise SignatureError("RequestExpired", "Request has expired")


def query(message: Message) -> Mapping[str, list[str]]:
    """The parameters in the address, each with its values."""
    return parse_qs(message.query, keep_blank_values=True)
