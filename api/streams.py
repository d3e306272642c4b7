"""What the event streams have in common."""

from __future__ import annotations

from api.context import Context
from api.problems import Problem

RETRY_MS = 2000
"""How long a browser waits before it reconnects: shorter hammers a service that restarts, longer shows old data."""


def refuse_too_many(context: Context) -> None:
    """Bound the memory that open streams can take."""
    limit = context.settings.max_streams
    if context.feed.streams + context.board.viewers >= limit:
        detail = f"{limit} streams are open, which is the most this service serves; close one or try again later."
        raise Problem(503, "too-many-streams", detail, headers={"retry-after": "30"})
