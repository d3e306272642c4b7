"""Situations through the database: the analyst killed at random finds what one that lived on finds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import psycopg
import pytest

from analytics.alarms.rulebook import shipped_rules
from analytics.engine import Engine
from analytics.situations.headline import Headlines
from analytics.situations.situation import Notice
from analytics.situations.situations import Situations
from ingest.columns import Batch, Columns
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import Kinds
from sensors.topics import reading_topic
from service.analyst import READER, as_readings, run_analysis
from service.backtest.backtest import Question, backtest
from service.backtest.trial import Detection, Trial
from service.endpoints import Endpoints
from service.ingestor import Ingest
from service.settings import Settings
from service.situating import situation_event
from simulators.publish import Publisher
from store.catalogue import load_catalogue, load_neighbours, register_recording
from store.database import connected
from store.progress import cursors_of, newest_batches
from store.reader import BatchReader
from store.situations import SituationChoice, read_situations
from store.writer import SlotSink

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
STATIONS = [f"s{k}" for k in range(6)]
DEADLINE_S = 30.0


def speeds(seed: int) -> np.ndarray:
    """Three hours at 30 s: two jams that move upstream and meet, and one of its own."""
    generator = np.random.default_rng(seed)
    speed = np.full((360, len(STATIONS)), 95.0)
    for back in range(4):
        speed[20 + 10 * back : 120, 5 - back] = 20
    speed[40:90, 1] = 25
    speed[250:300, 0] = 10
    return (speed + generator.normal(0, 2, speed.shape)).round(1).clip(1)


@pytest.fixture
async def recording(migrated_url: str) -> Catalogue:
    site = Site(id="R", name="R", basin="recording", clock="recording")
    stations = [
        Sensor(id=name, site="R", kind="traffic", position_km=float(k), period_s=30, free_speed_kmh=100)
        for k, name in enumerate(STATIONS)
    ]
    async with connected(migrated_url, name="test") as conn:
        await register_recording(conn, site, stations)
        return await load_catalogue(conn)


@pytest.fixture
def batches(make_columns: Callable[..., Columns]) -> list[Batch]:
    """Readings in an order that is wrong by up to a minute, in batches of any size."""
    generator, speed = np.random.default_rng(3), speeds(3)
    rows = [(30.0 * step, name, speed[step, k]) for step in range(len(speed)) for k, name in enumerate(STATIONS)]
    rows.sort(key=lambda row: row[0] + generator.uniform(0, 60))
    found = []
    while rows:
        size = int(generator.integers(20, 120))
        times, things, values = zip(*rows[:size], strict=True)
        columns = make_columns(times, things=things, site="R", value=0.0)
        place = columns.kind.field_names.index("speed_kmh")
        columns.values[:] = np.nan
        columns.values[:, place] = values
        found.append(Batch(0, (columns,), (), ()))
        rows = rows[size:]
    return found


async def caught_up(url: str) -> None:
    async with connected(url, name="test") as conn, asyncio.timeout(DEADLINE_S):
        goal = await newest_batches(conn)
        while await cursors_of(conn, READER) != goal:
            await asyncio.sleep(0.01)


async def analysed(url: str, kinds: Kinds) -> None:
    """Let an analyst live until it has caught up, then kill it."""
    task = asyncio.create_task(run_analysis(url, kinds), name="analyst")
    await caught_up(url)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def told(url: str) -> list[tuple[str, str, dict[str, Any]]]:
    with psycopg.connect(url) as conn:
        # How long an event holds is counted from when it was stored.
        rows = conn.execute(
            "select type, subject, data - 'valid_until' from event where type like 'vigie.situation.%' order by id"
        )
        return [(str(type_), str(subject), data) for type_, subject, data in rows.fetchall()]


async def straight(url: str, kinds: Kinds, catalogue: Catalogue) -> tuple[list[Notice], Situations]:
    """What comes out in one process that reads everything at once."""
    engine = Engine(kinds, catalogue)
    async with BatchReader.open(url, "straight", kinds) as reader:
        situations = Situations(engine.roster, catalogue, await load_neighbours(reader.connection))
        engine.attach(situations.watch)
        read = await reader.next(10**9)
        engine.absorb([as_readings(columns) for batch in read for columns in batch.columns])
    return situations.run(), situations


async def test_restarts_in_the_middle_give_the_same_situations(
    migrated_url: str, kinds: Kinds, recording: Catalogue, batches: list[Batch]
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        for first in range(0, len(batches), 6):
            for batch in batches[first : first + 6]:
                await sink.write(batch)
            await analysed(migrated_url, kinds)
    notices, situations = await straight(migrated_url, kinds, recording)
    expected = [situation_event(notice, Headlines(recording, kinds)) for notice in notices]
    assert told(migrated_url) == [(event.type, event.subject, event.data) for event in expected]
    assert len({event.subject for event in expected}) == 3
    async with connected(migrated_url, name="test") as conn:
        stored = {row.id: row.state for row in await read_situations(conn, SituationChoice(None), before=None, limit=9)}
    ended = {notice.situation.id: "ended" for notice in notices if notice.step == "ended"}
    assert stored == ended | {one.id: one.state.value for one in situations.situations()}
    question = Question(START, START + timedelta(hours=3))
    found = await backtest(migrated_url, kinds, shipped_rules(), question)
    assert {one.id for one in found.comparison.same} == set(stored)
    assert (found.comparison.moved, found.comparison.came, found.comparison.gone) == ([], [], [])
    assert [one.at for one in found.trial] == [one.at for one in found.live]
    assert found.live
    bold = Question(question.start, question.end, Trial(detection=Detection(thresholds=0.3)))
    tried = (await backtest(migrated_url, kinds, shipped_rules(), bold)).comparison
    assert tried.gone
    assert len(tried.gone) + len(tried.moved) + len(tried.same) == len(stored)


@asynccontextmanager
async def ingesting(endpoints: Endpoints, kinds: Kinds, site: str) -> AsyncIterator[None]:
    parts = Ingest(Settings(ingest_slots=((site,),)), endpoints, kinds).parts()
    tasks = [asyncio.create_task(part.run(), name=part.name) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def stored(url: str, count: int) -> None:
    async with connected(url, name="test") as conn, asyncio.timeout(DEADLINE_S):
        while await (await conn.execute("select count(*) from traffic")).fetchone() != (count,):
            await asyncio.sleep(0.01)


async def test_backtest_finds_what_came_through_mqtt_in_disorder_and_over_a_restart(
    migrated_url: str, broker_url: str, kinds: Kinds, recording: Catalogue
) -> None:
    generator, speed = np.random.default_rng(5), speeds(5)
    rows = [(30 * step, name, speed[step, k]) for step in range(len(speed)) for k, name in enumerate(STATIONS)]
    rows.sort(key=lambda row: row[0] + generator.uniform(0, 60))
    messages = [
        (
            reading_topic("R", name, "traffic"),
            msgspec.json.encode({"time": START + timedelta(seconds=second), "speed_kmh": float(v)}),
        )
        for second, name, v in rows
    ]
    endpoints, half = Endpoints(migrated_url, broker_url), len(messages) // 2
    async with ingesting(endpoints, kinds, "R"), Publisher(broker_url, "test-backtest") as publisher:
        for count, part in ((half, messages[:half]), (len(messages), messages[half:])):
            await publisher.publish_all(part)
            await stored(migrated_url, count)
            await analysed(migrated_url, kinds)
    live = told(migrated_url)
    assert len({subject for _, subject, _ in live}) == 3
    found = await backtest(migrated_url, kinds, shipped_rules(), Question(START, START + timedelta(hours=3)))
    assert {one.id for one in found.comparison.same} == {subject for _, subject, _ in live}
    assert (found.comparison.moved, found.comparison.came, found.comparison.gone) == ([], [], [])
