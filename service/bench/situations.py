"""How long a step of situations takes for any number of road sensors, a twentieth of which stand in jams of three.

Time is the processor's of this process: what else the machine does is not our step. It is that which situations add to
a step: taking what the engine judged, and grouping, naming, weighing and foretelling. The steps measured begin when the
jams do, so they hold those in which all of them are born at once.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from analytics.engine import Engine
from analytics.readings import Arrivals, Readings
from analytics.situations.situations import Situations
from analytics.state import States
from analytics.table import Float32
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import Kind, Kinds
from service.bench.detect import timed_ms

KIND = "traffic"
FREE, JAMMED = 4, 20
"""Steps before the jams, and steps with them, which are measured."""
JAM, EVERY = 3, 60
"""Sensors in a jam, and from one jam to the next: a twentieth are congested."""
_START_US = 1_772_409_600_000_000
_STEP_US = 30_000_000


@dataclass(frozen=True, slots=True)
class SituationFigures:
    """situations: open at the end. step_ms: median of a step; worst_ms: the longest one."""

    sensors: int
    situations: int
    step_ms: float
    worst_ms: float


def bench_situations(kinds: Kinds, sensors: int) -> SituationFigures:
    """Measure so many sensors along one road."""
    names = [f"s{number:06d}" for number in range(sensors)]
    road = _road(names)
    engine = Engine(kinds, road)
    stopwatch = _Stopwatch(Situations(engine.roster, road))
    engine.attach(stopwatch.watch)
    gc.collect()
    steps_ms = []
    for readings in _batches(kinds[KIND], names):
        stopwatch.spent_ms = 0.0
        engine.absorb([readings])
        stopwatch.run()
        steps_ms.append(stopwatch.spent_ms)
    measured = steps_ms[FREE:]
    count = len(stopwatch.situations.situations())
    return SituationFigures(sensors, count, round(median(measured), 3), round(max(measured), 3))


class _Stopwatch:
    """Situations, and the time that they took."""

    def __init__(self, situations: Situations) -> None:
        self.situations = situations
        self.spent_ms = 0.0

    def watch(self, rows: Arrivals, after: States, values: Float32) -> None:
        self.spent_ms += timed_ms(partial(self.situations.watch, rows, after, values))

    def run(self) -> None:
        self.spent_ms += timed_ms(self.situations.run)


def _road(names: list[str]) -> Catalogue:
    site = Site(id="R", name="", basin="bench", clock="recording")
    sensors = tuple(
        Sensor(id=name, site=site.id, kind=KIND, period_s=30, free_speed_kmh=90, position_km=float(at))
        for at, name in enumerate(names)
    )
    return Catalogue(sites=(site,), sensors=sensors)


def _batches(kind: Kind, names: list[str]) -> Iterator[Readings]:
    generator = np.random.default_rng(1)
    jammed = np.arange(len(names)) % EVERY < JAM
    speed, flow, covered = (kind.field_names.index(name) for name in ("speed_kmh", "flow_veh_h", "occupancy_pct"))
    for step in range(FREE + JAMMED):
        values = np.full((len(names), len(kind.fields)), np.nan, np.float32)
        slow = jammed & (step >= FREE)
        values[:, speed] = np.where(slow, 20, 85) + generator.normal(0, 2, len(names))
        values[:, flow], values[:, covered] = 600, 12
        times = np.full(len(names), _START_US + step * _STEP_US, np.int64)
        yield Readings(kind.name, list(names), times, np.zeros(len(names), np.int16), values)
