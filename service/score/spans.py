"""Closed spans of time in Unix seconds, and what the score asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """From `start_s` to `end_s`, both included."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s

    def touches(self, other: Span) -> bool:
        return self.start_s <= other.end_s and other.start_s <= self.end_s

    def widened(self, by_s: float) -> Span:
        return Span(self.start_s - by_s, self.end_s + by_s)

    def common(self, other: Span) -> Span | None:
        """What lies in both; None where they do not touch."""
        both = Span(max(self.start_s, other.start_s), min(self.end_s, other.end_s))
        return both if both.length_s >= 0 else None


def gaps(whole: Span, parts: Iterable[Span]) -> Iterator[Span]:
    """What of `whole` none of the parts covers, in order of time; nothing of no length."""
    reached_s = whole.start_s
    for part in sorted(parts):
        if part.start_s > reached_s:
            yield Span(reached_s, min(part.start_s, whole.end_s))
        reached_s = max(reached_s, part.end_s)
        if reached_s >= whole.end_s:
            return
    if whole.end_s > reached_s:
        yield Span(reached_s, whole.end_s)
