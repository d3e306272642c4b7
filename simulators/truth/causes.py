"""Which intervention congested a place: by what the same world does without it, and by how far its queue reaches.

Two questions, two tools. *Would it be there anyway* is asked of the ordinary world: the same seed, without what was
injected. Its chances are the same at every step, so where it congests too (within five minutes, because what happens
shifts single lorries) nothing has caused it. It costs another world, half a millisecond a step, and is the only way to
tell a recurrent queue from one that an accident prolongs: reach alone would give every morning's queue near an accident
to the accident. *Which of several* is asked of the road graph: what an intervention congests by itself (the closed gate
and its access), then what a queue grows back into, section after section. What no queue explains, but would not be
there either, goes to the nearest of those that change traffic. Without an ordinary world only the graph speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from simulators.interventions import Intervention
from simulators.truth.reach import ON_TRAFFIC, Reach
from simulators.truth.spells import Mask, Run, runs

LIKE_ORDINARY_S: Final = 300.0
"""By how much a spell may begin earlier or last longer than the ordinary one and still be it: the
tolerance of the score at 30 s. Lower makes events of single lorries that came in another order."""

SHORT_S: Final = 900.0
"""What is congested for another reason must last so long beside the rest of its spell: a recurrent queue differs by
that much from day to day. Lower cuts it into pieces, higher hides what an accident adds to it."""

_LINGERS_S: Final = 7200.0
"""How long after its end an intervention can still begin to congest a place: the platoon of a long queue takes so long.
Lower leaves the last places without a reason, higher gives the evening's peak to the morning's accident."""

_AFTER_S: Final = 60.0
"""A queue is found in a section behind at most so long before the one ahead: both are means of a whole section."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A place, congested from step `first` until before `end`, for one reason."""

    place: str
    first: int
    end: int
    ordinary: bool


def pieces(place: str, spell: Run, ordinary: Mask, step_s: float) -> Iterator[Piece]:
    """Cut a spell where it begins or ends to be there anyway; shorter parts than `SHORT_S` go with their neighbour."""
    inside = ordinary[spell.first : spell.end].copy()
    short = SHORT_S / step_s
    for wanted in (False, True):
        for run in runs(inside == wanted):
            if run.end - run.first < short and run.end - run.first < len(inside):
                inside[run.first : run.end] = not wanted
    for wanted in (False, True):
        for run in runs(inside == wanted):
            yield Piece(place, spell.first + run.first, spell.first + run.end, ordinary=wanted)


class Causes:
    """The intervention behind each piece, None for what would be there anyway. `step_s` is the length of a step."""

    def __init__(
        self, reach: Reach, happened: Sequence[Intervention], first_s: float, step_s: float, *, compared: bool
    ) -> None:
        self._reach, self._first_s, self._step_s, self._compared = reach, first_s, step_s, compared
        self._happened = [one for one in happened if one.what != "demand"]
        self._heads = {one: reach.heads(one) for one in self._happened}

    def of(self, found: Sequence[Piece]) -> Mapping[Piece, Intervention | None]:
        """Queues first, from their heads backwards; then, one by one, what no queue explains."""
        known: dict[Piece, Intervention | None] = {piece: None for piece in found if piece.ordinary}
        waiting = sorted((piece for piece in found if not piece.ordinary), key=lambda piece: (piece.first, piece.place))
        while waiting:
            queues = {piece: self._queue(piece, known) for piece in waiting}
            if any(queues.values()):
                known.update((piece, cause) for piece, cause in queues.items() if cause)
            else:
                known[waiting[0]] = self._nearest(waiting[0]) if self._compared else None
            waiting = [piece for piece in waiting if piece not in known]
        return known

    def _queue(self, piece: Piece, known: Mapping[Piece, Intervention | None]) -> Intervention | None:
        """Whose own place it is, or whose queue had reached the section ahead."""
        own = [one for one in self._began_before(piece) if piece.place in self._heads[one]]
        if own:
            return max(own, key=lambda one: one.start_s)
        early = round(_AFTER_S / self._step_s)
        behind = [
            (ahead.first, cause)
            for ahead, cause in known.items()
            if cause
            and self._reach.follows(piece.place, ahead.place)
            and ahead.first - early <= piece.first <= ahead.end
        ]
        return max(behind, key=lambda pair: pair[0])[1] if behind else None

    def _nearest(self, piece: Piece) -> Intervention | None:
        found = [
            (self._reach.hops(one, piece.place), one) for one in self._began_before(piece) if one.what in ON_TRAFFIC
        ]
        joined = [(hops, -one.start_s, one) for hops, one in found if hops is not None]
        return min(joined, key=lambda one: one[:2])[2] if joined else None

    def _began_before(self, piece: Piece) -> list[Intervention]:
        at_s = self._first_s + piece.first * self._step_s
        return [one for one in self._happened if one.start_s <= at_s <= one.end_s + _LINGERS_S]
