"""Wiring of analytics: committed readings through the engine, and what it finds back in one transaction.

The engine in memory and the database only ever move together: when a step cannot be stored, the engine is dropped and a
new one goes on from the last step that was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from analytics.changes import Change
from analytics.engine import Engine
from analytics.memory import FORMAT, Memory
from analytics.readings import Readings
from analytics.situations.situation import Notice
from analytics.situations.situations import Situations
from analytics.snapshot import State
from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from sensors.level import Level
from service.alerts import event_of, instant
from service.clocks import now, wall_us
from service.situating import restored_situations, situation_event, situation_rows
from store import states
from store.catalogue import CATALOGUE_CHANNEL, load_catalogue, load_neighbours
from store.copy_out import ReadColumns
from store.database import listen
from store.leadership import Lock, wait_for_lock
from store.reader import BatchReader, ReadBatch
from store.recent import readings_since
from store.states import StepResult, commit_step, load_memory, load_states

READER = "analytics"
STEP_ROWS = 20_000
"""Readings a step takes: more delays the first alert of a backlog, fewer costs a transaction each."""
TICK_S = 1.0
"""How late silence may be noticed, and a lost notification made good."""
REBUILD = timedelta(hours=6)
"""How far back a thing without a usable memory is rebuilt: shorter may miss the onset of a jam that still stands."""


class Analyst:
    """One engine, its situations, and the connection that holds the right to write what they find."""

    def __init__(self, reader: BatchReader, engine: Engine, situations: Situations) -> None:
        self._reader = reader
        self._engine = engine
        self._situations = situations
        engine.attach(situations.watch)

    async def step(self) -> bool:
        """Take the next readings, if there are any, and the time; store what follows. False when there were none."""
        batches = await self._reader.next(STEP_ROWS)
        readings = [as_readings(columns) for batch in batches for columns in batch.columns]
        things = {name for part in readings for name in part.thing}
        await self._learn(things)
        # A thread, because a backlog's step takes longer than the other parts should wait.
        changes, notices = await asyncio.to_thread(self._absorb, readings) if readings else ([], [])
        if sum(len(part.time_us) for part in readings) < STEP_ROWS:
            # Behind a backlog everybody would seem silent whose readings are still to come.
            changes += self._engine.advance(wall_us())
            notices += self._situations.run(wall_us())
        if batches or changes or self._situations.stepped:
            await self._store(batches, things | {change.thing for change in changes}, changes, notices)
        return bool(batches)

    def _absorb(self, readings: Sequence[Readings]) -> tuple[list[Change], list[Notice]]:
        return self._engine.absorb(readings), self._situations.run()

    async def wait(self) -> None:
        """Until there is something new, at most a tick; a changed catalogue is taken over."""
        if await self._reader.wait(TICK_S) == CATALOGUE_CHANNEL:
            await self._refresh()

    async def _refresh(self) -> None:
        catalogue = await load_catalogue(self._reader.connection)
        self._engine.refresh(catalogue)
        self._situations.refresh(catalogue, await load_neighbours(self._reader.connection))

    async def _learn(self, things: set[str]) -> None:
        """A thing that the engine does not know was registered after it read the catalogue."""
        if self._engine.unknown(things):
            await self._refresh()

    async def _store(
        self, batches: Sequence[ReadBatch], touched: set[str], changes: Sequence[Change], notices: Sequence[Notice]
    ) -> None:
        stepped = self._situations.stepped
        step = StepResult(
            reader=READER,
            cursors=dict(batch.cursor for batch in batches),
            states=[_row(state) for state in self._engine.states(touched)],
            memory=self._engine.memory(touched),
            events=[*map(event_of, changes), *map(situation_event, notices)],
            situations=situation_rows(notices, self._situations.situations(stepped)),
            situation_memory=self._situations.memory(touched, stepped),
        )
        await commit_step(self._reader.connection, step, now=now())
        stepped.clear()


async def run_analysis(database_url: str, kinds: Kinds) -> None:
    """Analyse until cancelled; waits while another process does. Raises `DatabaseUnavailable`."""
    async with BatchReader.open(database_url, READER, kinds) as reader:
        await wait_for_lock(reader.connection, Lock.ZONE)
        await listen(reader.connection, CATALOGUE_CHANNEL)
        catalogue = await load_catalogue(reader.connection)
        engine = await _restored(reader, kinds, catalogue)
        analyst = Analyst(reader, engine, await restored_situations(reader.connection, engine.roster, catalogue))
        while True:
            if not await analyst.step():
                await analyst.wait()


async def _restored(reader: BatchReader, kinds: Kinds, catalogue: Catalogue) -> Engine:
    """An engine that goes on where the last one stopped: from memories, or from the last hours of readings."""
    conn = reader.connection
    engine = Engine(kinds, catalogue)
    memories = cast(dict[str, Memory], await load_memory(conn))
    usable = {name: memory for name, memory in memories.items() if memory["format"] == FORMAT}
    since = {name: instant(memory["settled_us"]) for name, memory in usable.items()}
    engine.restore(usable, [as_readings(part) for part in await readings_since(conn, kinds, since)])
    lost = {state.sensor: state.time - REBUILD for state in await load_states(conn) if state.time}
    lost = {name: time for name, time in lost.items() if name not in usable}
    rebuilt = [as_readings(part) for part in await readings_since(conn, kinds, lost)]
    engine.absorb(rebuilt, announcing=False)
    engine.listen(wall_us())
    return engine


def as_readings(columns: ReadColumns) -> Readings:
    """What the store reads is what analytics takes."""
    thing = columns.thing.tolist()
    return Readings(columns.kind.name, thing, columns.time_us, columns.quality, columns.values, columns.words)


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


def _instant(time_us: int | None) -> datetime | None:
    return None if time_us is None else instant(time_us)
