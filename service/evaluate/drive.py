"""A recording through the engine of production, step by step in event time: what it would have shown, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.usual import given
from sensors.catalogue import Catalogue
from sensors.kind import Kind, Kinds
from sensors.level import Abnormality
from service.evaluate.disturb import Arrays
from simulators.recording import Recording
from simulators.replay import KIND, plan_replay

_SITE = "recording"


@dataclass(frozen=True, slots=True)
class Shown:
    """What every station showed after every step, arrays of shape (times, stations).

    level: int8, a `Level`. alarm: bool, an alarm was open. unusual: bool, it was unusual for the time of week.
    """

    level: NDArray[np.int8]
    alarm: NDArray[np.bool_]
    unusual: NDArray[np.bool_]


def drive(recording: Recording, measured: Arrays, kinds: Kinds) -> Shown:
    """Feed `measured` (which may be disturbed) at the recording's times; what is missing is never sent."""
    plan = plan_replay(recording, _SITE)
    names = [sensor.id for sensor in plan.sensors]
    engine = Engine(kinds, Catalogue(sites=(plan.site,), sensors=plan.sensors))
    shape = (len(recording.time), len(names))
    engine.use({usual.sensor: given(usual.interval_s, usual.start_s, usual.speed_kmh) for usual in plan.usual_speeds})
    shown = Shown(np.zeros(shape, np.int8), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_))
    for step, readings in enumerate(_steps(recording, measured, names, kinds[KIND])):
        engine.absorb([readings])
        states = engine.judged(names)
        shown.level[step], shown.alarm[step] = states.level, states.alarm > 0
        shown.unusual[step] = states.unusual == Abnormality.UNUSUAL
    return shown


def _steps(recording: Recording, measured: Arrays, names: list[str], kind: Kind) -> Iterator[Readings]:
    places = [kind.field_names.index(name) for name in measured]
    for step, second in enumerate(recording.time.tolist()):
        values = np.full((len(names), len(kind.fields)), np.nan, np.float32)
        values[:, places] = np.stack([array[step] for array in measured.values()], axis=1)
        sent = np.flatnonzero(np.isfinite(values).any(axis=1))
        times = np.full(len(sent), second * 1_000_000, np.int64)
        quality = np.zeros(len(sent), np.int16)
        yield Readings(KIND, [names[place] for place in sent.tolist()], times, quality, values[sent])
