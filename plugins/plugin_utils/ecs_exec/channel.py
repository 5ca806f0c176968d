# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The data channel of a session: bytes to a terminal and from it, in order and once, over messages that may be lost.

It does what AWS's client does, https://github.com/aws/session-manager-plugin/blob/mainline/src/datachannel/streaming.go.
The service between client and agent neither keeps the order of messages nor delivers all: each side numbers its stream
messages, acknowledges those of the other, and sends again what was not acknowledged. The agent does not acknowledge
input before its terminal is there.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec import messages
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.encryption import Cipher, DataKey
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.messages import (
    MalformedMessageError,
    Message,
    PayloadType,
)

# As a client of this version speaks; agents look at it before they use what is newer.
CLIENT_VERSION = "1.2.707.0"
MESSAGE_SCHEMA_VERSION = "1.0"
PAYLOAD_BYTES = 1024
# Messages that may be on their way at once.
WINDOW = 64
RESEND_SECONDS = 1.0
# AWS's client gives up after five minutes, too: a command that does not read its input blocks the terminal.
UNACKNOWLEDGED_SECONDS = 300.0
KMS_ENCRYPTION, SESSION_TYPE = "KMSEncryption", "SessionType"
SESSION_TYPES = ("InteractiveCommands", "Standard_Stream")
SUCCEEDED, FAILED, UNSUPPORTED = 1, 2, 3


class Socket(Protocol):
    """A connected WebSocket."""

    def send(self, message: str | bytes, /) -> None:
        """Send one message."""

    def recv(self, timeout: float | None = None) -> str | bytes:
        """The next message; TimeoutError when none comes in time."""


class ChannelError(Exception):
    """The session cannot be used; the text says why."""


class ChannelClosedError(ChannelError):
    """The other side ended the session; the text is what it said, often nothing."""


@dataclass
class _Sent:
    raw: bytes
    first: float
    last: float


