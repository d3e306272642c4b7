"""What is usual at each hour of the week, from hourly means of whole weeks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.columns import Batch
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import Kinds
from store.catalogue import seed
from store.database import connected
from store.habits import load_habits
from store.rollups import update_rollups
from store.writer import SlotSink

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""Monday, 09:00 in Paris; `make_batch` counts seconds from here."""
HOUR, WEEK = 3600, 7 * 24 * 3600
FIELDS = {"traffic": ("count", "nothing"), "unheard_of": ("count",)}


@pytest.fixture
async def port(migrated_url: str) -> str:
    sensor = Sensor(id="W01-F1", site="W01", kind="traffic")
    await seed(migrated_url, Catalogue(sites=(Site(id="W01", name="W01", basin="west"),), sensors=(sensor,)))
    return migrated_url


async def test_hours_of_whole_weeks_are_taken_together(
    port: str, kinds: Kinds, make_batch: Callable[..., Batch]
) -> None:
    assert START.weekday() == 0
    async with SlotSink.open(port, 0, kinds) as sink:
        for week, value in enumerate((10.0, 20.0, 99.0)):
            await sink.write(make_batch([week * WEEK + 60, week * WEEK + HOUR + 60], value=[value, value + 2]))
    async with connected(port, name="test") as conn:
        while await update_rollups(conn, kinds, limit_rows=100):
            pass
        habits = await load_habits(conn, kinds, FIELDS)
    assert list(habits) == [("W01-F1", "count")]
    table = habits["W01-F1", "count"]
    known = np.flatnonzero(np.isfinite(table)).tolist()
    assert known == [9, 10]
    assert table[known].tolist() == [15.0, 17.0]


async def test_nothing_is_usual_before_a_whole_week_is_over(
    port: str, kinds: Kinds, make_batch: Callable[..., Batch]
) -> None:
    async with SlotSink.open(port, 0, kinds) as sink:
        await sink.write(make_batch([0, timedelta(days=3).total_seconds()]))
    async with connected(port, name="test") as conn:
        while await update_rollups(conn, kinds, limit_rows=100):
            pass
        assert await load_habits(conn, kinds, FIELDS) == {}
