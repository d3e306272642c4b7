"""Whom nobody should believe, for what, and from when until when: told from outside, by whoever judges sensors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from analytics.company import LIES
from analytics.readings import Arrivals, Readings, Seen, observe
from analytics.remains import credible, remaining, restores
from analytics.settings import Rule, Settings, Thing
from analytics.state import NEVER
from analytics.table import Float32, Index, Int64, Mask
from sensors.fault import Fault
from sensors.kind import Kind

SPANS = 8
"""Spans that are kept of a thing: late readings are a minute old at most."""


class Span(NamedTuple):
    """From when until when (us) a thing has a fault; NEVER while it lasts."""

    from_us: int
    until_us: int
    fault: Fault


class Trust:
    """Spans of distrust by thing, in event time, so that the same readings are disbelieved at any speed."""

    def __init__(self) -> None:
        self._spans: dict[int, list[Span]] = {}

    def end(self, thing: int, fault: Fault, from_us: int) -> None:
        """Believe nothing that a fault spoils from an instant on, until it is over."""
        spans = self.spans(thing)
        if not any(span.fault is fault and span.until_us == NEVER for span in spans):
            self._spans[thing] = [*spans[1 - SPANS :], Span(from_us, NEVER, fault)]

    def begin(self, thing: int, fault: Fault, from_us: int) -> None:
        """Believe again what a fault had spoilt, from an instant on."""
        self._spans[thing] = [_closed(span, from_us) if span.fault is fault else span for span in self.spans(thing)]

    def spans(self, thing: int) -> list[Span]:
        """When which fault spoils the readings of a thing, the oldest first."""
        return self._spans.get(thing, [])

    def resume(self, thing: int, spans: Iterable[Sequence[int | str]]) -> None:
        """Go on from what `spans` told."""
        if found := [Span(int(start), int(end), Fault(str(fault))) for start, end, fault in spans]:
            self._spans[thing] = found

    def mark(self, new: Arrivals, values: Float32, things: Sequence[Thing], settings: Settings) -> Float32:
        """Put what is left to see in the place of what nobody should believe, in place.

        `values` (m, width) are fields and words of the batch, by `Arrivals.source`. Returns what is left of these, NaN
        the rest: the same array where all is believed.
        """
        left = _Left(values)
        for kind, rows in _by_kind(np.flatnonzero(new.faulty), new.thing, things):
            left.put(new.source[rows], credible(kind, values[new.source[rows]]))
        for thing, spans in self._spans.items():
            mine = np.flatnonzero(new.thing == thing)
            times = new.time_us[mine]
            during = [(times >= span.from_us) & (times < span.until_us) for span in spans]
            if len(mine) and np.any(during):
                some = np.logical_or.reduce(during)
                faults = [(span.fault, which[some]) for span, which in zip(spans, during, strict=True)]
                rows = mine[some]
                told = _Told(things[thing], settings.whole[thing], values[new.source[rows]])
                left.put(new.source[rows], _see_less(new, rows, told, faults))
        return left.values


def _closed(span: Span, at_us: int) -> Span:
    return span._replace(until_us=min(span.until_us, max(span.from_us, at_us)))


class _Told(NamedTuple):
    """What n readings of one thing said: fields and words (n, width); `whole` as in `observe`."""

    thing: Thing
    whole: np.float32
    values: Float32

    def observed(self, fields: Float32, time_us: Int64) -> Seen:
        """Observe with these fields in the place of its own."""
        kind, count = self.thing.kind, len(fields)
        words = self.values[:, len(kind.fields) : len(kind.fields) + len(kind.choices)]
        quality = np.zeros(count, np.int16)
        readings = Readings(kind.name, [self.thing.id] * count, time_us, quality, fields, words)
        return observe(kind, readings, np.full(count, self.whole, np.float32))


class _Left:
    """What is left of a batch; a copy of it from the first row on that is not believed in all."""

    def __init__(self, values: Float32) -> None:
        self._said = self.values = values

    def put(self, places: Index, some: Float32) -> None:
        """Blank what is NaN in `some`."""
        if self.values is self._said:
            self.values = self._said.copy()
        self.values[places] = np.where(np.isnan(some), some, self.values[places])


def _by_kind(rows: Index, thing: Index, things: Sequence[Thing]) -> list[tuple[Kind, Index]]:
    """Sort rows by the kind of their thing."""
    kinds = [things[place].kind for place in thing[rows].tolist()]
    names = np.array([kind.name for kind in kinds])
    return [(kinds[first], rows[names == names[first]]) for first in np.unique(names, return_index=True)[1].tolist()]


def _see_less(new: Arrivals, rows: Index, told: _Told, faults: Sequence[tuple[Fault, Mask]]) -> Float32:
    """Observe again what faults leave, in place; return what is left of what was said: an estimate is not."""
    kind = told.thing.kind
    fields = told.values[:, : len(kind.fields)]
    left = fields.copy()
    restored = [which for fault, which in faults if restores(kind, fault)]
    seen = np.logical_or.reduce([np.isfinite(new.observed[rows]), ~new.faulty[rows], *restored])
    for fault, which in faults:
        if fault is Fault.LOCKED_ON:
            new.alone[rows[which & (new.alone[rows] > 0)]] = LIES
        rest = remaining(kind, fault, left[which], told.whole)
        seen[which] &= rest is not None
        left[which] = np.nan if rest is None else rest
    found, stock = told.observed(left, new.time_us[rows]), told.thing.rule is Rule.LIMITS
    if stock:
        seen &= np.isfinite(found.value) | ~np.isfinite(fields).any(axis=1)
    new.observed[rows] = np.where(seen, found.value, np.float32(np.nan))
    new.beside[rows] = np.where(seen | stock, found.beside, np.float32(np.nan))
    # Of a stock, what is not believed is taken for a leap; what is left of it is none.
    new.faulty[rows] = new.faulty[rows] | ~seen | (not stock)
    said = told.values.copy()
    said[:, : len(kind.fields)][left != fields] = np.nan
    said[~seen] = np.nan
    return said