class DataChannel:
    """One session over an open WebSocket.

    ``make_key`` asks KMS for the session's data key: it is called with the id of the key, when the agent wants one.
    """

    def __init__(
        self,
        socket: Socket,
        make_key: Callable[[str], DataKey],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._socket = socket
        self._make_key = make_key
        self._clock = clock
        self._next = 0
        self._expected = 0
        self._unacknowledged: dict[int, _Sent] = {}
        self._early: dict[int, Message] = {}
        self._output = bytearray()
        self._cipher: Cipher | None = None
        self._ready = False
        self._closed: str | None = None

    def open(self, token: str, seconds: float) -> None:
        """Show the token, and shake hands with the agent within that time."""
        opening = {
            "MessageSchemaVersion": MESSAGE_SCHEMA_VERSION,
            "RequestId": str(uuid.uuid4()),
            "TokenValue": token,
            "ClientId": str(uuid.uuid4()),
            "ClientVersion": CLIENT_VERSION,
        }
        self._socket.send(json.dumps(opening))
        deadline = self._clock() + seconds
        while not self._ready:
            self._require_open()
            if self._clock() >= deadline:
                raise ChannelError(f"the agent in the container did not answer within {seconds:.0f} seconds")
            self._step(RESEND_SECONDS)

    def write(self, data: bytes) -> None:
        """Send input to the terminal; output that comes meanwhile is kept."""
        for start in range(0, len(data), PAYLOAD_BYTES):
            while len(self._unacknowledged) >= WINDOW:
                self._require_open()
                self._step(RESEND_SECONDS)
            self._send(PayloadType.DATA, data[start : start + PAYLOAD_BYTES])
            self._step(0.0)

    def read(self) -> bytes:
        """The next output of the terminal; waits for it. ChannelClosedError at the end."""
        while not self._output:
            self._require_open()
            self._step(RESEND_SECONDS)
        data = bytes(self._output)
        self._output.clear()
        return data

    def flush(self, seconds: float) -> None:
        """Wait until all input has arrived, but no longer than this."""
        deadline = self._clock() + seconds
        while self._unacknowledged and self._closed is None and self._clock() < deadline:
            self._step(min(RESEND_SECONDS, deadline - self._clock()))

    def _require_open(self) -> None:
        if self._closed is not None:
            raise ChannelClosedError(self._closed)

    def _step(self, seconds: float) -> None:
        """Take one message, if one comes in that time, and send again what is due."""
        try:
            raw = self._socket.recv(timeout=seconds)
        except TimeoutError:
            raw = b""
        # The service has no reason to send text; what it says of itself so is not for the session.
        if isinstance(raw, bytes) and raw:
            self._take(raw)
        self._send_again()

    def _take(self, raw: bytes) -> None:
        try:
            message = messages.unpack(raw)
        except MalformedMessageError:
            # It is not acknowledged, so that it comes again.
            return
        if message.kind == messages.ACKNOWLEDGE:
            self._unacknowledged.pop(int(message.members().get("AcknowledgedMessageSequenceNumber", -1)), None)
        elif message.kind == messages.CHANNEL_CLOSED:
            self._closed = str(message.members().get("Output") or "").strip()
        elif message.kind == messages.OUTPUT:
            self._take_output(message)

    def _take_output(self, message: Message) -> None:
        """Acknowledge, also what came before: its acknowledgement was lost. Then deal with all that is in order."""
        self._socket.send(messages.pack(messages.acknowledgement(message)))
        if message.sequence_number < self._expected:
            return
        self._early[message.sequence_number] = message
        while self._expected in self._early:
            found = self._early.pop(self._expected)
            self._expected += 1
            self._deal_with(found)

    def _deal_with(self, message: Message) -> None:
        if message.payload_type == PayloadType.DATA:
            self._output += self._cipher.decrypt(message.payload) if self._cipher else message.payload
        elif message.payload_type == PayloadType.HANDSHAKE_REQUEST:
            self._shake_hands(message.members())
        elif message.payload_type == PayloadType.CHALLENGE_REQUEST:
            self._answer_challenge(message.members())
        elif message.payload_type == PayloadType.HANDSHAKE_COMPLETE:
            self._ready = True

    def _shake_hands(self, request: Mapping[str, Any]) -> None:
        processed, problem = [], None
        for action in request.get("RequestedClientActions") or ():
            name = str(action.get("ActionType"))
            try:
                result = self._act(name, action.get("ActionParameters") or {})
            except ChannelError as error:
                problem = problem or error
                status = UNSUPPORTED if name not in (KMS_ENCRYPTION, SESSION_TYPE) else FAILED
                processed.append({"ActionType": name, "ActionStatus": status, "Error": str(error)})
            else:
                processed.append({"ActionType": name, "ActionStatus": SUCCEEDED, "ActionResult": result})
        errors = [str(problem)] if problem else []
        response = {"ClientVersion": CLIENT_VERSION, "ProcessedClientActions": processed, "Errors": errors}
        self._send(PayloadType.HANDSHAKE_RESPONSE, json.dumps(response).encode())
        if problem:
            raise problem

    def _act(self, name: str, parameters: Mapping[str, Any]) -> dict[str, str] | None:
        """Do what the agent asks for; the result that it wants."""
        if name == SESSION_TYPE:
            if parameters.get("SessionType") not in SESSION_TYPES:
                raise ChannelError(
                    f"the agent offers a session of type {parameters.get('SessionType')}, not a terminal"
                )
            return None
        if name == KMS_ENCRYPTION:
            key = self._make_key(str(parameters.get("KMSKeyId")))
            self._cipher = Cipher(key)
            return {"KMSCipherTextKey": base64.b64encode(key.ciphertext).decode()}
        raise ChannelError(f"the agent asks for {name}, which this client does not know")

    def _answer_challenge(self, request: Mapping[str, Any]) -> None:
        """Show the agent that both have the same key."""
        if self._cipher is None:
            raise ChannelError("the agent asks for encrypted data without having asked for encryption")
        challenge = self._cipher.decrypt(base64.b64decode(str(request.get("Challenge"))))
        answer = {"Challenge": base64.b64encode(self._cipher.encrypt(challenge)).decode()}
        self._send(PayloadType.CHALLENGE_RESPONSE, json.dumps(answer).encode())

    def _send(self, payload_type: PayloadType, payload: bytes) -> None:
        if self._cipher and payload_type == PayloadType.DATA:
            payload = self._cipher.encrypt(payload)
        message = Message(messages.INPUT, payload, sequence_number=self._next, payload_type=payload_type)
        raw, now = messages.pack(message), self._clock()
        self._unacknowledged[self._next] = _Sent(raw, now, now)
        self._next += 1
        self._socket.send(raw)

    def _send_again(self) -> None:
        now = self._clock()
        for sent in self._unacknowledged.values():
            if now - sent.first > UNACKNOWLEDGED_SECONDS:
                raise ChannelError(f"the session took no input for {UNACKNOWLEDGED_SECONDS:.0f} seconds")
            if now - sent.last >= RESEND_SECONDS:
                sent.last = now
                self._socket.send(sent.raw)
