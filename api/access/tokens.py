"""What is given to those who may ask, and the hash that is kept of it."""

from __future__ import annotations

import hashlib
import re
import secrets

_BYTES = 32
"""256 random bits: nobody guesses them, so that a fast hash is enough and each request costs microseconds."""
_FORM = re.compile(r"vigie_[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """One that nobody has; its beginning lets scanners of leaked secrets recognise it."""
    return f"vigie_{secrets.token_urlsafe(_BYTES)}"


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def has_form(token: str) -> bool:
    """Whether it can be one of ours at all: anything else never reaches the database."""
    return _FORM.fullmatch(token) is not None
