# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The encryption of a session with a key of AWS KMS, beside TLS: the agent asks for it where the cluster has a key.

As https://github.com/aws/session-manager-plugin/blob/mainline/src/encryption/encrypter.go has it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass

with suppress(ImportError):  # session.py reports the missing library.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 64
NONCE_BYTES = 12


class UndecipherableError(ValueError):
    """Bytes that were encrypted with another key."""


@dataclass(frozen=True)
class DataKey:
    """What KMS made for one session: 64 bytes, and the same encrypted, which the agent has KMS decrypt."""

    plaintext: bytes
    ciphertext: bytes


class Cipher:
    """AES-256-GCM: the first half of the data key is the agent's, the second half the client's."""

    def __init__(self, key: DataKey) -> None:
        half = len(key.plaintext) // 2
        self._theirs = AESGCM(key.plaintext[:half])
        self._ours = AESGCM(key.plaintext[half:])

    def encrypt(self, data: bytes) -> bytes:
        """For the agent."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._ours.encrypt(nonce, data, None)

    def decrypt(self, data: bytes) -> bytes:
        """What the agent encrypted."""
        try:
            return self._theirs.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise UndecipherableError("what the session sent was encrypted with another key") from error
