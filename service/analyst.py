"""Wiring of analytics: committed readings through the engine, and what it finds back in one transaction.

The engine in memory and the database only ever move together: when a step cannot be stored, the engine is dropped and a
new one goes on from the last step that was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from analytics.changes import Change
from analytics.engine import Engine
from analytics.health.group import Refused
from analytics.health.judge import FaultChange
from analytics.health.watch import Health
from analytics.memory import FORMAT, Memory, between
from analytics.outlook import Outlook
from analytics.readings import Readings
from analytics.situations.headline import Headlines
from analytics.situations.situation import Notice
from analytics.situations.situations import Situations
from analytics.snapshot import State
from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from sensors.level import Level
from service.alerts import event_of, fault_event, instant
from service.clocks import now, wall_us
from service.diagnosis import (
    LOOKS_BACK,
    MOST_REBUILT,
    as_kept,
    as_refused,
    as_us,
    creep_rows,
    fault_rows,
    judge,
    look_at_clock,
    restore_health,
)
from service.garbage import leave_out_what_stays
from service.learning import profiles_of
from service.situating import habits_of, restored_situations, situation_event, situation_rows
from store import states
from store.catalogue import CATALOGUE_CHANNEL, load_catalogue, load_neighbours
from store.copy_out import ReadColumns
from store.creep import load_creep
from store.database import listen
from store.faults import load_faults
from store.leadership import Lock, wait_for_lock
from store.outlooks import OutlookRow
from store.reader import BatchReader, ReadBatch
from store.recent import readings_since
from store.states import StepResult, commit_step, load_memory, load_states
from store.troubles import read_troubles
from store.usual import USUAL_CHANNEL, load_usual

READER = "analytics"
STEP_ROWS = 20_000
"""Readings a step takes: more delays the first alert of a backlog, fewer costs a transaction each."""
STEP_TIME = timedelta(days=2)
"""Event time that a step takes, of all kinds together. A bin of health costs 2 ms for however few sensors (measured on
2026-11-28), so 17 days of a recording of three stations took 10 s in one step: more makes who waits give up on a busy
machine, fewer costs a transaction each."""
TICK_S = 1.0
"""How late silence may be noticed, and a lost notification made good."""
REFRESH_S = 3600.0
"""After so long what is installed and usual is read again without a notification: one may be lost."""
REBUILD = timedelta(hours=6)
"""How far back a thing without a usable memory is rebuilt: shorter may miss the onset of a jam that still stands."""


class Found(NamedTuple):
    """What a step found; each list may grow."""

    faults: list[FaultChange]
    changes: list[Change]
    notices: list[Notice]


class Analyst:
    """One engine, its situations, and the connection that holds the right to write what they find."""

    def __init__(
        self,
        reader: BatchReader,
        kinds: Kinds,
        engine: Engine,
        health: Health,
        situations: Situations,
        *,
        headlines: Headlines,
    ) -> None:
        self._reader = reader
        self._kinds = kinds
        self._engine = engine
        self._health = health
        self._situations = situations
        self._headlines = headlines
        engine.attach(situations.watch)
        self._refreshed = time.monotonic()

    async def step(self) -> bool:
        """Take the next readings, if there are any, and the time; store what follows. False when there were none."""
        batches = await self._reader.next(STEP_ROWS, STEP_TIME)
        readings = [as_readings(columns) for batch in batches for columns in batch.columns]
        things = {name for part in readings for name in part.thing}
        await self._learn(things)
        # A thread, because a backlog's step takes longer than the other parts should wait.
        found = await asyncio.to_thread(self._judge, readings, await self._refused(batches))
        if sum(len(part.time_us) for part in readings) < STEP_ROWS:
            # Behind a backlog everybody would seem silent whose readings are still to come.
            found.changes.extend(self._engine.advance(wall_us()))
            found.faults.extend(look_at_clock(self._health, self._engine, wall_us()))
            found.notices.extend(self._situations.run(wall_us()))
        if batches or found.changes or found.faults or self._situations.stepped:
            await self._store(batches, things | {change.thing for change in found.changes}, found)
        return bool(batches)

    async def _refused(self, batches: Sequence[ReadBatch]) -> list[Refused]:
        """What of these batches did not become readings."""
        cursors = dict(batch.cursor for batch in batches)
        found = await read_troubles(self._reader.connection, READER, cursors) if cursors else []
        return [as_refused(row) for row in found]

    def _judge(self, readings: list[Readings], refused: list[Refused]) -> Found:
        if not readings:
            return Found([], [], [])
        return Found(*judge(self._health, self._engine, readings, refused), self._situations.run())

    async def wait(self) -> None:
        """Until there is something new, at most a tick; a changed catalogue is taken over."""
        changed = await self._reader.wait(TICK_S) & {CATALOGUE_CHANNEL, USUAL_CHANNEL}
        if changed or time.monotonic() - self._refreshed > REFRESH_S:
            await self._refresh()

    async def _refresh(self) -> None:
        """Take over what is installed, and what is usual there."""
        catalogue = await load_catalogue(self._reader.connection)
        self._engine.refresh(catalogue)
        self._health.refresh(catalogue)
        self._headlines = Headlines(catalogue, self._kinds)
        self._situations.refresh(catalogue, await load_neighbours(self._reader.connection))
        self._situations.use(await habits_of(self._reader.connection, self._kinds))
        self._engine.use(profiles_of(await load_usual(self._reader.connection)))
        self._situations.expect(self._engine.usual)
        self._refreshed = time.monotonic()

    async def _learn(self, things: set[str]) -> None:
        """A thing that the engine does not know was registered after it read the catalogue."""
        if self._engine.unknown(things):
            await self._refresh()

    async def _store(self, batches: Sequence[ReadBatch], touched: set[str], found: Found) -> None:
        begun, over = fault_rows(found.faults)
        stepped = self._situations.stepped
        step = StepResult(
            reader=READER,
            cursors=dict(batch.cursor for batch in batches),
            states=[_row(state) for state in self._engine.states(touched)],
            memory=self._engine.memory(touched),
            events=[
                *map(fault_event, found.faults),
                *map(event_of, found.changes),
                *(situation_event(notice, self._headlines) for notice in found.notices),
            ],
            faults=begun,
            repaired=over,
            situations=situation_rows(found.notices, self._situations.situations(stepped), self._headlines),
            situation_memory=self._situations.memory(touched, stepped),
            outlooks=[_outlook_row(outlook) for outlook in self._engine.outlooks(touched)],
            creep=creep_rows(self._health.keep()),
        )
        await commit_step(self._reader.connection, step, now=now())
        stepped.clear()


async def run_analysis(database_url: str, kinds: Kinds) -> None:
    """Analyse until cancelled; waits while another process does. Raises `DatabaseUnavailable`."""
    async with BatchReader.open(database_url, READER, kinds) as reader:
        await wait_for_lock(reader.connection, Lock.ZONE)
        await listen(reader.connection, CATALOGUE_CHANNEL)
        await listen(reader.connection, USUAL_CHANNEL)
        analyst = await open_analyst(reader, kinds)
        leave_out_what_stays()
        while True:
            if not await analyst.step():
                await analyst.wait()


async def open_analyst(reader: BatchReader, kinds: Kinds) -> Analyst:
    """An analyst that goes on where the last one stopped."""
    catalogue = await load_catalogue(reader.connection)
    engine = await _restored(reader, kinds, catalogue)
    situations = await restored_situations(reader.connection, kinds, engine.roster, catalogue)
    situations.expect(engine.usual)
    health = await _restored_health(reader, kinds, engine)
    return Analyst(reader, kinds, engine, health, situations, headlines=Headlines(catalogue, kinds))


async def _restored(reader: BatchReader, kinds: Kinds, catalogue: Catalogue) -> Engine:
    """An engine that goes on where the last one stopped: from memories, or from the last hours of readings."""
    conn = reader.connection
    engine = Engine(kinds, catalogue)
    engine.use(profiles_of(await load_usual(conn)))
    memories = cast(dict[str, Memory], await load_memory(conn))
    usable = {name: memory for name, memory in memories.items() if memory["format"] == FORMAT}
    since = {name: instant(memory["settled_us"] - engine.recalls_us(name)) for name, memory in usable.items()}
    engine.restore(usable, [as_readings(part) for part in await readings_since(conn, kinds, since)])
    lost = {state.sensor: state.time - REBUILD for state in await load_states(conn) if state.time}
    lost = {name: time for name, time in lost.items() if name not in usable}
    rebuilt = [as_readings(part) for part in await readings_since(conn, kinds, lost)]
    engine.absorb(rebuilt, announcing=False)
    engine.listen(wall_us())
    return engine


async def _restored_health(reader: BatchReader, kinds: Kinds, engine: Engine) -> Health:
    """Health that goes on where the last one stopped: from what stood, and from the readings of the last hours."""
    conn = reader.connection
    health = Health(kinds, await load_catalogue(conn))
    heard = {state.sensor: state.time for state in await load_states(conn) if state.time}
    since = {name: time - LOOKS_BACK for name, time in heard.items()} if len(heard) <= MOST_REBUILT else {}
    # What is newer was not analysed yet: it comes with the next step, and is news.
    bounds = {name: (0, as_us(time)) for name, time in heard.items()}
    recent = [between(as_readings(part), bounds) for part in await readings_since(conn, kinds, since)]
    health.recall(map(as_kept, await load_creep(conn)))
    restore_health(health, engine, await load_faults(conn), recent)
    return health


def as_readings(columns: ReadColumns) -> Readings:
    """What the store reads is what analytics takes."""
    return Readings(
        kind=columns.kind.name,
        thing=columns.thing.tolist(),
        time_us=columns.time_us,
        quality=columns.quality,
        values=columns.values,
        words=columns.words,
        received_us=columns.received_us,
        boot=columns.boot,
        seq=columns.seq,
    )


def _row(state: State) -> states.State:
    level = Level.UNKNOWN if state.silent else state.level
    return states.State(
        sensor=state.thing,
        time=_instant(state.time_us),
        level=level,
        since=_instant(state.since_us),
        verdict=state.verdict,
        value=state.reading,
    )


def _outlook_row(outlook: Outlook) -> OutlookRow:
    ahead = outlook.ahead
    return OutlookRow(
        thing=outlook.thing,
        time=_instant(outlook.time_us),
        coverage=outlook.coverage,
        abnormality=outlook.abnormality,
        usual=outlook.usual_kmh,
        z=outlook.z,
        minutes=[each.minutes for each in ahead],
        speed=[each.speed_kmh for each in ahead],
        low=[each.low_kmh for each in ahead],
        high=[each.high_kmh for each in ahead],
        usual_ahead=[each.usual_kmh for each in ahead],
    )


def _instant(time_us: int | None) -> datetime | None:
    return None if time_us is None else instant(time_us)
