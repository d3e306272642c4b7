"""A message on its way from a sensor to the broker."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """One payload for one topic; `time_s` is when it reaches the broker (event time, Unix seconds)."""

    time_s: float
    topic: str
    payload: bytes
