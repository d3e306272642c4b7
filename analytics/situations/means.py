"""What things measured over the last hour, as means of five minutes: what a cause is told by is how it was before."""

from __future__ import annotations

from base64 import b64decode, b64encode

import numpy as np
from numpy.typing import NDArray

from analytics.table import Float32, Index, Int64, Rows, run_of

BIN_US = 300 * 1_000_000
"""Microseconds of one mean: ten readings of a road sensor, and the counts of a lane become steady. Shorter: noise."""

BINS = 13
"""Means that are kept: the last hour and the one being made. Fewer: what was before a jam is forgotten in it."""

_NEVER = -1


class Means:
    """n things of `width` fields. Sums and counts of the bins that lie around each thing's newest reading."""

    def __init__(self, width: int) -> None:
        self._sums: Float32 = np.zeros((BINS, 0, width), np.float32)
        self._counts: NDArray[np.uint16] = np.zeros((BINS, 0, width), np.uint16)
        self._bins: Int64 = np.zeros((BINS, 0), np.int64)

    def grow(self, things: int) -> None:
        """Make room for things that are new."""
        missing, width = things - self._bins.shape[1], self._sums.shape[2]
        self._sums = np.concatenate((self._sums, np.zeros((BINS, missing, width), np.float32)), axis=1)
        self._counts = np.concatenate((self._counts, np.zeros((BINS, missing, width), np.uint16)), axis=1)
        self._bins = np.concatenate((self._bins, np.full((BINS, missing), _NEVER, np.int64)), axis=1)

    def add(self, thing: Index, time_us: Int64, values: Float32) -> None:
        """Take one reading of each of some things, (rows, width); NaN says nothing."""
        numbers = time_us // BIN_US
        for number in numbers[:1].tolist() if (numbers == numbers[:1]).all() else np.unique(numbers).tolist():
            some = numbers == number
            if some.all():
                self._add(run_of(thing), number, values)
            else:
                self._add(thing[some], number, values[some])

    def _add(self, things: Rows, number: int, values: Float32) -> None:
        """Take readings of one bin: those of all things lie side by side, so that most steps touch one stretch."""
        sums, counts, bins = self._sums[number % BINS], self._counts[number % BINS], self._bins[number % BINS]
        anew = bins[things] != number
        if anew.any():
            old = np.arange(len(bins))[things][anew]
            sums[old], counts[old], bins[old] = 0, 0, number
        known = np.isfinite(values)
        sums[things] += np.where(known, values, np.float32(0))
        counts[things] += known

    def over(self, thing: Index, column: int, from_us: int, to_us: int) -> Float32:
        """Return the mean of one field over the bins that begin in [from_us, to_us), (things,); NaN without any."""
        bins = self._bins[:, thing]
        inside = (bins * BIN_US >= from_us) & (bins * BIN_US < to_us)
        total = np.where(inside, self._sums[:, thing, column], 0).sum(axis=0)
        count = np.where(inside, self._counts[:, thing, column], 0).sum(axis=0)
        mean = np.full(len(thing), np.nan, np.float32)
        np.divide(total, count, out=mean, where=count > 0, casting="unsafe")
        return mean

    def readings(self, thing: Index, from_us: int, to_us: int) -> Int64:
        """Return how many readings these bins rest on, (things,): those of the field that is known most often."""
        bins = self._bins[:, thing]
        inside = (bins * BIN_US >= from_us) & (bins * BIN_US < to_us)
        counts: Int64 = np.where(inside, self._counts[:, thing].max(axis=2), 0).sum(axis=0, dtype=np.int64)
        return counts

    def written(self, thing: int) -> str:
        """Write what is known of a thing, as text."""
        parts = (self._bins[:, thing], self._sums[:, thing], self._counts[:, thing])
        return b64encode(b"".join(part.tobytes() for part in parts)).decode()

    def read(self, thing: int, text: str) -> None:
        """Take back what `written` wrote; what has another size was written with other fields, and is left."""
        raw, parts = b64decode(text), (self._bins[:, thing], self._sums[:, thing], self._counts[:, thing])
        if len(raw) != sum(part.nbytes for part in parts):
            return
        for part in parts:
            part[...] = np.frombuffer(raw[: part.nbytes], part.dtype).reshape(part.shape)
            raw = raw[part.nbytes :]
