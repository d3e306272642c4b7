"""The clocks of the running service; everything below gets them as arguments."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def wall_us() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)
