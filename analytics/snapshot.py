"""States in words: what the rest of the service sees of a thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analytics.evidence import Evidence, Reading, evidence, reading
from analytics.settings import Rule, Thing
from analytics.state import NEVER, States
from analytics.table import Float32, Mask
from sensors.catalogue import Sensor
from sensors.level import Level, Verdict


@dataclass(frozen=True, slots=True)
class State:
    """A thing now. `level` is None for kinds without a level rule; `time_us` and `since_us` before the first reading.

    since_us: when the level began. silent: no data for three periods. alarm: level of the open alarm, which outlives an
    unknown level. reading: fields and words of the newest reading, None where missing.
    """

    thing: str
    site: str
    kind: str
    time_us: int | None
    since_us: int | None
    level: Level | None
    alarm: Level | None
    verdict: Verdict
    silent: bool
    reading: Reading
    evidence: Evidence


def verdict(level: int, *, silent: bool, faulty: bool) -> Verdict:
    """Say what a state rests on: silence and distrust speak of the sensor, a known level of the traffic."""
    if silent:
        return Verdict.SENSOR
    if level != Level.UNKNOWN:
        return Verdict.TRAFFIC
    return Verdict.SENSOR if faulty else Verdict.UNKNOWN


def level_of(thing: Thing, level: int) -> Level | None:
    return None if thing.rule is Rule.ALIVE else Level(level)


def states(things: Sequence[Thing], rows: States, silent: Mask, values: Float32) -> list[State]:
    """Word aged states, one a thing; `values` (things, width) are fields and words of the newest readings."""
    return [_state(thing, rows, row, bool(silent[row]), values[row].tolist()) for row, thing in enumerate(things)]


def _state(thing: Thing, rows: States, row: int, silent: bool, values: list[float]) -> State:  # noqa: FBT001
    level, alarm = int(rows.level[row]), int(rows.alarm[row])
    heard, told = rows.time_us[row] != NEVER, reading(thing, values)
    return State(
        thing=thing.id,
        site=thing.site,
        kind=thing.kind.name,
        time_us=int(rows.time_us[row]) if heard else None,
        since_us=int(rows.since_us[row]) if heard else None,
        level=level_of(thing, level),
        alarm=Level(alarm) if alarm else None,
        verdict=verdict(level, silent=silent, faulty=bool(rows.faulty[row])),
        silent=silent,
        reading=told,
        evidence=evidence(thing, float(rows.value[row]), float(rows.free_kmh[row]), told),
    )


def reader(sensor: Sensor, corridors: Sequence[State]) -> State:
    """Derive a Bluetooth reader's state from the corridors that end at it: it lives while any of them speaks.

    Its level is the worst that is known of them; an alarm has only the corridor.
    """
    heard = [state for state in corridors if state.time_us is not None]
    alive = [state for state in heard if not state.silent]
    levels = [state.level for state in alive if state.level is not None]
    since = [state.since_us for state in alive or heard if state.since_us is not None]
    return State(
        thing=sensor.id,
        site=sensor.site,
        kind=sensor.kind,
        time_us=max((state.time_us for state in heard if state.time_us is not None), default=None),
        since_us=(min if alive else max)(since, default=None),
        level=max(levels, default=None),
        alarm=None,
        verdict=Verdict.TRAFFIC if alive else Verdict.SENSOR if heard else Verdict.UNKNOWN,
        silent=bool(heard) and not alive,
        reading={},
        evidence={"corridors": float(len(corridors)), "corridors_alive": float(len(alive))},
    )
