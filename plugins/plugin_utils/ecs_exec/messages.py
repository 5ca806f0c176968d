# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Binary messages of Session Manager's data channel. Pure.

AWS has no page about them: the layout is that of its own client and agent,
https://github.com/aws/session-manager-plugin/blob/mainline/src/message/clientmessage.go and
https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/session/contracts/agentmessage.go.
"""

from __future__ import annotations

import enum
import hashlib
import json
import struct
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

# Length of the header, type, schema version, milliseconds, sequence number, flags, id, digest, payload type.
HEADER = struct.Struct(">I32sIQqQ16s32sI")
LENGTH = struct.Struct(">I")
SCHEMA_VERSION = 1
# Of a message that stands alone: it is the first one (1) and the last one (2).
ALONE = 3

INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CHANNEL_CLOSED = "channel_closed"
# What the service says of the agent's side; nothing in them is checked, as in AWS's client.
PUBLICATION = ("start_publication", "pause_publication")


class PayloadType(enum.IntEnum):
    """What the payload of a stream message is; of other messages it is NONE."""

    NONE = 0
    DATA = 1
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    CHALLENGE_REQUEST = 8
    CHALLENGE_RESPONSE = 9


class MalformedMessageError(ValueError):
    """Bytes that are no message, or not what was sent."""


@dataclass(frozen=True)
class Message:
    """One message; ``payload_type`` may be one that is not in PayloadType."""

    kind: str
    payload: bytes
    sequence_number: int = 0
    flags: int = 0
    payload_type: int = PayloadType.NONE
    message_id: uuid.UUID = field(default_factory=uuid.uuid4)
    created: int = field(default_factory=lambda: int(time.time() * 1000))

    def members(self) -> dict[str, Any]:
        """The payload as the JSON object that it must be."""
        try:
            found = json.loads(self.payload)
        except ValueError as error:
            raise MalformedMessageError(f"the payload of {self.kind} is not JSON") from error
        if not isinstance(found, dict):
            raise MalformedMessageError(f"the payload of {self.kind} is no JSON object")
        return found


def pack(message: Message) -> bytes:
    """The bytes of a message."""
    header = HEADER.pack(
        HEADER.size,
        message.kind.encode().ljust(32),
        SCHEMA_VERSION,
        message.created,
        message.sequence_number,
        message.flags,
        _swapped(message.message_id.bytes),
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
    )
    return header + LENGTH.pack(len(message.payload)) + message.payload


def unpack(raw: bytes) -> Message:
    """The message of these bytes; MalformedMessageError when its digest is not that of its payload."""
    if len(raw) < HEADER.size + LENGTH.size:
        raise MalformedMessageError(f"a message of {len(raw)} bytes is shorter than its header")
    length, kind, _version, created, number, flags, identifier, digest, payload_type = HEADER.unpack_from(raw)
    message = Message(
        kind=kind.strip(b"\0 ").decode("ascii", errors="replace"),
        payload=raw[length + LENGTH.size :],
        sequence_number=number,
        flags=flags,
        payload_type=payload_type,
        message_id=uuid.UUID(bytes=_swapped(identifier)),
        created=created,
    )
    if message.kind in PUBLICATION:
        return message
    if length == 0 or (message.payload and hashlib.sha256(message.payload).digest() != digest):
        raise MalformedMessageError(f"the digest of a message {message.kind} is not that of its payload")
    return message


def acknowledgement(of: Message) -> Message:
    """What tells the other side that a stream message arrived."""
    content = {
        "AcknowledgedMessageType": of.kind,
        "AcknowledgedMessageId": str(of.message_id),
        "AcknowledgedMessageSequenceNumber": of.sequence_number,
        "IsSequentialMessage": True,
    }
    return Message(ACKNOWLEDGE, json.dumps(content).encode(), flags=ALONE)


def _swapped(identifier: bytes) -> bytes:
    """On the wire an id has its second half first."""
    return identifier[8:] + identifier[:8]
