"""Wiring of alarms: the feed through the desk, and what becomes of it back in one transaction.

The desk is built anew from the database in each step, because people act on alarms meanwhile: what stands is little.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from analytics.alarms.conditions import SITUATIONS, Happening, Reading
from analytics.alarms.desk import Desk
from analytics.alarms.muting import Maintenance
from analytics.alarms.rulebook import load_rules
from analytics.alarms.rules import Rules
from analytics.alarms.standing import Clocks, Standing
from sensors.catalogue import Catalogue
from sensors.level import Abnormality
from service.clocks import now
from service.settings import Settings
from store.alarms.floods import watch_flood
from store.alarms.recordings import recording_clocks
from store.alarms.standing import load_maintenance, load_standing, save_standing
from store.api_rows import EventRow
from store.catalogue import CATALOGUE_CHANNEL, load_catalogue
from store.database import Connection, connected, listen, wait_for_notices
from store.events import append_events
from store.feed import EVENT_CHANNEL, feed_after, feed_cursor, move_feed_cursor
from store.leadership import Lock, wait_for_lock
from store.outlooks import abnormalities

READER = "alarms"
CONDITIONS: Sequence[Reading] = SITUATIONS
"""Where conditions come from: one alarm a situation. `CONGESTION` would be one a sensor, and nothing else changes."""
STEP_EVENTS = 500
"""Events of one transaction: more delays the alarms of a backlog, fewer costs a transaction each."""
TICK_S = 1.0
"""How late the clock may have its effect, and a lost notification is made good."""


def rules_of(settings: Settings) -> Rules:
    """The rules of the installation, or those shipped. Raises `RulesError`."""
    return load_rules(Path(settings.rules_file).expanduser() if settings.rules_file else None)


class AlarmDesk:
    """Keeps the alarms in line with the feed and the time, over one connection that holds the right to do so."""

    def __init__(self, conn: Connection, rules: Rules, readings: Sequence[Reading], catalogue: Catalogue) -> None:
        self._conn = conn
        self._rules = rules
        self._readings = readings
        self._catalogue = catalogue
        self._cursor: int | None = None
        self._own: set[int] = set()
        self._due_at: datetime | None = None
        self._watching = True
        """Something stands whose next moment no clock of ours tells: a recording, a flood; or nobody knows yet."""

    async def step(self) -> bool:
        """Deal with the next events and with the time; whether there may be more events."""
        if self._cursor is None:
            self._cursor = await feed_cursor(self._conn, READER)
        if self._cursor is None:
            await self._begin()
            return True
        events = await feed_after(self._conn, self._cursor, STEP_EVENTS)
        wall, foreign = now(), [event for event in events if event.id not in self._own]
        reached, told = events[-1].id if events else self._cursor, list[int]()
        async with self._conn.transaction():
            if foreign or self._watching or (self._due_at is not None and self._due_at <= wall):
                told = await self._deal(foreign, wall)
            if told == list(range(reached + 1, reached + 1 + len(told))):
                # Nobody else's lies between: what we tell ourselves need not be read to be known.
                reached += len(told)
                told = []
            if reached != self._cursor:
                await move_feed_cursor(self._conn, READER, reached)
        self._cursor = reached
        self._own.difference_update(event.id for event in events)
        self._own.update(told)
        return len(events) == STEP_EVENTS

    async def wait(self) -> None:
        """Until an event, a change of the catalogue, or the next moment of the clock."""
        if CATALOGUE_CHANNEL in await wait_for_notices(self._conn, TICK_S):
            self._catalogue = await load_catalogue(self._conn)

    async def _begin(self) -> None:
        """The first time: what is over does not call any more, what stands calls now."""
        desk, event = self._desk([], []), 0
        while events := await feed_after(self._conn, event, STEP_EVENTS):
            for row in events:
                desk.take(_happening(row), now(), calling=False)
            event = events[-1].id
        async with self._conn.transaction():
            await save_standing(self._conn, desk.changed(), now=now())
            await move_feed_cursor(self._conn, READER, event)
        self._cursor = event

    async def _deal(self, events: Sequence[EventRow], wall: datetime) -> list[int]:
        """Take the events and the time; the ids of what is told."""
        conn = self._conn
        maintenance = await load_maintenance(conn, wall)
        desk = self._desk(await load_standing(conn, self._rules), maintenance)
        for event in await self._judged(events):
            desk.take(event, wall)
        recordings = {entry.recording for entry in desk.standing.values() if entry.recording is not None}
        desk.settle(Clocks(wall, await recording_clocks(conn, recordings) if recordings else {}))
        told = await save_standing(conn, desk.changed(), now=wall)
        flood, announced = await watch_flood(conn, wall)
        self._due_at = desk.due_at(wall)
        self._watching = flood is not None or bool(recordings)
        # Last, because all writers of events wait for each other from here to the commit.
        return await append_events(conn, [*told, *announced])

    async def _judged(self, events: Sequence[EventRow]) -> list[Happening]:
        """The events with how unusual it is at the things they are about, where they do not say so themselves."""
        things = sorted({thing for row in events for thing in _things(row)})
        known = await abnormalities(self._conn, things) if things else {}
        return [_happening(row, [known[thing] for thing in _things(row) if thing in known]) for row in events]

    def _desk(self, standing: Sequence[Standing], maintenance: Sequence[Maintenance]) -> Desk:
        return Desk(self._rules, self._catalogue, self._readings, standing=standing, maintenance=maintenance)


async def run_alarms(database_url: str, rules: Rules, readings: Sequence[Reading] = CONDITIONS) -> None:
    """Keep the alarms until cancelled; waits while another process does. Raises `DatabaseUnavailable`."""
    async with connected(database_url, name="alarms") as conn:
        await wait_for_lock(conn, Lock.ALARMS)
        await listen(conn, EVENT_CHANNEL)
        await listen(conn, CATALOGUE_CHANNEL)
        desk = AlarmDesk(conn, rules, readings, await load_catalogue(conn))
        while True:
            if not await desk.step():
                await desk.wait()


def _things(row: EventRow) -> Sequence[str]:
    """What an event about the road rests on."""
    if row.type.startswith("vigie.congestion."):
        return [row.subject]
    sensors = row.data.get("sensors") if row.type.startswith("vigie.situation.") else None
    return sensors if isinstance(sensors, list) else []


def _happening(row: EventRow, abnormal: Sequence[int] = ()) -> Happening:
    """Unusual where one thing is, usual only where all that are compared are."""
    found = Abnormality.UNKNOWN if Abnormality.UNKNOWN in abnormal else Abnormality.USUAL
    found = Abnormality.UNUSUAL if Abnormality.UNUSUAL in abnormal else found
    data = {"abnormality": found.label, **row.data} if abnormal else row.data
    return Happening(row.time, row.type, row.subject, data)
