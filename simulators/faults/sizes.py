"""How large a fault is: what its size means, its default, which sizes can be, and one by chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sensors.checks import COMMON_SENTINELS
from sensors.fault import Fault

_HOUR_S: Final = 3600.0
_DAY_S: Final = 24 * _HOUR_S


@dataclass(frozen=True, slots=True)
class Size:
    """The size of one fault: one of `choices`, or from `low` to `high`, in whole `step`s, `signed` or not.

    Chance draws one from `drawn`: a narrower range, or some of the choices.
    """

    meaning: str
    default: float
    drawn: tuple[float, ...]
    low: float = 0.0
    high: float = 1.0
    step: float = 0.0
    signed: bool = False
    choices: tuple[float, ...] = ()

    def fits(self, size: float) -> bool:
        if self.choices:
            return size in self.choices or (math.isnan(size) and any(map(math.isnan, self.choices)))
        whole = not self.step or size % self.step == 0
        return whole and (self.signed or size > 0) and self.low <= abs(size) <= self.high

    @property
    def expected(self) -> str:
        """In words, what `fits`."""
        if self.choices:
            return "one of " + ", ".join(f"{choice:.10g}" for choice in self.choices)
        steps = f" in steps of {self.step:.10g}" if self.step else ""
        return f"{self.low:.10g} to {self.high:.10g}{steps}{', or below 0' if self.signed else ''}"

    def draw(self, rng: np.random.Generator) -> float:
        if self.choices:
            return self.drawn[int(rng.integers(len(self.drawn)))]
        low, high = self.drawn
        size = float(rng.uniform(low, high))
        size = self.step * round(size / self.step) if self.step else round(size, 3)
        return -size if self.signed and rng.random() < 0.5 else size  # noqa: PLR2004  one way or the other


def _either(meaning: str) -> Size:
    return Size(meaning, default=0.0, drawn=(0.0, 1.0), choices=(0.0, 1.0))


SIZES: Final[Mapping[Fault, Size]] = {
    Fault.INSUFFICIENT: Size("share of the samples that arrive", 0.4, drawn=(0.2, 0.5), low=0.01, high=0.59),
    Fault.CHATTER: Size(
        "lowest count, as a multiple of the first impossible one", 1.2, drawn=(1.1, 2.0), low=1.0, high=100.0
    ),
    Fault.MISMATCH: _either("traffic: 0 occupancy without flow, 1 flow without occupancy; other kinds have one form"),
    Fault.SPIKE: Size("height of a leap, as a share of the field's range", 0.4, drawn=(0.3, 0.5), low=0.01),
    Fault.DRIFT: Size("bias that each day adds, as a share", 0.03, drawn=(0.01, 0.05), low=0.001, signed=True),
    Fault.SENTINEL: Size(
        "number sent instead; nan, which JSON cannot carry, leaves the value out",
        -99.0,
        drawn=(-99.0, 327.67, 65535.0, math.nan),
        choices=(*COMMON_SENTINELS, math.nan),
    ),
    Fault.IDENTITY_SWAPPED: _either("0 publishes on the other's topic, 1 names the other in its payload"),
    Fault.CLOCK_OFFSET: Size(
        "seconds ahead, behind below 0",
        -2 * _HOUR_S,
        drawn=(2 * _HOUR_S, 6 * _HOUR_S),
        low=_HOUR_S,
        high=_DAY_S,
        step=_HOUR_S,
        signed=True,
    ),
    Fault.CLOCK_DRIFT: Size(
        "seconds gained a day, lost below 0", 30.0, drawn=(20.0, 90.0), low=1.0, high=_DAY_S, signed=True
    ),
    Fault.DAYLIGHT_SAVING: Size(
        "seconds put forward, back below 0", _HOUR_S, drawn=(_HOUR_S, -_HOUR_S), choices=(_HOUR_S, -_HOUR_S)
    ),
    Fault.FUTURE: Size(
        "seconds ahead at most", 0.5 * _HOUR_S, drawn=(0.25 * _HOUR_S, 4 * _HOUR_S), low=300.0, high=365 * _DAY_S
    ),
    Fault.DUPLICATE: Size("copies that follow each message", 1.0, drawn=(1.0, 3.0), low=1.0, high=10.0, step=1.0),
    Fault.OUT_OF_ORDER: Size("longest delay, in periods", 3.0, drawn=(2.0, 6.0), low=2.0, high=100.0),
    Fault.COUNTER_RESET: _either("0 seq restarts within its boot, 1 with a new boot"),
    Fault.STALE_RETAINED: Size(
        "seconds from one reconnect to the next", 600.0, drawn=(300.0, 1200.0), low=30.0, high=_DAY_S
    ),
    Fault.TRUNCATED: Size("share of the payload that is left", 0.5, drawn=(0.1, 0.9), low=0.01, high=0.99),
    Fault.OVERSIZED: Size(
        "bytes at least, beside more than 1,000 readings", 2e5, drawn=(1.5e5, 9e5), low=1.0, high=4e6, step=1.0
    ),
}
"""By fault; those that are not here have no size."""
