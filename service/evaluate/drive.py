"""A recording through the engine of production, step by step in event time: what it would have shown, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from analytics.engine import Engine
from analytics.forecast import HORIZONS_MIN
from analytics.health.watch import Health
from analytics.readings import Readings
from analytics.situations.situation import Notice, Situation, Step
from analytics.situations.situations import Situations
from analytics.usual import given
from ingest.quality import ValueChecks
from sensors.catalogue import Catalogue
from sensors.kind import Kind, Kinds
from sensors.level import Abnormality
from service.diagnosis import judge
from service.evaluate.disturb import Arrays
from simulators.recording import Recording
from simulators.replay import KIND, plan_replay

_SITE = "recording"

Ahead = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shown:
    """What every station showed after every step, arrays of shape (times, stations).

    names: the stations as sensors. level: int8, a `Level`. alarm: bool, an alarm was open. unusual: bool, it was
    unusual for the time of week. ahead, low, high: float32 (times, stations, horizons), what was forecast then for
    later, km/h, NaN = nothing. notices: what was announced of situations. situations: all, as they were last.
    """

    names: list[str]
    level: NDArray[np.int8]
    alarm: NDArray[np.bool_]
    unusual: NDArray[np.bool_]
    ahead: Ahead
    low: Ahead
    high: Ahead
    notices: list[Notice] = field(default_factory=list)
    situations: list[Situation] = field(default_factory=list)

    @classmethod
    def nothing(cls, times: int, names: list[str]) -> Self:
        shape, further = (times, len(names)), (times, len(names), len(HORIZONS_MIN))
        ahead, low, high = (np.full(further, np.nan, np.float32) for _ in range(3))
        alarm, unusual = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        return cls(names, np.zeros(shape, np.int8), alarm, unusual, ahead, low, high)


def drive(recording: Recording, measured: Arrays, kinds: Kinds) -> Shown:
    """Feed `measured` (which may be disturbed) at the recording's times; what is missing is never sent."""
    plan = plan_replay(recording, _SITE)
    names = [sensor.id for sensor in plan.sensors]
    catalogue = Catalogue(sites=(plan.site,), sensors=plan.sensors)
    engine = Engine(kinds, catalogue)
    health = Health(kinds, catalogue)
    situations = Situations(engine.roster, catalogue, plan.neighbours)
    engine.attach(situations.watch)
    engine.use({usual.sensor: given(usual.interval_s, usual.start_s, usual.speed_kmh) for usual in plan.usual_speeds})
    situations.expect(engine.usual)
    shown = Shown.nothing(len(recording.time), names)
    for step, readings in enumerate(_steps(recording, measured, names, kinds[KIND])):
        judge(health, engine, [readings], [])
        shown.notices.extend(situations.run())
        states = engine.judged(names)
        shown.level[step], shown.alarm[step] = states.level, states.alarm > 0
        shown.unusual[step] = states.unusual == Abnormality.UNUSUAL
        shown.ahead[step], shown.low[step], shown.high[step], _ = engine.forecast(names)
    ended = {one.situation.id: one.situation for one in shown.notices if one.step is Step.ENDED}
    shown.situations.extend([*ended.values(), *situations.situations()])
    return shown


def _steps(recording: Recording, measured: Arrays, names: list[str], kind: Kind) -> Iterator[Readings]:
    places, checks = [kind.field_names.index(name) for name in measured], ValueChecks(kind)
    for step, second in enumerate(recording.time.tolist()):
        values = np.full((len(names), len(kind.fields)), np.nan, np.float32)
        values[:, places] = np.stack([array[step] for array in measured.values()], axis=1)
        sent = np.flatnonzero(np.isfinite(values).any(axis=1))
        times = np.full(len(sent), second * 1_000_000, np.int64)
        quality, _ = checks.check(values[sent])
        yield Readings(KIND, [names[place] for place in sent.tolist()], times, quality, values[sent])
