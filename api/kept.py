"""Answers that clients may keep: each with its ETag, and nothing but that for who has it already."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header
from fastapi.responses import Response

IfNoneMatch = Annotated[str | None, Header(include_in_schema=False)]


def entity_tag(body: bytes) -> str:
    """The same for the same bytes, whichever process answers."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def kept(body: bytes, tag: str, if_none_match: str | None, *, media_type: str, policy: str = "no-cache") -> Response:
    """The body, or 304 for who has it. policy: for how long nobody need ask."""
    headers = {"etag": tag, "cache-control": policy}
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
