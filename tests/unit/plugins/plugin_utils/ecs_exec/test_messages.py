# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Messages of the data channel, byte by byte."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec import messages
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.messages import MalformedMessageError, Message
from sm2a_local_aws.ecs_exec import agent_messages

IDENTIFIER = uuid.UUID("dd01e56b-ff48-483e-a508-b5f073f31b16")
MESSAGE = Message(
    "input_stream_data",
    b"payload",
    sequence_number=5,
    flags=3,
    payload_type=1,
    message_id=IDENTIFIER,
    created=0x15E0BBB5D44,
)
# Written down from the table in AWS's clientmessage.go.
RAW = (
    b"\x00\x00\x00\x74"
    + b"input_stream_data               "
    + b"\x00\x00\x00\x01"
    + b"\x00\x00\x01\x5e\x0b\xbb\x5d\x44"
    + b"\x00\x00\x00\x00\x00\x00\x00\x05"
    + b"\x00\x00\x00\x00\x00\x00\x00\x03"
    + bytes.fromhex("a508b5f073f31b16dd01e56bff48483e")
    + hashlib.sha256(b"payload").digest()
    + b"\x00\x00\x00\x01"
    + b"\x00\x00\x00\x07"
    + b"payload"
)


def test_bytes_are_those_of_the_table() -> None:
    assert messages.pack(MESSAGE) == RAW
    assert messages.unpack(RAW) == MESSAGE


def test_types_may_be_padded_with_zeros() -> None:
    assert messages.unpack(RAW.replace(b"data               ", b"data" + bytes(15))) == MESSAGE


@pytest.mark.parametrize(
    "raw",
    [RAW[:100], RAW[:-1] + b"X", RAW[:-1], b"\0\0\0\0" + RAW[4:], b""],
    ids=["short", "changed", "cut", "no header", "empty"],
)
def test_what_did_not_arrive_whole_is_no_message(raw: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        messages.unpack(raw)


def test_the_service_may_say_that_the_agent_pauses_without_a_digest() -> None:
    raw = b"\0\0\0\x74" + b"pause_publication".ljust(32) + bytes(80) + b"\0\0\0\x02{}"
    assert messages.unpack(raw).kind == "pause_publication"


def test_an_acknowledgement_names_the_message() -> None:
    content = messages.acknowledgement(MESSAGE).members()
    assert content == {
        "AcknowledgedMessageType": "input_stream_data",
        "AcknowledgedMessageId": str(IDENTIFIER),
        "AcknowledgedMessageSequenceNumber": 5,
        "IsSequentialMessage": True,
    }


def test_the_agent_of_the_local_aws_reads_the_same() -> None:
    read = agent_messages.read(RAW)
    assert (read.kind, read.sequence_number, read.identifier) == ("input_stream_data", 5, str(IDENTIFIER))
    assert (read.payload_type, read.payload) == (1, b"payload")
    written = messages.unpack(agent_messages.stream(0, agent_messages.DATA, b"x"))
    assert (written.kind, written.flags, written.payload_type, written.payload) == ("output_stream_data", 1, 1, b"x")


@pytest.mark.parametrize("payload", [b"[]", b"{", b""])
def test_a_payload_that_is_no_object_is_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        Message("acknowledge", payload).members()
