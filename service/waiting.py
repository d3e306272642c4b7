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
_LOOK_S: Final = 5.0
"""Most that counts between two looks: while the machine stood still, or had no time for us, others had none either.
Lower: patience grows on a busy machine; higher: a laptop that slept for a minute gives up when it wakes."""


class StuckError(OperatorError):
    """Nothing moves any more and there is something to come."""


async def until(
    moved: Callable[[], Awaitable[tuple[bool, object]]],
    stuck: str,
    *,
    patience_s: float = PATIENCE_S,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Ask until it is done; raises `StuckError` when what should change has not for `patience_s`."""
    last, waited_s, looked_s = object(), 0.0, monotonic()
    while True:
        done, seen = await moved()
        if done:
            return
        now_s = monotonic()
        waited_s = waited_s + min(now_s - looked_s, _LOOK_S) if seen == last else 0.0
        if waited_s > patience_s:
            raise StuckError(stuck)
        last, looked_s = seen, now_s
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
