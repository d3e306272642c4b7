"""What is usual, learnt once a day for every road sensor from the means of the last weeks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from analytics.usual import WEEKS, Profile, given, learn
from analytics.week import SLOT_S, Week
from sensors.kind import Kinds
from store.database import Connection
from store.usual import UsualRow, due_for_learning, mean_speeds, store_usual

EVERY = timedelta(days=1)
"""Sooner learns the same again; later, a new sensor's second week is unknown for longer."""
AT_ONCE = 8
"""Sensors of one round: rollups wait meanwhile, about 50 ms each."""


async def learn_some(conn: Connection, kinds: Kinds, now: datetime) -> int:
    """Learn for those whose turn it is, at most `AT_ONCE`; how many that were."""
    due = await due_for_learning(conn, kinds, before=now - EVERY, limit=AT_ONCE)
    learnt = {}
    for row in due:
        times, speeds = await mean_speeds(conn, kinds[row.kind], row.sensor, now - timedelta(weeks=WEEKS), now)
        profile = await asyncio.to_thread(learn, times, speeds, Week(row.timezone))
        learnt[row.sensor] = (profile.speed_kmh, profile.spread_kmh)
    if learnt:
        await store_usual(conn, learnt, interval_s=SLOT_S, now=now)
    return len(due)


def profiles_of(rows: Iterable[UsualRow]) -> dict[str, Profile]:
    """What the store keeps as analytics takes it; what a recording brought is condensed to quarter-hours."""
    return {row.sensor: _profile(row) for row in rows}


def _profile(row: UsualRow) -> Profile:
    speed = np.array(row.speed_kmh, np.float32)  # None becomes NaN
    if row.spread_kmh is None:
        return given(row.interval_s, row.start_s, speed)
    return Profile(speed, np.array(row.spread_kmh, np.float32))
