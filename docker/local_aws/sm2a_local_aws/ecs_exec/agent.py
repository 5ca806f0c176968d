# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the agent in a container does in a session: shake hands, then carry bytes between client and terminal.

As https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/session/datachannel/datachannel.go, except that it sends
nothing again: here nothing is lost between the two.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sm2a_local_aws.ecs_exec import agent_messages as messages
from sm2a_local_aws.ecs_exec import encryption, recording
from sm2a_local_aws.ecs_exec.agent_messages import BadMessageError, Incoming
from sm2a_local_aws.ecs_exec.encryption import Cipher, EncryptionError
from sm2a_local_aws.ecs_exec.recording import Recording
from sm2a_local_aws.ecs_exec.sessions import Session
from sm2a_local_aws.ecs_exec.terminal import StartError, Terminal, start

AGENT_VERSION = "3.3.2299.0"
HANDSHAKE_SECONDS = 15.0
OUTPUT_BYTES = 1024
CHALLENGE_BYTES = 64
SUCCEEDED = 1
TIMED_OUT = "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."

SendBytes = Callable[[bytes], Awaitable[None]]
# The next message of the client, None when it is gone.
Receive = Callable[[], Awaitable["bytes | str | None"]]


class ClientGoneError(Exception):
    """There is nobody to speak to any more."""


class Agent:
    """One session."""

    def __init__(self, session: Session, receive: Receive, send: SendBytes) -> None:
        self._session = session
        self._receive = receive
        self._send_bytes = send
        self._next_number = 0
        self._expected = 0
        self._early: dict[int, Incoming] = {}
        self._cipher: Cipher | None = None
        self._recording = Recording(session)

    async def run(self) -> str:
        """Run the session to its end; what the service tells the client then, "" when all went well."""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                await self._shake_hands()
            problem = recording.problem(self._session)
            if problem:
                return problem
            terminal = await start(self._session)
        except TimeoutError:
            return TIMED_OUT
        except EncryptionError as error:
            return str(error)
        except StartError as error:
            return f"Unable to start command: {error}"
        output = asyncio.create_task(self._carry_output(terminal))
        entry = asyncio.create_task(self._carry_input(terminal))
        done, running = await asyncio.wait({output, entry}, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await terminal.close()
        await asyncio.to_thread(self._recording.write)
        try:
            for task in done:
                task.result()
        except EncryptionError as error:
            return str(error)
        return ""

    async def _shake_hands(self) -> None:
        started = time.monotonic()
        actions: list[dict[str, Any]] = [
            {
                "ActionType": "SessionType",
                "ActionParameters": {"SessionType": "InteractiveCommands", "Properties": None},
            }
        ]
        if self._session.kms_key_id:
            parameters = {"KMSKeyId": self._session.kms_key_id}
            actions.append({"ActionType": "KMSEncryption", "ActionParameters": parameters})
        request = {"AgentVersion": AGENT_VERSION, "RequestedClientActions": actions}
        await self._send_json(messages.HANDSHAKE_REQUEST, request)
        response = (await self._next_of(messages.HANDSHAKE_RESPONSE)).content()
        for action in response.get("ProcessedClientActions") or ():
            if action.get("ActionStatus") != SUCCEEDED:
                raise EncryptionError(f"{action.get('ActionType')} failed on client: {action.get('Error')}")
            if action.get("ActionType") == "KMSEncryption":
                key = str((action.get("ActionResult") or {}).get("KMSCipherTextKey"))
                self._cipher = await asyncio.to_thread(encryption.cipher, self._session, key)
        if self._session.kms_key_id:
            await self._challenge()
        message = "This session is encrypted using AWS KMS." if self._cipher else ""
        nanoseconds = int((time.monotonic() - started) * 1e9)
        complete = {"HandshakeTimeToComplete": nanoseconds, "CustomerMessage": message}
        await self._send_json(messages.HANDSHAKE_COMPLETE, complete)

    async def _challenge(self) -> None:
        if self._cipher is None:
            raise EncryptionError("KMSEncryption was not processed by the client")
        challenge = os.urandom(CHALLENGE_BYTES)
        sent = base64.b64encode(self._cipher.encrypt(challenge)).decode()
        await self._send_json(messages.CHALLENGE_REQUEST, {"Challenge": sent})
        answer = (await self._next_of(messages.CHALLENGE_RESPONSE)).content()
        if self._cipher.decrypt(base64.b64decode(str(answer.get("Challenge")))) != challenge:
            raise EncryptionError("Encryption challenge does not match!")

    async def _carry_output(self, terminal: Terminal) -> None:
        while data := await terminal.read(OUTPUT_BYTES):
            self._recording.add(data)
            await self._send(messages.DATA, self._cipher.encrypt(data) if self._cipher else data)

    async def _carry_input(self, terminal: Terminal) -> None:
        while True:
            message = await self._next()
            if message.payload_type == messages.DATA:
                payload = message.payload
                await terminal.write(self._cipher.decrypt(payload) if self._cipher else payload)
            elif message.payload_type == messages.SIZE:
                size = message.content()
                await terminal.resize(int(size.get("cols") or 80), int(size.get("rows") or 24))

    async def _next_of(self, payload_type: int) -> Incoming:
        """The next message of this type; input that comes before its time is dropped, as by AWS's agent."""
        while True:
            message = await self._next()
            if message.payload_type == payload_type:
                return message

    async def _next(self) -> Incoming:
        """The next input in order; every message is acknowledged."""
        while self._expected not in self._early:
            raw = await self._receive()
            if raw is None:
                raise ClientGoneError
            try:
                message = messages.read(raw) if isinstance(raw, bytes) else None
            except BadMessageError:
                continue
            if message is None or message.kind != messages.INPUT:
                continue
            await self._send_bytes(messages.acknowledgement(message))
            if message.sequence_number >= self._expected:
                self._early[message.sequence_number] = message
        self._expected += 1
        return self._early.pop(self._expected - 1)

    async def _send_json(self, payload_type: int, content: dict[str, Any]) -> None:
        await self._send(payload_type, json.dumps(content).encode())

    async def _send(self, payload_type: int, payload: bytes) -> None:
        number, self._next_number = self._next_number, self._next_number + 1
        await self._send_bytes(messages.stream(number, payload_type, payload))
