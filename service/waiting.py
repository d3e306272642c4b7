"""Waiting for the ends of others: as long as something moves, and never longer than that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from sensors.errors import OperatorError
from service.analyst import READER
from store.database import Connection
from store.progress import cursors_of, newest_batches

PATIENCE_S: Final = 60.0
"""How long nothing may move: the longest step of a backlog takes a few seconds."""
_POLL_S: Final = 0.05


class StuckError(OperatorError):
    """Nothing moves any more and there is something to come."""


async def until(
    moved: Callable[[], Awaitable[tuple[bool, object]]], stuck: str, *, patience_s: float = PATIENCE_S
) -> None:
    """Ask until it is done; raises `StuckError` when what should change has not for `patience_s`."""
    last, since = object(), time.monotonic()
    while True:
        done, seen = await moved()
        if done:
            return
        if seen != last:
            last, since = seen, time.monotonic()
        elif time.monotonic() - since > patience_s:
            raise StuckError(stuck)
        await asyncio.sleep(_POLL_S)


async def until_analysed(conn: Connection, stuck: str, *, check: Callable[[], None] | None = None) -> None:
    """Wait until analytics has been through everything that is committed now; `check` may raise meanwhile."""
    goal = await newest_batches(conn)

    async def moved() -> tuple[bool, object]:
        if check is not None:
            check()
        reached = await cursors_of(conn, READER)
        return all(reached.get(slot, 0) >= batch for slot, batch in goal.items()), reached

    await until(moved, stuck)
