"""What analytics knows about every thing: its state, its detector's memory. Written together with events and cursors.

One step of analytics is one transaction, so a restart anywhere repeats or loses nothing: either the step happened with
its states, events and cursors, or its batches are still unread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from sensors.level import Level, Verdict
from store.creep import CreepRow, write_creep
from store.database import Connection
from store.events import NewEvent, append_events
from store.faults import FaultRow, write_faults
from store.outlooks import OutlookRow, write_outlooks
from store.reader import advance
from store.situations import SituationRow, remember_situations, write_situations

# As one document each: in arrays every sign of JSON that arrays know, too, is escaped, in Python.
_WRITE = """
insert into state (sensor, time, level, since, verdict, value, updated_at)
select row.*, %s from jsonb_to_recordset(%s) as row (
    sensor text, time timestamptz, level smallint, since timestamptz, verdict text, value jsonb)
on conflict (sensor) do update set
    time = excluded.time, level = excluded.level, since = excluded.since, verdict = excluded.verdict,
    value = excluded.value, updated_at = excluded.updated_at"""

_REMEMBER = """
insert into detector (sensor, memory, updated_at) select key, value, %s from jsonb_each(%s)
on conflict (sensor) do update set memory = excluded.memory, updated_at = excluded.updated_at"""

_READ = "select sensor, time, level, since, verdict, value from state order by sensor"


@dataclass(frozen=True, slots=True)
class State:
    """The latest state of a thing. `level` is None for a kind without levels, `value` holds its latest reading."""

    sensor: str
    time: datetime | None
    level: Level | None
    since: datetime | None
    verdict: Verdict
    value: Mapping[str, float | str | None]


@dataclass(frozen=True, slots=True)
class StepResult:
    """Everything one step of analytics changes."""

    reader: str
    cursors: Mapping[int, int]
    """Batch by slot, up to which readings are taken into account."""
    states: Sequence[State] = ()
    memory: Mapping[str, Any] | None = None
    """Any JSON value by thing: what the thing's detector must know to go on."""
    events: Sequence[NewEvent] = ()
    faults: Sequence[FaultRow] = ()
    repaired: Sequence[tuple[str, str]] = ()
    """Place and fault of what is over."""
    situations: Sequence[SituationRow] = ()
    situation_memory: Mapping[str, Any] = field(default_factory=dict)
    """Any JSON value by name: what those who make situations must know to go on."""
    outlooks: Sequence[OutlookRow] = ()
    creep: Sequence[CreepRow] = ()


async def commit_step(conn: Connection, step: StepResult, *, now: datetime) -> list[int]:
    """Store a step in one transaction; the ids of its events.

    `conn` should hold the lock of the zone: who lost the lock lost the connection and cannot write any more.
    """
    async with conn.transaction():
        await _write_states(conn, step.states, now)
        await _write_memory(conn, step.memory or {}, now)
        await write_faults(conn, step.faults, step.repaired)
        await write_situations(conn, step.situations)
        await remember_situations(conn, step.situation_memory)
        await write_outlooks(conn, step.outlooks, now)
        await write_creep(conn, step.creep)
        if step.cursors:
            await advance(conn, step.reader, step.cursors)
        # Last, because all writers of events wait for each other from here to the commit.
        return await append_events(conn, step.events)


async def load_states(conn: Connection) -> list[State]:
    """The latest state of every thing that has one."""
    async with conn.cursor(row_factory=class_row(_Row)) as cursor:
        await cursor.execute(_READ)
        return [row.state() for row in await cursor.fetchall()]


async def load_memory(conn: Connection) -> dict[str, Any]:
    """What the detectors remembered, by thing."""
    cursor = await conn.execute("select sensor, memory from detector")
    return {str(sensor): memory for sensor, memory in await cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class _Row:
    sensor: str
    time: datetime | None
    level: int | None
    since: datetime | None
    verdict: str
    value: Mapping[str, float | str | None]

    def state(self) -> State:
        level = None if self.level is None else Level(self.level)
        return State(self.sensor, _utc(self.time), level, _utc(self.since), Verdict(self.verdict), self.value)


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)


async def _write_states(conn: Connection, states: Sequence[State], now: datetime) -> None:
    if states:
        await conn.execute(_WRITE, (now, Jsonb(states)))


async def _write_memory(conn: Connection, memory: Mapping[str, Any], now: datetime) -> None:
    if memory:
        await conn.execute(_REMEMBER, (now, Jsonb(memory)))
