"""Pieces of congestion put together: neighbouring sections, at the same time, for one reason, are one event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from simulators.interventions import Intervention
from simulators.truth.causes import Piece
from simulators.truth.lines import Cause, EventTruth, Extent
from simulators.truth.places import Places
from simulators.truth.reach import Reach


def at(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


class Events:
    """The events of one run; `times_s` are the ends of its steps."""

    def __init__(
        self, places: Places, reach: Reach, times_s: Sequence[float], causes: Mapping[Piece, Intervention | None]
    ) -> None:
        self._places, self._reach, self._times_s, self._causes = places, reach, times_s, causes

    def all(self) -> list[EventTruth]:
        """In order of onset."""
        events = [self._event(group) for group in self._groups()]
        return sorted(events, key=lambda event: (event.onset, event.id))

    def _groups(self) -> list[list[Piece]]:
        groups: list[list[Piece]] = []
        for piece in self._causes:
            joined = [group for group in groups if any(self._one(piece, other) for other in group)]
            groups = [group for group in groups if group not in joined]
            groups.append([piece, *(other for group in joined for other in group)])
        return groups

    def _one(self, piece: Piece, other: Piece) -> bool:
        """Whether two pieces are of one event."""
        same = self._causes[piece] == self._causes[other]
        together = piece.first < other.end and other.first < piece.end
        follows = self._reach.follows(piece.place, other.place) or self._reach.follows(other.place, piece.place)
        return same and together and follows

    def _event(self, group: Sequence[Piece]) -> EventTruth:
        cause = self._causes[group[0]]
        heads = self._reach.heads(cause) if cause else frozenset()
        head = min(group, key=lambda piece: (piece.first, piece.place not in heads, piece.place))
        end = max(piece.end for piece in group)
        onset = at(self._times_s[head.first])
        return EventTruth(
            id=f"{head.place}@{onset:%Y-%m-%dT%H:%M:%SZ}",
            place=head.place,
            kind=self._places.kind[head.place],
            onset=onset,
            end=at(self._times_s[end]) if end < len(self._times_s) else None,
            cause=Cause(cause.what, cause.where) if cause else None,
            sensors=tuple(sorted({sensor for piece in group for sensor in self._places.sensors(piece.place)})),
            extent=self._extent(group),
        )

    def _extent(self, group: Sequence[Piece]) -> tuple[Extent, ...]:
        """The places at each step at which they change."""
        found: list[Extent] = []
        for step in sorted({step for piece in group for step in (piece.first, piece.end)}):
            places = tuple(sorted(piece.place for piece in group if piece.first <= step < piece.end))
            if places and (not found or found[-1].places != places):
                found.append(Extent(at(self._times_s[step]), places))
        return tuple(found)
