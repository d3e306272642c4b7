"""How long a step of analytics takes and what it holds, for any number of road sensors that read every 30 s.

Time is the processor's of this process: what else the machine does is not our step. Every sensor has a usual speed, one
in ten stands in a jam, and the steps measured cross the quarter of an hour in which forecasts of all learn, and the
ends of two bins of five minutes, at which health judges all.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np

from analytics import detector
from analytics.engine import Engine
from analytics.health.watch import Health
from analytics.readings import Readings
from analytics.remains import CAR_M, DETECTOR_M
from analytics.settings import Settings, Thing
from analytics.state import States
from analytics.table import Float32
from analytics.usual import Profile
from analytics.week import SLOTS
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import Kind, Kinds
from service.diagnosis import judge

KIND = "traffic"
WARM, MEASURED = 10, 20
"""Steps until the window is full and everything was learnt once, and steps measured."""
_START_US = 1_772_409_600_000_000
_A_SITE = 3
_FREE_KMH, _FLOW_VEH_H = 90.0, 1_000.0


@dataclass(frozen=True, slots=True)
class DetectFigures:
    """detect_ms: congestion alone. step_ms: what a reading of every sensor brings about in health and engine, median.

    worst_ms: the longest such step, in which health closes a bin and judges all sensors.
    """

    sensors: int
    detect_ms: float
    step_ms: float
    worst_ms: float
    memory_mb: float


def bench_detect(kinds: Kinds, sensors: int) -> DetectFigures:
    """Measure so many sensors."""
    gc.collect()
    before_mb = _held_mb()
    names = [f"s{number}" for number in range(sensors)]
    catalogue = _catalogue(names)
    engine, health = _engine(kinds, catalogue), Health(kinds, catalogue)
    batches = _batches(kinds[KIND], names)
    for readings in islice(batches, WARM):
        _step(health, engine, readings)
    gc.collect()
    memory_mb = _held_mb() - before_mb
    steps_ms = [timed_ms(partial(_step, health, engine, readings)) for readings in batches]
    return DetectFigures(
        sensors,
        detect_ms=round(_detect_ms(kinds[KIND], sensors), 3),
        step_ms=round(median(steps_ms), 3),
        worst_ms=round(max(steps_ms), 3),
        memory_mb=round(memory_mb, 1),
    )


def _step(health: Health, engine: Engine, readings: Readings) -> None:
    judge(health, engine, [readings], [])


def _detect_ms(kind: Kind, sensors: int) -> float:
    things = [Thing(f"s{number}", "S", kind, kind.period_s, free_speed_kmh=_FREE_KMH) for number in range(sensors)]
    states, settings = States.blank(sensors), Settings.of(things, {"S": 0})
    speeds = [_speeds(np.random.default_rng(seed), sensors) for seed in range(WARM)]
    return median(timed_ms(partial(detector.judge, states, settings, speed)) for speed in speeds)


def _catalogue(names: list[str]) -> Catalogue:
    sites = tuple(Site(id=f"S{n}", name="", basin="bench") for n in range(-(-len(names) // _A_SITE)))
    sensors = tuple(
        Sensor(id=name, site=f"S{number // _A_SITE}", kind=KIND, free_speed_kmh=_FREE_KMH)
        for number, name in enumerate(names)
    )
    return Catalogue(sites=sites, sensors=sensors)


def _engine(kinds: Kinds, catalogue: Catalogue) -> Engine:
    engine = Engine(kinds, catalogue)
    usual = Profile(np.full(SLOTS, _FREE_KMH, np.float32), np.full(SLOTS, 4, np.float32))
    engine.use({sensor.id: usual for sensor in catalogue.sensors})
    return engine


def _batches(kind: Kind, names: list[str]) -> Iterator[Readings]:
    """One reading of every sensor each, with names of its own as they come from the database."""
    texts = np.array(names)
    generator = np.random.default_rng(1)
    for step in range(WARM + MEASURED):
        values = _traffic(kind, _speeds(generator, len(names)), generator)
        times = np.full(len(names), _START_US + step * round(kind.period_s * 1e6), np.int64)
        yield Readings(kind.name, texts.tolist(), times, np.zeros(len(names), np.int16), values)


def _traffic(kind: Kind, speed_kmh: Float32, generator: np.random.Generator) -> Float32:
    """All that a loop tells, (sensors, fields), of cars that pass at these speeds."""
    count = generator.poisson(_FLOW_VEH_H * kind.period_s / 3600, len(speed_kmh))
    flow_veh_h = count * 3600 / kind.period_s
    told = {
        "count": count,
        "flow_veh_h": flow_veh_h,
        "occupancy_pct": np.minimum(100, flow_veh_h * (CAR_M + DETECTOR_M) / (10 * speed_kmh)),
        "speed_kmh": np.where(count > 0, speed_kmh, np.nan),
        "hgv_share": np.zeros(len(count)),
    }
    return np.stack([told[name] for name in kind.field_names], axis=1).astype(np.float32)


def _speeds(generator: np.random.Generator, count: int) -> Float32:
    jammed = np.arange(count) % 10 == 0
    return np.where(jammed, 30, _FREE_KMH - 2) + generator.normal(0, 3, count).astype(np.float32)


def timed_ms(work: Callable[[], object]) -> float:
    """Milliseconds of the processor that some work took."""
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def _held_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
