"""Signatures of webhooks after the Standard Webhooks specification, version 1.0.0.

The secret of a subscription is made from the installation's key and a salt that is stored with the subscription. So the
database holds no secret, and a copy of it signs nothing; rotating a secret is choosing another salt.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

PREFIX = "whsec_"
KEY_BYTES = 32
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The key of the installation, kept out of any repr."""

    value: bytes = field(repr=False)

    @property
    def fingerprint(self) -> bytes:
        """By which two processes know that they have the same key; says nothing about it."""
        return hmac.digest(self.value, b"vigie fingerprint", hashlib.sha256)[:8]

    def secret(self, salt: bytes) -> bytes:
        """The signing secret of one subscription, 32 bytes as the specification asks for 24 to 64."""
        return hmac.digest(self.value, b"vigie webhook" + salt, hashlib.sha256)


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def shown(secret: bytes) -> str:
    """A secret as receivers are given it."""
    return PREFIX + base64.b64encode(secret).decode()


def signed(message: str, timestamp: int, body: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """The headers of a message; each secret signs, so that a receiver may change to the new one when it likes.

    >>> signed("1042", 1772436840, b"{}", [b"k" * 32])["webhook-signature"]
    'v1,+mUmqAuwVRIdB6fQATNqw7z6NRBamJjlwPtV4xvIcyg='
    """
    content = f"{message}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
