"""`vigie evaluate`: what the detectors of production make of recordings, scored against their truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.forecast import HORIZONS_MIN
from sensors.kind import Kinds
from service.evaluate.disturb import disturbed
from service.evaluate.drive import Shown, drive
from service.evaluate.endings import endings
from service.evaluate.foresight import Interval, Speeds, calibrated, errors, later
from service.evaluate.grouping import grouping
from service.evaluate.scores import Scores, levels_exact, score, smoothed
from simulators.recording import Recording, load_recording

Figure = str | int | float | None | Mapping[str, "Figure"]
_NOTHING = Scores(0, *[math.nan] * 9)
_DIGITS = 4
_SLOWED = np.float32(0.8)
"""Share of the usual speed under which traffic counts as slowed for its time of week (the recordings' description)."""


class Disturbance(NamedTuple):
    """Faulty stations and lost readings as shares of 1, and the seed of both."""

    faults: float = 0.0
    loss: float = 0.0
    seed: int = 1


def evaluate(path: Path, kinds: Kinds, disturbance: Disturbance) -> dict[str, Figure]:
    """Score one recording; None where it gives nothing to score against. Raises `RecordingError`."""
    recording = load_recording(path)
    faults, loss, seed = disturbance
    measured = disturbed(recording.measured(), recording.interval_s, faults=faults, loss=loss, seed=seed)
    shown = drive(recording, measured, kinds)
    figures = {
        "recording": path.name,
        **_detection(recording, shown),
        "levels_exact": _levels(recording, shown),
        **_unexpected(recording, shown),
        "forecast": _forecast(recording, shown, measured.get("speed_kmh")),
        **asdict(grouping(recording, shown)),
        **asdict(endings(shown)),
    }
    return {name: _finite(value) for name, value in figures.items()}


def _detection(recording: Recording, shown: Shown) -> Mapping[str, Figure]:
    truth = recording.truth
    if truth is None:
        return asdict(_NOTHING) | {"events": None}
    return asdict(score(shown.alarm, truth == 1, truth == -1, recording.interval_s))


def _levels(recording: Recording, shown: Shown) -> float:
    """Against the speed as it was recorded, whatever was disturbed since."""
    if recording.speed_kmh is None:
        return math.nan
    speed = smoothed(recording.speed_kmh, recording.interval_s)
    ratio: NDArray[np.float32] = speed / recording.free_speed_kmh
    return levels_exact(shown.level, ratio)


def _unexpected(recording: Recording, shown: Shown) -> Mapping[str, Figure]:
    """A flag is false when at no time of it the smoothed speed was below `_SLOWED` of the usual one."""
    found = _NOTHING
    if recording.unexpected is not None and recording.usual_speed_kmh is not None and recording.speed_kmh is not None:
        slowed = smoothed(recording.speed_kmh, recording.interval_s) < _SLOWED * recording.usual_speed_kmh
        found = score(shown.unusual, recording.unexpected == 1, slowed, recording.interval_s)
    return {
        "unexpected_detection_rate": found.detection_rate,
        "unexpected_false_per_station_day": found.false_per_station_day,
        "unexpected_delay_median_min": found.delay_median_min,
    }


def _forecast(recording: Recording, shown: Shown, told: Speeds | None) -> Figure:
    """By horizon; what was `told` (and may be disturbed) is all that keeping the last value may know."""
    if recording.usual_speed_kmh is None or recording.speed_kmh is None or told is None:
        return None
    congested = None if recording.truth is None else recording.truth == 1
    found: dict[str, Figure] = {}
    for place, minutes in enumerate(HORIZONS_MIN):
        steps = round(minutes * 60 / recording.interval_s)
        if steps < 1 or steps >= len(recording.time):
            continue
        made = Interval(*(each[:, :, place] for each in (shown.ahead, shown.low, shown.high)))
        rivals = {"persistence": told, "usual": later(recording.usual_speed_kmh, steps)}
        found[str(minutes)] = {
            **errors(made, recording.speed_kmh, congested, steps),
            **{
                name: errors(calibrated(rival, told, steps), recording.speed_kmh, congested, steps)
                for name, rival in rivals.items()
            },
        }
    return found


def _finite(value: Figure) -> Figure:
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    return value


def as_text(evaluations: Sequence[Mapping[str, Figure]]) -> Iterator[str]:
    """One line a figure, one column a recording."""
    columns = [dict(_flat(found)) for found in evaluations]
    for name in dict.fromkeys(name for column in columns for name in column):
        cells = ["-" if column.get(name) is None else str(column[name]) for column in columns]
        yield "  ".join([name.ljust(40), *(cell.rjust(12) for cell in cells)]).rstrip()


def _flat(found: Mapping[str, Figure], before: str = "") -> Iterator[tuple[str, Figure]]:
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value
