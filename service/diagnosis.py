"""Wiring of sensor health: readings and troubles through it, what it finds to the engine, the feed and the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from analytics.changes import Change
from analytics.engine import Engine
from analytics.health.creep import Kept, Learnt
from analytics.health.group import Refused
from analytics.health.hours import AHEAD
from analytics.health.judge import FaultChange
from analytics.health.verdicts import SETS, SPOILS
from analytics.health.watch import Health
from analytics.readings import Readings
from analytics.window import WINDOW_US
from sensors.fault import Fault, Scope
from service.alerts import instant
from store.creep import CreepRow
from store.faults import FaultRow
from store.spans import EPOCH
from store.troubles import TroubleRow

LOOKS_BACK = timedelta(hours=2, minutes=10)
"""How far back readings are given to health after a restart: as far as its rules look."""

MOST_REBUILT = 2_000
"""Things up to which that is done: of more, two hours are too many readings, and what stood goes on from its row."""

_NOTICED_US = WINDOW_US + 30_000_000
"""From the end of a bin until whoever lives by the wall's clock has noticed for sure that it is closed."""


def judge(
    health: Health, engine: Engine, readings: Sequence[Readings], refused: Sequence[Refused]
) -> tuple[list[FaultChange], list[Change]]:
    """Let health judge first: the engine believes nobody who is found out, from the same instant at any speed.

    It takes the readings of wrong clocks at their true times.
    """
    faults = _told(health, engine, health.absorb(readings, refused))
    return faults, engine.absorb(health.put_right(readings))


def look_at_clock(health: Health, engine: Engine, now_us: int) -> list[FaultChange]:
    """Let the wall's time close what it closes; the engine hears of it as of all else."""
    return _told(health, engine, health.advance(now_us))


def _told(health: Health, engine: Engine, changes: list[FaultChange]) -> list[FaultChange]:
    for change in changes:
        _tell(health, engine, change)
    for habits in health.habits():
        engine.accustom(habits._replace(from_us=habits.from_us + _NOTICED_US))
    return changes


def _tell(health: Health, engine: Engine, change: FaultChange) -> None:
    """Distrust begins, and ends, when the bin that shows it is closed for sure.

    But of who is set back, all that claims to be newer than the last reading in time is of another hour. Where the
    hours are known, readings are put at their true times from then on, and those are believed.
    """
    if change.scope is not Scope.SENSOR or change.fault not in SPOILS:
        return
    at_us = change.time_us + _NOTICED_US
    if change.fault in SETS and not change.began:
        health.leave(change.place, change.fault, at_us)
        engine.read_again(change.place, change.fault)
    if (ahead_h := _ahead_h(change)) is not None:
        health.set_right(change.place, change.fault, ahead_h, at_us)
        engine.read_once(change.place, change.fault)
    elif not change.began:
        engine.trust(change.place, change.fault, at_us)
    elif change.fault in SETS and change.heard_us is not None:
        engine.distrust(change.place, change.fault, min(at_us, change.heard_us + 1))
    else:
        engine.distrust(change.place, change.fault, at_us)


def as_refused(row: TroubleRow) -> Refused:
    """What the store reads is what health takes."""
    time_us = None if row.min_time is None else as_us(row.min_time)
    return Refused(row.thing, row.what, row.times, as_us(row.first_received_at), time_us)


def as_us(moment: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def fault_rows(changes: Iterable[FaultChange]) -> tuple[list[FaultRow], list[tuple[str, str]]]:
    """What begins and what is over, as rows: of several changes of one fault the last one counts."""
    last = {(change.place, change.fault.value): change for change in changes}
    begun = [
        FaultRow(
            place=change.place,
            fault=change.fault.value,
            scope=change.scope.value,
            site=change.site,
            kind=change.kind,
            since=instant(change.since_us),
            found_at=instant(change.time_us),
            ahead_h=_ahead_h(change),
        )
        for change in last.values()
        if change.began
    ]
    return begun, [key for key, change in last.items() if not change.began]


def creep_rows(kept: Iterable[Kept]) -> list[CreepRow]:
    """What creeps, as rows."""
    return [CreepRow(one.thing, instant(one.until_us), *one.late_s, *one.fits) for one in kept]


def as_kept(row: CreepRow) -> Kept:
    """What the store reads is what health takes."""
    late_s = Learnt(row.late_s, row.late_before_s, row.late_bins)
    return Kept(row.thing, as_us(row.until), late_s, Learnt(row.misfit, row.misfit_before, row.misfit_bins))


def restore_health(health: Health, engine: Engine, rows: Iterable[FaultRow], recent: Iterable[Readings]) -> None:
    """Go on from what stood and from the readings of the last hours."""
    stood = [_as_change(row) for row in rows]
    health.restore(stood, recent, engine.heard)
    _told(health, engine, stood)


def _as_change(row: FaultRow) -> FaultChange:
    return FaultChange(
        row.place,
        Scope(row.scope),
        row.site,
        row.kind,
        Fault(row.fault),
        as_us(row.found_at),
        as_us(row.since),
        began=True,
        evidence={} if row.ahead_h is None else {AHEAD: row.ahead_h},
    )


def _ahead_h(change: FaultChange) -> int | None:
    """By how many whole hours a clock is ahead, None where a change tells no such thing."""
    ahead_h = change.evidence.get(AHEAD)
    return ahead_h if isinstance(ahead_h, int) else None
