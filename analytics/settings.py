"""What is analysed, and by what settings: the catalogue turned into one row of numbers a thing.

A thing is what readings belong to: a sensor, or a corridor between two Bluetooth readers. A reader itself has no
readings; its state follows from the corridors that end at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from math import isfinite, nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics import free_speed
from analytics.interval import COARSE_S, FALL_S, RESUME_S, derived, readings
from analytics.state import FREED_PERIODS, NEVER, SILENT_AFTER_PERIODS, Pace
from analytics.table import Float32, Int8, Int16, Int64, Table
from sensors.catalogue import Catalogue, Section, Sensor
from sensors.kind import Kind
from sensors.roads import RoadGraph
from sensors.rule import Cooling, Limits, SpeedRatio, TimeRatio, Work


class Rule(IntEnum):
    """How the level of a thing is judged; `ALIVE` has no level, only that it speaks."""

    ALIVE = 0
    SPEED = 1
    LIMITS = 2
    TIME = 3
    WORK = 4
    COOLING = 5


@dataclass(frozen=True, slots=True)
class Thing:
    """A sensor or corridor that has readings. Numbers that do not apply or are not configured are NaN.

    free_speed_kmh: of a corridor, that of its sections together. longest: what its longest section takes of its free
    travel time. limits: from the catalogue, None = those of the kind.
    """

    id: str
    site: str
    kind: Kind
    period_s: float
    free_speed_kmh: float = nan
    capacity: float = nan
    length_km: float = nan
    longest: float = 1.0
    limits: tuple[float, float, float] | None = None

    @property
    def free_time_s(self) -> float:
        """How long it takes to drive over a corridor at free speed."""
        return 3600 * self.length_km / self.free_speed_kmh

    @property
    def rule(self) -> Rule:
        match self.kind.level:
            case SpeedRatio():
                return Rule.SPEED
            case Limits():
                return Rule.LIMITS
            case TimeRatio():
                return Rule.TIME
            case Work():
                return Rule.WORK
            case Cooling():
                return Rule.COOLING
            case None:
                return Rule.ALIVE


def things_of(catalogue: Catalogue, kinds: Mapping[str, Kind]) -> Iterator[Thing]:
    """Every thing of the catalogue whose kind is known: sensors that publish for themselves, then corridors."""
    for sensor in catalogue.sensors:
        kind = kinds.get(sensor.kind)
        if kind and kind.subject == "sensor":
            yield _thing(sensor.id, sensor, kind)
    graph = RoadGraph(catalogue)
    for corridor in catalogue.corridors:
        reader = catalogue.sensor_by_id.get(corridor.reader)
        kind = kinds.get(reader.kind) if reader else None
        if reader and kind and kind.subject == "corridor":
            yield replace(
                _thing(corridor.id, reader, kind),
                free_speed_kmh=_positive(graph.free_speed_kmh(corridor)),
                length_km=_positive(corridor.length_km),
                longest=_longest(graph.along(corridor)),
            )


def _longest(sections: Sequence[Section]) -> float:
    """Share of the longest section in what the free drive over all takes; 1 where nobody knows."""
    free_h = [section.length_km / section.free_speed_kmh for section in sections if section.free_speed_kmh > 0]
    return max(free_h) / sum(free_h) if len(free_h) == len(sections) and sum(free_h) > 0 else 1.0


def readers_of(catalogue: Catalogue, kinds: Mapping[str, Kind]) -> dict[str, list[str]]:
    """Each reader's corridors by the reader's id; an empty list where none ends at it."""
    paired = {kind.name for kind in kinds.values() if kind.subject == "corridor"}
    found: dict[str, list[str]] = {sensor.id: [] for sensor in catalogue.sensors if sensor.kind in paired}
    for corridor in catalogue.corridors:
        if corridor.reader in found:
            found[corridor.reader].append(corridor.id)
    return found


def _thing(name: str, sensor: Sensor, kind: Kind) -> Thing:
    period_s = kind.period_s if sensor.period_s is None else sensor.period_s
    free_kmh, capacity = _positive(sensor.free_speed_kmh), _positive(sensor.capacity)
    return Thing(name, sensor.site, kind, period_s, free_kmh, capacity, limits=sensor.limits)


def _positive(number: float | None) -> float:
    return number if number is not None and isfinite(number) and number > 0 else nan


@dataclass(slots=True)
class Settings(Table):
    """One row a thing, all columns of shape (things,).

    rule: int8, a `Rule`. site: intp, index of the site's clock. silence_us: int64, until silent, NEVER for events.
    freed_us: int64, as in `Pace`; 0 for machines, which end their stoppages by their word while their rate is unknown.
    weight: float32, confirm_on, confirm_off: int16, and free_kmh: float32 (NaN = learn it from learn_readings: float32)
    of the speed detector. dense, congested, jammed: float32 limits. whole: float32, what a reading is divided by: the
    capacity, of a corridor its length in km; NaN = not configured.

    The rules of corridors, cranes and racks say in their modules what these columns hold for them.
    """

    rule: Int8
    site: NDArray[np.intp]
    silence_us: Int64
    freed_us: Int64
    weight: Float32
    confirm_on: Int16
    confirm_off: Int16
    free_kmh: Float32
    learn_readings: Float32
    dense: Float32
    congested: Float32
    jammed: Float32
    whole: Float32

    @classmethod
    def of(cls, things: Sequence[Thing], sites: Mapping[str, int]) -> Self:
        """Build the table; `sites` gives each site's index."""
        rows = [_row(thing, sites[thing.site]) for thing in things]
        dtypes = (np.int8, np.intp, np.int64, np.int64, np.float32, np.int16, np.int16, *[np.float32] * 6)
        columns = zip(*rows, strict=True) if rows else [()] * len(dtypes)
        return cls(*(np.array(column, dtype) for column, dtype in zip(columns, dtypes, strict=True)))

    @property
    def pace(self) -> Pace:
        """How time tells on each thing."""
        return Pace(self.silence_us, self.freed_us)


def _row(thing: Thing, site: int) -> tuple[float, ...]:
    periodic = thing.kind.periodic and thing.period_s > 0
    silence_us = round(SILENT_AFTER_PERIODS * thing.period_s * 1e6) if periodic else NEVER
    period_s = thing.period_s if periodic else COARSE_S
    freed_us = 0 if thing.rule is Rule.WORK or not periodic else round(FREED_PERIODS * thing.period_s * 1e6)
    whole = thing.length_km if thing.rule is Rule.TIME else thing.capacity
    return (thing.rule, site, silence_us, freed_us, *_tuned(thing, period_s), *_limits(thing), whole)


def _tuned(thing: Thing, period_s: float) -> tuple[float, int, int, float, float]:
    """Weight, confirmations on and off, free speed and readings to learn it from; or what the rule keeps there."""
    weight, on, off = derived(period_s)
    learn = free_speed.LEARN_S / period_s
    match thing.kind.level:
        case Limits():
            return weight, on, readings(FALL_S, period_s), thing.free_speed_kmh, learn
        case Work(normal=normal):
            return weight, on, readings(RESUME_S, period_s), normal, learn
        case Cooling(defrost_s=defrost_s, defrost_every_s=every_s):
            return weight, readings(defrost_s, period_s), off, nan, every_s / period_s
        case _:
            return weight, on, off, thing.free_speed_kmh, learn


def _limits(thing: Thing) -> tuple[float, float, float]:
    match thing.kind.level:
        case Limits() | Cooling() as rule:
            return thing.limits or (rule.dense, rule.congested, rule.jammed)
        case TimeRatio():
            return thing.longest, nan, nan
        case _:
            return nan, nan, nan
