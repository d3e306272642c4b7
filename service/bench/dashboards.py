"""How long the panels of the dashboards wait for their answers, on a made-up port with a month of readings.

Each statement is asked as Grafana asks it, with everything chosen that can be, by Grafana's role. The figure is the
median of three, until the last row has arrived here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from statistics import median
from typing import Any

from deploy.grafana.shipped import choices, questions, shipped
from sensors.kind import Kinds
from service.clocks import now
from service.endpoints import cache_folder
from service.scratch import scratch_stack
from service.settings import Settings
from store.catalogue import seed
from store.database import Connection, connected
from store.migrate import migrate
from store.panels.macros import Shown, expand
from store.panels.scene import fill_readings, fill_surroundings
from store.panels.trial import answer

RANGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=30)}
_TIMES = 3


@dataclass(frozen=True, slots=True)
class Wait:
    """Milliseconds that a panel waited over a range, and the rows that came."""

    dashboard: str
    panel: str
    range: str
    ms: float
    rows: int


@dataclass(frozen=True, slots=True)
class DashboardFigures:
    """fill_s: seconds until readings, means and what is beside them were there. waits: the longest first."""

    readings: int
    fill_s: float
    waits: list[Wait]

    @property
    def figures(self) -> dict[str, float]:
        slowest = {f"{name}_ms": max(wait.ms for wait in self.waits if wait.range == name) for name in RANGES}
        return {"readings": self.readings, "fill_s": self.fill_s, **slowest}


async def bench_dashboards(
    settings: Settings, kinds: Kinds, days: float, step_s: float, say: Callable[[str], None]
) -> DashboardFigures:
    """Fill a scratch database with so many days of a reading of everything every `step_s`, and ask all panels."""
    end = now().replace(minute=0, second=0, microsecond=0)
    async with scratch_stack("bench", cache_folder(settings), say, durable=False) as scratch:
        url, reader_url = scratch.endpoints.database_url, scratch.stack.urls.reader_url
        await migrate(url, kinds)
        await seed(url)
        say(f"filling {days:g} days")
        begun = time.perf_counter()
        async with connected(url, name="bench") as conn:
            readings = await fill_readings(conn, kinds, end - timedelta(days=days), end, step_s)
            await fill_surroundings(conn, end - timedelta(days=days), end, step_s)
        fill_s = time.perf_counter() - begun
        say(f"asking: {readings:,} readings in {fill_s:.0f} s")
        async with connected(reader_url, name="bench") as conn:
            waits = [wait for model in shipped("en").dashboards for wait in await _waits(conn, model, end)]
    return DashboardFigures(readings, round(fill_s, 1), sorted(waits, key=lambda wait: -wait.ms))


async def _waits(conn: Connection, dashboard: dict[str, Any], end: datetime) -> list[Wait]:
    waits = []
    for name, span in RANGES.items():
        shown = await _shown(conn, dashboard, end - span, end)
        for panel, sql in questions(dashboard):
            found = [await answer(conn, expand(sql, shown)) for _ in range(_TIMES)]
            ms = round(1000 * median(one.seconds for one in found), 1)
            waits.append(Wait(dashboard["title"], panel, name, ms, len(found[0].rows)))
    return waits


async def _shown(conn: Connection, dashboard: dict[str, Any], start: datetime, end: datetime) -> Shown:
    variables: dict[str, list[str]] = {}
    shown = Shown(start, end, variables)
    for name, sql, one in choices(dashboard):
        rows = (await answer(conn, expand(sql, shown))).rows
        variables[name] = [str(row[0]) for row in islice(rows, 1 if one else None)]
    return shown
