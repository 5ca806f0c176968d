# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The agent's side of a session that is encrypted with a KMS key: it has KMS decrypt the key that the client made."""

from __future__ import annotations

import base64
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from ministack.core.responses import request_scope
from ministack.services import kms

from sm2a_local_aws.ecs import lookup
from sm2a_local_aws.ecs_exec.sessions import Session
from sm2a_local_aws.iam import credentials, enforcement
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.iam.state import Account
from sm2a_local_aws.patching.points import relies_on

relies_on("ministack.services.kms", {"_decrypt": "8a00105d85b0"})

KEY_BYTES = 64
NONCE_BYTES = 12


class EncryptionError(Exception):
    """The session cannot be encrypted; the agent says why."""


class Cipher:
    """AES-256-GCM: the first half of the key is the agent's."""

    def __init__(self, key: bytes) -> None:
        self._ours, self._theirs = AESGCM(key[: KEY_BYTES // 2]), AESGCM(key[KEY_BYTES // 2 :])

    def encrypt(self, data: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ours.encrypt(nonce, data, None)

    def decrypt(self, data: bytes) -> bytes:
        try:
            return self._theirs.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise EncryptionError("Error decrypting encrypted text, cipher: message authentication failed") from error


def cipher(session: Session, encrypted_key: str) -> Cipher:
    """With the key of the client, which the task role must be allowed to have decrypted."""
    task_arn = session.task["taskArn"]
    _arn, _aws, _ecs, region, account, _resource = task_arn.split(":", 5)
    context = {"aws:ssm:SessionId": session.session_id, "aws:ssm:TargetId": session.target_id}
    with request_scope(account, region):
        role_arn = credentials.role_of(session.task, lookup.task_definition_of(session.task))
        key_arn = Account().arn_of_key(session.kms_key_id) or session.kms_key_id
        judged = Call("kms", "Decrypt", {"KeyId": key_arn, "EncryptionContext": context})
        refused = enforcement.refusal_of_task(role_arn, task_arn, judged)
        if refused:
            raise EncryptionError(f"Fetching data key failed: Unable to retrieve data key, {refused}")
        status, _headers, body = kms._decrypt({"CiphertextBlob": encrypted_key, "EncryptionContext": context})
    answer = json.loads(body)
    if status != 200:
        raise EncryptionError(f"Fetching data key failed: Unable to retrieve data key, {answer.get('message')}")
    return Cipher(base64.b64decode(answer["Plaintext"]))
