# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The data channel against an agent that loses, repeats and swaps messages, as the service between them may."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec import channel, messages
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.channel import (
    ChannelClosedError,
    ChannelError,
    DataChannel,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.encryption import (
    Cipher,
    DataKey,
    UndecipherableError,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.messages import Message, PayloadType

SESSION_TYPE = {"ActionType": "SessionType", "ActionParameters": {"SessionType": "InteractiveCommands"}}
ENCRYPTION = {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "key"}}
KEY = DataKey(bytes(range(64)), b"encrypted key")


class Agent:
    """The other side of a WebSocket, and the clock: time passes when nothing comes."""

    def __init__(self, *actions: dict[str, Any], drops: int = 0) -> None:
        self.now = 0.0
        self.coming: deque[bytes | str] = deque()
        self.opening: dict[str, Any] = {}
        self.received: list[Message] = []
        self.acknowledged: list[int] = []
        self.response: dict[str, Any] = {}
        self.actions = list(actions)
        # So many of the client's messages are lost.
        self.drops = drops
        self.acknowledges = True
        self._next = 0

    def recv(self, timeout: float | None = None) -> str | bytes:
        if self.coming:
            return self.coming.popleft()
        self.now += timeout or 0.0
        raise TimeoutError

    def send(self, message: str | bytes, /) -> None:
        if isinstance(message, str):
            self.opening = json.loads(message)
            self.say(PayloadType.HANDSHAKE_REQUEST, {"AgentVersion": "3", "RequestedClientActions": self.actions})
            return
        read = messages.unpack(message)
        if read.kind == messages.ACKNOWLEDGE:
            self.acknowledged.append(read.members()["AcknowledgedMessageSequenceNumber"])
        elif self.drops:
            self.drops -= 1
        elif self.acknowledges:
            self.coming.append(messages.pack(messages.acknowledgement(read)))
            if read.sequence_number not in [one.sequence_number for one in self.received]:
                self.received.append(read)
                self._answer(read)

    def _answer(self, read: Message) -> None:
        if read.payload_type == PayloadType.HANDSHAKE_RESPONSE:
            self.response = read.members()
            if ENCRYPTION in self.actions:
                challenge = base64.b64encode(agents_cipher().encrypt(b"challenge")).decode()
                self.say(PayloadType.CHALLENGE_REQUEST, {"Challenge": challenge})
            else:
                self.say(PayloadType.HANDSHAKE_COMPLETE, {"CustomerMessage": ""})
        elif read.payload_type == PayloadType.CHALLENGE_RESPONSE:
            answer = base64.b64decode(read.members()["Challenge"])
            assert agents_cipher().decrypt(answer) == b"challenge"
            self.say(PayloadType.HANDSHAKE_COMPLETE, {"CustomerMessage": "encrypted"})

    def say(self, payload_type: int, content: dict[str, Any] | bytes) -> None:
        self.coming.append(self.message(payload_type, content))

    def message(self, payload_type: int, content: dict[str, Any] | bytes) -> bytes:
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        self._next += 1
        return messages.pack(
            Message(messages.OUTPUT, payload, sequence_number=self._next - 1, payload_type=payload_type)
        )

    def close(self, output: str) -> None:
        content = json.dumps({"MessageType": "channel_closed", "Output": output}).encode()
        self.coming.append(messages.pack(Message(messages.CHANNEL_CLOSED, content)))


def agents_cipher() -> Cipher:
    """With the halves of the key the other way round."""
    return Cipher(DataKey(KEY.plaintext[32:] + KEY.plaintext[:32], b""))


def no_key(_key_id: str) -> DataKey:
    raise AssertionError("no key was to be made")


def opened(agent: Agent, make_key: Callable[[str], DataKey] = no_key) -> DataChannel:
    made = DataChannel(agent, make_key, lambda: agent.now)
    made.open("token", 10)
    return made


def sent(agent: Agent) -> bytes:
    ordered = sorted(agent.received, key=lambda one: one.sequence_number)
    return b"".join(one.payload for one in ordered if one.payload_type == PayloadType.DATA)


def test_the_token_and_the_version_open_it() -> None:
    agent = Agent(SESSION_TYPE)
    opened(agent)
    assert agent.opening["TokenValue"] == "token"
    assert agent.opening["MessageSchemaVersion"] == "1.0"
    assert agent.response["ProcessedClientActions"] == [
        {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None}
    ]
    assert agent.acknowledged == [0, 1]


def test_output_comes_in_order_and_once() -> None:
    agent = Agent(SESSION_TYPE)
    made = opened(agent)
    first, second, third = (agent.message(PayloadType.DATA, text) for text in (b"1", b"2", b"3"))
    agent.coming += [third, first, first, "text of the service", b"no message", second, second]
    read = b""
    while len(read) < 3:
        read += made.read()
    assert read == b"123"
    agent.acknowledges = False
    while agent.coming:
        made.write(b"x")
    # What came again was acknowledged again, or it would come for ever.
    assert agent.acknowledged == [0, 1, 4, 2, 2, 3, 3]


def test_input_is_sent_in_pieces_and_again_until_it_is_acknowledged() -> None:
    agent = Agent(SESSION_TYPE)
    made = opened(agent)
    agent.drops = 3
    data = bytes(range(256)) * 1024
    made.write(data)
    agent.say(PayloadType.DATA, b"end")
    assert made.read() == b"end"
    agent.now += 2
    agent.say(PayloadType.DATA, b"end")
    made.read()
    assert sent(agent) == data
    assert max(len(one.payload) for one in agent.received) == channel.PAYLOAD_BYTES


def test_no_more_is_on_its_way_than_the_window() -> None:
    agent = Agent(SESSION_TYPE)
    made = opened(agent)
    agent.acknowledges = False
    with pytest.raises(ChannelError, match="took no input for 300 seconds"):
        made.write(bytes(channel.PAYLOAD_BYTES * (channel.WINDOW + 1)))
    assert agent.now > 300


def test_flushing_waits_for_what_is_on_its_way_and_no_longer() -> None:
    agent = Agent(SESSION_TYPE)
    made = opened(agent)
    agent.drops = 1
    made.write(b"end")
    made.flush(5)
    assert (sent(agent), agent.now) == (b"end", channel.RESEND_SECONDS)
    agent.acknowledges = False
    made.write(b"more")
    made.flush(5)
    assert agent.now == channel.RESEND_SECONDS + 5


def test_a_session_that_is_closed_says_what_was_said() -> None:
    agent = Agent(SESSION_TYPE)
    made = opened(agent)
    agent.say(PayloadType.DATA, b"last")
    agent.close("Unable to start command: no such file")
    assert made.read() == b"last"
    with pytest.raises(ChannelClosedError, match="no such file"):
        made.read()


def test_an_agent_that_does_not_answer() -> None:
    agent = Agent(SESSION_TYPE, drops=1000)
    with pytest.raises(ChannelError, match="did not answer within 10 seconds"):
        opened(agent)


def test_a_session_with_a_key_is_encrypted_both_ways() -> None:
    agent, asked = Agent(SESSION_TYPE, ENCRYPTION), []

    def make_key(key_id: str) -> DataKey:
        asked.append(key_id)
        return KEY

    made = opened(agent, make_key)
    assert asked == ["key"]
    result = agent.response["ProcessedClientActions"][1]["ActionResult"]
    assert base64.b64decode(result["KMSCipherTextKey"]) == KEY.ciphertext
    made.write(b"secret")
    assert agents_cipher().decrypt(agent.received[-1].payload) == b"secret"
    agent.say(PayloadType.DATA, agents_cipher().encrypt(b"hidden"))
    assert made.read() == b"hidden"
    agent.say(PayloadType.DATA, b"in plain words, which nobody encrypted")
    with pytest.raises(UndecipherableError):
        made.read()


def test_a_key_that_kms_refuses_ends_the_session_and_the_agent_is_told() -> None:
    agent = Agent(SESSION_TYPE, ENCRYPTION)

    def refuse(_key_id: str) -> DataKey:
        raise ChannelError("not authorized to perform: kms:GenerateDataKey")

    with pytest.raises(ChannelError, match="kms:GenerateDataKey"):
        opened(agent, refuse)
    assert [one["ActionStatus"] for one in agent.response["ProcessedClientActions"]] == [1, 2]
    assert agent.response["Errors"] == ["not authorized to perform: kms:GenerateDataKey"]


@pytest.mark.parametrize(
    ("action", "status", "said"),
    [
        ({"ActionType": "Compress"}, 3, "asks for Compress"),
        ({"ActionType": "SessionType", "ActionParameters": {"SessionType": "Port"}}, 2, "of type Port, not a terminal"),
    ],
)
def test_what_the_client_does_not_do_is_refused(action: dict[str, Any], status: int, said: str) -> None:
    agent = Agent(action)
    with pytest.raises(ChannelError, match=said):
        opened(agent)
    assert agent.response["ProcessedClientActions"][0]["ActionStatus"] == status


def test_a_challenge_without_encryption_is_refused() -> None:
    agent = Agent(SESSION_TYPE)
    made = opened(agent)
    agent.say(PayloadType.CHALLENGE_REQUEST, {"Challenge": ""})
    with pytest.raises(ChannelError, match="without having asked for encryption"):
        made.read()
