"""Stored readings through detection and situations again, on a connection that only reads.

Readings come in the order in which they arrived, so that what came too late for the live analysis is too late again.
What is usual, the catalogue and the neighbours are those of today.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

import numpy as np

from analytics.engine import Engine
from analytics.health.group import Refused
from analytics.health.watch import Health
from analytics.readings import Readings
from analytics.situations.situation import Notice, Situation
from analytics.situations.situations import Situations
from analytics.table import Int64
from sensors.kind import Kinds
from service.alerts import instant
from service.analyst import REBUILD, as_readings
from service.backtest.trial import Trial, tried_catalogue, tried_kinds, try_detection
from service.diagnosis import as_refused, as_us, judge, look_at_clock
from service.learning import profiles_of
from service.situating import habits_of
from store.catalogue import load_catalogue, load_neighbours
from store.copy_out import ReadColumns
from store.database import Connection
from store.ranges import Range, read_columns
from store.troubles import troubles_between
from store.usual import load_usual

PIECE, SHORT_PIECE, FEW_THINGS = timedelta(hours=1), timedelta(minutes=2), 2_000
"""Read at once, of up to so many things and of more. Longer costs memory, shorter a query a kind more: with pieces of
10 min six days of the port's tables took 29 s though they were nearly empty."""

CHUNK_S = 30.0
"""Seconds of a piece that are taken in one step, about as often as the live analysis looks."""

AFTER = timedelta(minutes=5)
"""Read beyond the end, because the last steps wait for the watermark."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """What came out. situations: as they were last; notices: all that was announced from `REBUILD` before on."""

    readings: int
    notices: list[Notice]
    situations: dict[str, Situation]


class Stage:
    """One engine with health and situations, as the live analysis has them."""

    def __init__(self, engine: Engine, health: Health, situations: Situations) -> None:
        self._engine, self._health, self._situations = engine, health, situations
        self.notices: list[Notice] = []
        self.things: dict[str, list[str]] = defaultdict(list)
        for thing in engine.roster.things:
            self.things[thing.kind.name].append(thing.id)

    def take(self, readings: Sequence[Readings], refused: Sequence[Refused]) -> None:
        """Go on by readings as they arrived."""
        newest_us = max((int(part.time_us.max()) for part in readings if len(part.time_us)), default=None)
        judge(self._health, self._engine, readings, refused)
        self.notices += self._situations.run()
        if newest_us is not None:
            self._engine.advance(newest_us)
            look_at_clock(self._health, self._engine, newest_us)

    def pass_time(self, wall_us: int) -> None:
        """Let time pass to where no reading is left before."""
        self._engine.advance(wall_us)
        self.notices += self._situations.run(wall_us)

    def situations(self) -> dict[str, Situation]:
        told = {notice.situation.id: notice.situation for notice in self.notices}
        return told | {one.id: one for one in self._situations.situations()}


async def rerun(conn: Connection, kinds: Kinds, trial: Trial, start: datetime, end: datetime) -> Rerun:
    """Run again what was measured in [start, end), and `REBUILD` before for what stood at its beginning."""
    stage = await _stage(conn, kinds, trial, start - REBUILD)
    count, received_us = 0, None  # type: int, int | None
    tried = tried_kinds(trial, kinds)
    async for piece, columns in _pieces(conn, tried, stage, start - REBUILD, end + AFTER):
        refused: list[Refused] = []
        received = [part.received_us for part in columns if len(part.time_us)]
        if received:
            after_us = min(int(part.min()) for part in received) - 1 if received_us is None else received_us
            received_us = max(after_us, *(int(part.max()) for part in received))
            refused = [as_refused(row) for row in await troubles_between(conn, instant(after_us), instant(received_us))]
        count += sum(len(part.time_us) for part in columns)
        await asyncio.to_thread(_take, stage, columns, refused, as_us(piece))
    return Rerun(count, stage.notices, stage.situations())


async def _stage(conn: Connection, kinds: Kinds, trial: Trial, start: datetime) -> Stage:
    tried, catalogue = tried_kinds(trial, kinds), tried_catalogue(trial, await load_catalogue(conn))
    engine = Engine(tried, catalogue)
    try_detection(trial, engine.roster)
    engine.use(profiles_of(await load_usual(conn)))
    engine.listen(as_us(start))
    situations = Situations(engine.roster, catalogue, await load_neighbours(conn))
    situations.use(await habits_of(conn, tried))
    situations.expect(engine.usual)
    engine.attach(situations.watch)
    return Stage(engine, Health(tried, catalogue), situations)


async def _pieces(
    conn: Connection, kinds: Kinds, stage: Stage, start: datetime, end: datetime
) -> AsyncIterator[tuple[datetime, list[ReadColumns]]]:
    """Read piece by piece, with the end of each."""
    piece = PIECE if sum(map(len, stage.things.values())) <= FEW_THINGS else SHORT_PIECE
    while start < end:
        until = min(start + piece, end)
        ranges = (Range(kinds[kind], things, start, until) for kind, things in stage.things.items())
        yield until, [await read_columns(conn, within) for within in ranges]
        start = until


def _take(stage: Stage, columns: Sequence[ReadColumns], refused: Sequence[Refused], until_us: int) -> None:
    for number, chunk in enumerate(_chunks(columns)):
        stage.take(chunk, refused if number == 0 else [])
    stage.pass_time(until_us)


def _chunks(columns: Sequence[ReadColumns]) -> Iterator[list[Readings]]:
    """Cut a piece by when its readings arrived; those that arrived together are in order of time."""
    arrived = [_in_order(as_readings(part)) for part in columns if len(part.time_us)]
    if not arrived:
        return
    received = np.sort(np.concatenate([_received(part) for part in arrived]))
    times = [part.time_us for part in arrived]
    long_us = max(int(time_us.max()) for time_us in times) - min(int(time_us.min()) for time_us in times)
    steps = max(ceil(long_us / (CHUNK_S * 1e6)), 1)
    edges = [received[round(k * (len(received) - 1) / steps)] for k in range(1, steps + 1)]
    before = received[0] - 1
    for edge in edges:
        rows = [(part, *np.searchsorted(_received(part), (before, edge), "right").tolist()) for part in arrived]
        chunk = [part.take(np.arange(first, last)) for part, first, last in rows if last > first]
        before = edge
        if chunk:
            yield chunk


def _received(readings: Readings) -> Int64:
    assert readings.received_us is not None
    return readings.received_us


def _in_order(readings: Readings) -> Readings:
    order = np.lexsort((readings.time_us, _received(readings)))
    return readings.take(order)
