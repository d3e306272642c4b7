"""What is usual and what is coming, in words: the abnormality of things and their forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.evidence import number, tenth
from analytics.forecast import HORIZONS_MIN, Forecast
from analytics.settings import Rule, Thing
from analytics.state import NEVER, States
from analytics.table import Float32
from sensors.level import Abnormality


@dataclass(frozen=True, slots=True)
class Ahead:
    """A speed in so many minutes, with its interval of 80 %.

    usual_kmh: None where nothing is usual then; the last speed is kept.
    """

    minutes: int
    speed_kmh: float
    low_kmh: float
    high_kmh: float
    usual_kmh: float | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """A thing now, beside its level. abnormality None: its kind is not compared with what is usual.

    coverage: share of the expected readings of about the last hour, None for events and before the first reading.
    ahead: empty where nothing can be said.
    """

    thing: str
    time_us: int | None
    coverage: float | None
    abnormality: Abnormality | None
    usual_kmh: float | None
    z: float | None
    ahead: tuple[Ahead, ...]


def outlooks(things: Sequence[Thing], states: States, share: Float32, forecast: Forecast) -> list[Outlook]:
    """Word aged states and forecasts, a row a thing."""
    return [_outlook(thing, states, row, float(share[row]), forecast) for row, thing in enumerate(things)]


def _outlook(thing: Thing, states: States, row: int, share: float, forecast: Forecast) -> Outlook:
    compared = thing.rule is Rule.SPEED
    known = compared and bool(np.isfinite(forecast.low[row]).all())
    return Outlook(
        thing=thing.id,
        time_us=int(states.time_us[row]) if states.time_us[row] != NEVER else None,
        coverage=number(round(share, 3)),
        abnormality=Abnormality(states.unusual[row]) if compared else None,
        usual_kmh=tenth(states.usual_kmh[row]),
        z=tenth(states.z[row]),
        ahead=tuple(_ahead(forecast, row, place) for place in range(len(HORIZONS_MIN))) if known else (),
    )


def _ahead(forecast: Forecast, row: int, place: int) -> Ahead:
    speed, low, high, usual = (float(part[row, place]) for part in forecast)
    return Ahead(HORIZONS_MIN[place], round(speed, 1), round(low, 1), round(high, 1), tenth(usual))
