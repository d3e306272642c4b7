"""Pictures of detection for its documentation: `python -m service.evaluate.pictures RECORDING FOLDER` writes SVG."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics.engine import Engine
from analytics.readings import Readings
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.kind import load_kinds
from sensors.level import Level
from sensors.roads import RoadGraph
from service.evaluate.drive import drive
from service.evaluate.scores import Scores, score
from simulators.drawing import Axis, Box, Line, panel, picture, text, upwards
from simulators.interventions import Intervention
from simulators.profile import PORT_TIME
from simulators.recording import Recording, load_recording
from simulators.replay import KIND
from simulators.world import STEP_S, World

_SCALES: Final = (0.9, 0.94, 0.97, 1.0, 1.03, 1.06, 1.1, 1.15)
_MIDNIGHT: Final = datetime(2026, 3, 3, tzinfo=PORT_TIME).timestamp()  # a Tuesday
_HOUR_S: Final = 3600
_FROM_HOUR, _TO_HOUR = 5, 21
_ROAD: Final = ("W17-F1", "W16-F1", "W15-F1", "W12-F1", "W01-F1")
"""Loops of the RN568 towards Arles, as one drives."""
_COLOURS: Final = {
    Level.DENSE: "#d9a514",
    Level.CONGESTED: "#f07a2a",
    Level.JAMMED: "#a80f2c",
    Level.UNKNOWN: "#a8a8a8",
}
_CONGESTED: Final = 0.6
_ROW, _LEFT, _WIDE = 46, 70, 620
_MIDDLE: Final = ' text-anchor="middle"'


def exchange(recording: Recording) -> dict[str, str]:
    """What more sensitive thresholds win in delay and cost in alarms: all of them scaled together."""
    found = [_scored(recording, scale) for scale in _SCALES]
    delay = [each.delay_mean_min for each in found]
    wrong = [each.false_per_station_day for each in found]
    nuisance = [each.nuisance_per_station_day for each in found]
    lines = [Line("false, a station-day", delay, wrong), Line("nuisance, a station-day", delay, nuisance)]
    lines += [Line("", [each.delay_mean_min], [each.nuisance_per_station_day], points=True) for each in found[3:4]]
    span = Axis(np.floor(min(delay)), np.ceil(max(delay)), 6, "mean delay, min: thresholds from 1.15 to 0.9 times ours")
    box = Box(60, 40, 640, 230)
    return {"detection-exchange": picture(720, 320, list(panel(box, span, upwards(max(nuisance)), lines)))}


def _scored(recording: Recording, scale: float) -> Scores:
    assert recording.truth is not None
    scaled = replace(recording, free_speed_kmh=recording.free_speed_kmh * np.float32(scale))
    shown = drive(scaled, scaled.measured(), load_kinds())
    return score(shown.alarm, recording.truth == 1, recording.truth == -1, recording.interval_s)


def road_day() -> dict[str, str]:
    """One simulated day of one road, loop by loop: what was shown, and over it what was true."""
    accident = Intervention("incident", "W15-W12", _MIDNIGHT + 16 * _HOUR_S, _MIDNIGHT + 17.5 * _HOUR_S, 0.8, 0.5)
    world = World(shipped_catalogue(), load_kinds(), 1, interventions=[accident])
    world.start(_MIDNIGHT + _FROM_HOUR * _HOUR_S)
    level, true = _watch(world)
    parts = [text(_LEFT, 18, "RN568 towards Arles, accident at 16:00: true above, shown below")]
    for row, loop in enumerate(_ROAD):
        top = 34 + _ROW * row
        parts.append(text(_LEFT - 8, top + 20, loop, more=' text-anchor="end"'))
        parts += _band(true[:, row], top, 8, {True: "#1d2529"})
        parts += _band(level[:, row], top + 10, 24, _COLOURS)
    hours = range(_FROM_HOUR, _TO_HOUR + 1, 2)
    base = 34 + _ROW * len(_ROAD) + 8
    parts += [text(_at((h - _FROM_HOUR) * _HOUR_S / STEP_S), base, f"{h}:00", more=_MIDDLE) for h in hours]
    return {"detection-road-day": picture(720, base + 14, parts)}


def _watch(world: World) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Levels shown and congestion of the watched sections, (steps, loops)."""
    catalogue, kinds = shipped_catalogue(), load_kinds()
    sensors = [catalogue.sensor_by_id[name] for name in _ROAD]
    engine = Engine(kinds, Catalogue(sites=catalogue.sites, sensors=tuple(sensors)))
    index = [[thing.id for thing in world.things].index(name) for name in _ROAD]
    sections, graph = list(world.view().sections), RoadGraph(catalogue)
    watched = [sections.index(seen.section.id) for sensor in sensors if (seen := graph.watched(sensor))]
    steps = int((_TO_HOUR - _FROM_HOUR) * _HOUR_S / STEP_S)
    level, true = np.zeros((steps, len(_ROAD)), np.int8), np.zeros((steps, len(_ROAD)), np.bool_)
    for step in range(steps):
        at_s = _MIDNIGHT + _FROM_HOUR * _HOUR_S + (step + 1) * STEP_S
        world.advance(at_s)
        read = [world.measure(place) for place in index]
        rows = [[row[name] for name in kinds[KIND].field_names] for row in read]
        times = np.full(len(_ROAD), round(at_s * 1e6), np.int64)
        values = np.array(rows, np.float32)  # None becomes NaN
        engine.absorb([Readings(KIND, list(_ROAD), times, np.zeros(len(_ROAD), np.int16), values)])
        level[step] = engine.judged(_ROAD).level
        true[step] = world.view().speed_ratio[watched] < _CONGESTED
    return level, true


def _band(values: NDArray[np.generic], top: float, high: float, colours: Mapping[Any, str]) -> Iterator[str]:
    """A strip whose colour follows the values; what has none is left pale."""
    yield f'<rect x="{_LEFT}" y="{top}" width="{_WIDE}" height="{high}" fill="#eef1f2"/>'
    place = 0
    for value, run in groupby(values.tolist()):
        length = len(list(run))
        if colour := colours.get(value):
            x, wide = _at(place), _WIDE * length * STEP_S / _HOUR_S / (_TO_HOUR - _FROM_HOUR)
            yield f'<rect x="{x:.1f}" y="{top}" width="{wide:.1f}" height="{high}" fill="{colour}"/>'
        place += length


def _at(step: float) -> float:
    return _LEFT + _WIDE * step * STEP_S / _HOUR_S / (_TO_HOUR - _FROM_HOUR)


def main(arguments: Sequence[str]) -> None:
    recording, folder = arguments
    for name, svg in (exchange(load_recording(Path(recording))) | road_day()).items():
        (Path(folder) / f"{name}.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
