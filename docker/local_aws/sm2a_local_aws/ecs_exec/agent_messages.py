# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of the data channel as the agent in a container reads and writes them.

The layout is that of https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/session/contracts/agentmessage.go. The
collection's own client of it is not used here: a mistake of it would be understood.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

HEADER_BYTES = 116
INPUT, OUTPUT = "input_stream_data", "output_stream_data"
ACKNOWLEDGE, CHANNEL_CLOSED = "acknowledge", "channel_closed"
# Types of payloads.
DATA, SIZE = 1, 3
HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE = 5, 6, 7
CHALLENGE_REQUEST, CHALLENGE_RESPONSE = 8, 9
SYN, SYN_AND_FIN = 1, 3


class BadMessageError(ValueError):
    """Bytes that an agent does not take."""


@dataclass(frozen=True)
class Incoming:
    """A message of the client."""

    kind: str
    sequence_number: int
    identifier: str
    payload_type: int
    payload: bytes

    def content(self) -> dict[str, Any]:
        try:
            found = json.loads(self.payload)
        except ValueError as error:
            raise BadMessageError(f"{self.kind} has no JSON") from error
        if not isinstance(found, dict):
            raise BadMessageError(f"{self.kind} has no JSON object")
        return found


def read(raw: bytes) -> Incoming:
    """Field by field, at the agent's offsets."""
    if len(raw) < HEADER_BYTES + 4 or _number(raw, 0, 4) != HEADER_BYTES:
        raise BadMessageError("the header has another length")
    payload = raw[HEADER_BYTES + 4 :]
    if _number(raw, HEADER_BYTES, 4) != len(payload):
        raise BadMessageError("the payload has another length")
    if payload and raw[80:112] != hashlib.sha256(payload).digest():
        raise BadMessageError("the payload has another digest")
    return Incoming(
        kind=raw[4:36].decode("ascii", errors="replace").strip("\0 "),
        sequence_number=_number(raw, 48, 8),
        # The half that is less significant comes first.
        identifier=str(uuid.UUID(bytes=raw[72:80] + raw[64:72])),
        payload_type=_number(raw, 112, 4),
        payload=payload,
    )


def stream(sequence_number: int, payload_type: int, payload: bytes) -> bytes:
    """A numbered message to the client."""
    return _write(OUTPUT, sequence_number, 0 if sequence_number else SYN, payload_type, payload)


def acknowledgement(of: Incoming) -> bytes:
    content = {
        "AcknowledgedMessageType": of.kind,
        "AcknowledgedMessageId": of.identifier,
        "AcknowledgedMessageSequenceNumber": of.sequence_number,
        "IsSequentialMessage": True,
    }
    return _write(ACKNOWLEDGE, 0, SYN_AND_FIN, 0, json.dumps(content).encode())


def channel_closed(session_id: str, target_id: str, output: str) -> bytes:
    """What the service says at the end of a session."""
    content = {
        "MessageId": str(uuid.uuid4()),
        "CreatedDate": str(_now()),
        "DestinationId": target_id,
        "SessionId": session_id,
        "MessageType": CHANNEL_CLOSED,
        "SchemaVersion": 1,
        "Output": output,
    }
    return _write(CHANNEL_CLOSED, 0, SYN_AND_FIN, 0, json.dumps(content).encode())


def _write(kind: str, sequence_number: int, flags: int, payload_type: int, payload: bytes) -> bytes:
    identifier = uuid.uuid4().bytes
    return b"".join(
        (
            HEADER_BYTES.to_bytes(4, "big"),
            kind.encode().ljust(32, b" "),
            (1).to_bytes(4, "big"),
            _now().to_bytes(8, "big"),
            sequence_number.to_bytes(8, "big", signed=True),
            flags.to_bytes(8, "big"),
            identifier[8:16] + identifier[0:8],
            hashlib.sha256(payload).digest(),
            payload_type.to_bytes(4, "big"),
            len(payload).to_bytes(4, "big"),
            payload,
        )
    )


def _number(raw: bytes, start: int, size: int) -> int:
    return int.from_bytes(raw[start : start + size], "big")


def _now() -> int:
    return int(time.time() * 1000)
