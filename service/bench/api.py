"""`vigie bench api`: how long answers take while the simulated port of 90 sensors speaks.

Requests are sent at instants that are set beforehand, whether the last one was answered or not, and an answer's time
counts from its instant: a server that stops for a moment is not spared the requests of that moment. The time of the
client is in the figures, some 0.3 ms an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from ingest.columns import ABSENT, Columns
from sensors.kind import Kinds
from service.bench.asking import Asker, in_turn, spread
from service.bench.running import key_for_bench, running_vigie
from service.bench.scene import Say
from service.clocks import now
from service.endpoints import cache_folder
from service.scratch import own_environ, scratch_stack
from service.settings import Settings
from store.backfill import fill_rollups
from store.catalogue import seed
from store.database import Connection, connected
from store.migrate import migrate
from store.scratch import copy_prepared, prepared_copy

STATES_PER_S: Final = 50
_SENSOR, _SITE, _KIND = "W12-F1", "W12", "traffic"
_MONTH: Final = timedelta(days=30)
_MONTHS_ASKED: Final = 100
_WARM_UP: Final = 20
"""Requests that are not counted: the first ones make plans and connections."""
_SETTLED_S: Final = 15.0
"""After the start: means are made, every sensor has spoken, and what is measured is the service at work."""

Figures = dict[str, float]


async def bench_api(settings: Settings, kinds: Kinds, seconds: float, say: Say) -> Figures:
    """Ask for all states, evenly spread, and for a month of one sensor, one after the other; milliseconds."""
    async with scratch_stack("bench", cache_folder(settings), say) as place:
        url = place.endpoints.database_url
        await migrate(url, kinds)
        await seed(url)
        async with connected(url, name="bench") as conn:
            await _fill_month(conn, kinds)
        key = await key_for_bench(url, "read")
        async with running_vigie(place.folder, own_environ(place.endpoints)) as vigie:
            await asyncio.sleep(_SETTLED_S)
            with Asker(vigie.url, key) as asker:
                say(f"states at {STATES_PER_S}/s for {seconds:g} s")
                states = await spread(lambda: asker.get("/v1/states"), STATES_PER_S, seconds, _WARM_UP)
                say("a month of one sensor, one request after the other")
                month = await in_turn(lambda: asker.get(_month_path()), _MONTHS_ASKED, _WARM_UP)
    return {"states_asked": len(states), **_quantiles("states", states), **_quantiles("month", month)}


def _month_path() -> str:
    end = now().replace(microsecond=0)
    return f"/v1/sensors/{_SENSOR}/readings?from={end - _MONTH:%FT%TZ}&to={end:%FT%TZ}&resolution=auto"


async def _fill_month(conn: Connection, kinds: Kinds) -> None:
    """Thirty days of one road sensor that reads every 30 s, with their means."""
    kind, end = kinds[_KIND], now().replace(microsecond=0)
    start = end - _MONTH
    rows = int(_MONTH.total_seconds() / kind.period_s)
    time_us = int(start.timestamp()) * 1_000_000 + np.arange(rows, dtype=np.int64) * round(kind.period_s * 1e6)
    values = np.random.default_rng(1).uniform(20, 90, (rows, len(kind.fields))).astype(np.float32)
    absent = np.full(rows, ABSENT, np.int64)
    columns = Columns(
        kind=kind,
        time_us=time_us,
        received_us=time_us,
        thing=[_SENSOR] * rows,
        site=[_SITE] * rows,
        boot=absent,
        seq=absent,
        quality=np.zeros(rows, np.int16),
        values=values,
        texts=tuple([None] * rows for _ in kind.texts),
    )
    await copy_prepared(conn, kind, [prepared_copy(columns)])
    await fill_rollups(conn, kinds, start, end)


def _quantiles(name: str, took_ms: Sequence[float]) -> Figures:
    p50, p99 = np.percentile(took_ms, [50, 99]).tolist()
    return {f"{name}_p50_ms": round(p50, 2), f"{name}_p99_ms": round(p99, 2)}
