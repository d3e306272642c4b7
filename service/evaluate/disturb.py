"""What goes wrong with stations, put into a recording: lost readings, and the four faults of its description.

Everything follows from the seed. Faults may fall into congestion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.recording import MEASURED

FAULT_S = 12 * 3600.0
_SPIKES = 1 / 20
"""Share of the readings that a spiking station replaces by 0."""

Arrays = dict[str, NDArray[np.float32]]


def disturbed(measured: Arrays, interval_s: float, *, faults: float, loss: float, seed: int) -> Arrays:
    """Copy the measured arrays (times, stations) with faulty stations and lost readings, both as shares of 1."""
    rng = np.random.default_rng(seed)
    arrays = {name: measured[name].copy() for name in MEASURED if name in measured}
    times, stations = next(iter(arrays.values())).shape
    length = min(times, round(FAULT_S / interval_s))
    chosen = rng.permutation(stations)[: round(faults * stations)]
    starts = rng.integers(0, times - length + 1, len(chosen))
    for number, (station, start) in enumerate(zip(chosen.tolist(), starts.tolist(), strict=True)):
        _break(arrays, number % 4, np.s_[start : start + length, station], rng)
    if loss:
        lost = rng.random((times, stations)) < loss
        for array in arrays.values():
            array[lost] = np.nan
    return arrays


def _break(arrays: Arrays, kind: int, where: tuple[slice, int], rng: np.random.Generator) -> None:
    """Stuck at 0, frozen at the value it had, a gap, or readings replaced by 0: `kind` 0 to 3."""
    spikes = rng.random(where[0].stop - where[0].start) < _SPIKES
    for array in arrays.values():
        span = array[where]
        match kind:
            case 0:
                span[:] = 0
            case 1:
                span[:] = array[max(where[0].start - 1, 0), where[1]]
            case 2:
                span[:] = np.nan
            case _:
                span[spikes] = 0
