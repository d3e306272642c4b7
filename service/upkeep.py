"""What is done now and then beside the readings: rollups within seconds, retention once an hour, learning by day."""

from __future__ import annotations

import asyncio
import time

from sensors.kind import Kinds
from service.clocks import now
from service.keeping import retention_of
from service.learning import learn_some
from service.settings import Settings
from service.slot_drop import SlotDrop
from store.access import forget_grants
from store.alarms.retention import forget_alarms
from store.backfill import backfill_rollups
from store.compression import compress_old
from store.database import connected
from store.retention import apply_retention
from store.rollups import update_rollups
from store.subscriptions import forget_tries
from store.turns import update_turns

ROLLUP_EVERY_S = 5.0
"""How old the newest bucket of a rollup may be; shorter computes the open bucket more often for nobody."""
ROLLUP_ROWS = 50_000
MORE_ROWS = 4_000
"""A pass that found fewer readings left none: it looks at 4,096 batches (`store.reader`), or at so many readings."""
PAUSE_S = 0.1
"""Between the kinds of a pass that is not behind: three statements take 11 ms, all of them at once made the alarm that
came meanwhile late by 50 ms. Longer keeps a transaction open, shorter is no pause."""
RETENTION_EVERY_S = 3600.0
TURNS_EVERY_S = 15.0
"""How old the newest turn may be; shorter pairs the passages of two days anew more often."""
TURN_ROWS = 200_000


async def run_upkeep(database_url: str, kinds: Kinds, settings: Settings) -> None:
    """Keep house until cancelled. Raises `DatabaseUnavailable`, and `DropError` for a folder that cannot be used."""
    retention = retention_of(settings, kinds)
    drop = SlotDrop.of(settings.appointments_dir) if settings.appointments_dir else None
    swept_at = paired_at = -RETENTION_EVERY_S
    hurried = True
    async with connected(database_url, name="upkeep") as conn:
        while True:
            started = time.monotonic()
            if started - swept_at >= RETENTION_EVERY_S:
                await apply_retention(conn, kinds, retention, now=now())
                await compress_old(conn, kinds, settings.compress_after_days, now=now())
                await forget_alarms(conn, settings.event_days, settings.name_days, now=now())
                await forget_tries(conn, now())
                await forget_grants(conn)
                swept_at = started
            if started - paired_at >= TURNS_EVERY_S:
                behind = await update_turns(conn, kinds, limit_rows=TURN_ROWS, now=now())
                paired_at = paired_at if behind else started
            if drop is not None:
                await drop.take(conn, now())
            pause_s = 0.0 if hurried else PAUSE_S
            hurried = await update_rollups(conn, kinds, limit_rows=ROLLUP_ROWS, pause_s=pause_s) >= MORE_ROWS
            if not await backfill_rollups(conn, kinds) and not hurried and not await learn_some(conn, kinds, now()):
                await asyncio.sleep(ROLLUP_EVERY_S)
