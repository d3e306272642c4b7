"""What happens to the world that is not an ordinary day: a short list of typed interventions, each with its span."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sensors.catalogue import Catalogue
from sensors.errors import OperatorError

What = Literal[
    "incident",
    "lane_closure",
    "demand",
    "gate_outage",
    "surge",
    "ship_late",
    "wind",
    "reefer_trip",
    "ban_ignored",
    "standing_lorries",
]


class InterventionError(OperatorError):
    """An intervention that cannot be; the message says what can."""


def _sections(catalogue: Catalogue) -> set[str]:
    return {section.id for section in catalogue.sections}


def _of_kind(catalogue: Catalogue, kind: str) -> set[str]:
    return {name for sensor in catalogue.sensors if sensor.kind == kind for name in (sensor.id, sensor.site)}


_PLACES: Mapping[What, Callable[[Catalogue], set[str]]] = {
    "incident": _sections,
    "lane_closure": _sections,
    "demand": lambda catalogue: {section.from_site for section in catalogue.sections} | {""},
    "gate_outage": lambda catalogue: _of_kind(catalogue, "gate"),
    "surge": lambda catalogue: {sensor.site for sensor in catalogue.sensors if sensor.kind == "gate"},
    "ship_late": lambda catalogue: {sensor.site for sensor in catalogue.sensors if sensor.kind == "yard"},
    "wind": lambda catalogue: {""} | {sensor.id for sensor in catalogue.sensors if sensor.kind == "wind"},
    "reefer_trip": lambda catalogue: _of_kind(catalogue, "reefer"),
    "ban_ignored": lambda catalogue: _sections(catalogue) | {""},
    "standing_lorries": _sections,
}

_SHARES: Final = frozenset({"incident", "gate_outage", "reefer_trip", "ban_ignored", "standing_lorries"})
"""Of these the size is a share."""


@dataclass(frozen=True, slots=True)
class Intervention:
    """From `start_s` until `end_s` (Unix seconds) something is not as usual.

    | what | where | size |
    |---|---|---|
    | incident | section | share of its capacity that is lost, at `position` of its length |
    | lane_closure | section | lanes that are closed, at `position` |
    | demand | site that sends vehicles, or empty for all | their number, as a multiple of the ordinary one |
    | gate_outage | gate, or all of a site | share of the lanes that do not serve |
    | surge | site of gates | appointments, as a multiple of the ordinary ones |
    | ship_late | site of a yard | cranes only unload, at so many times their pace, and lorries mostly bring |
    | wind | sensor, or empty for the region | mean wind in m/s that blows at least |
    | reefer_trip | rack | share of the plugs without power |
    | ban_ignored | section under a ban, or empty for all | share of the diverted lorries that stay on it |
    | standing_lorries | section | 1: lorries stand on its last stretch and nothing passes |
    """

    what: What
    where: str
    start_s: float
    end_s: float
    size: float = 1.0
    position: float = 0.5

    def check(self, catalogue: Catalogue) -> None:
        """Raise `InterventionError` when the catalogue has no such place, or a number cannot be."""
        if self.what not in _PLACES:
            raise InterventionError(f"there is no intervention {self.what!r}; there are {', '.join(_PLACES)}")
        known = _PLACES[self.what](catalogue)
        if self.where not in known:
            raise InterventionError(
                f"{self.what}: where = {self.where!r} is no place for it; there are {', '.join(sorted(known))}"
            )
        for problem in self._problems():
            raise InterventionError(f"{self.what} at {self.where!r}: {problem}")

    def _problems(self) -> Iterator[str]:
        most = 1.0 if self.what in _SHARES else math.inf
        if not self.start_s < self.end_s:
            yield f"it ends at {self.end_s:.0f}; expected start_s < end_s, and it starts at {self.start_s:.0f}"
        if not 0 <= self.size <= most:
            yield f"size = {self.size:g}; expected {'a share from 0 to 1' if most == 1 else '0 or more'}"
        if not 0 <= self.position <= 1:
            yield f"position = {self.position:g}; expected a share of the section's length, 0 to 1"

    def active(self, at_s: float) -> bool:
        return self.start_s < at_s <= self.end_s


class Interventions:
    """Those of one world, asked by what they do."""

    def __init__(self, all_of_them: Iterable[Intervention] = ()) -> None:
        self.all = tuple(all_of_them)
        self._at_s = float("nan")
        self._now: tuple[Intervention, ...] = ()

    def at(self, at_s: float) -> tuple[Intervention, ...]:
        """Those that are active at this instant."""
        if not self.all:
            return ()
        if at_s != self._at_s:
            self._at_s, self._now = at_s, tuple(one for one in self.all if one.active(at_s))
        return self._now

    def of(self, at_s: float, *what: What) -> Iterator[Intervention]:
        return (one for one in self.at(at_s) if one.what in what)

    def largest(self, at_s: float, what: What, *where: str) -> float:
        """The size of the largest active one at one of these places; 0 without any."""
        return max((one.size for one in self.of(at_s, what) if one.where in where), default=0.0)
