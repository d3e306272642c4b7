"""Which fault makes sense where: not every kind of sensor can have every fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sensors.catalogue import Catalogue
from sensors.fault import Fault
from simulators.faults.partners import next_of_kind, other_direction, other_lane
from simulators.faults.profiles import PROFILES

_LOOPS: Final = ("traffic",)

_TURNED: Final = ("gate", "parking", "wind")
"""Mounted the wrong way, these contradict themselves; a loop or a corridor gives the readings of the opposite one."""

_OTHERS: Final[Mapping[Fault, tuple[Callable[[Catalogue, str], str | None], str]]] = {
    Fault.LANE_SWAPPED: (other_lane, "sensor of another lane"),
    Fault.DIRECTION_SWAPPED: (other_direction, "sensor of the opposite direction"),
    Fault.IDENTITY_SWAPPED: (next_of_kind, "other sensor of its kind"),
}
"""How to find whose readings are published, or as whom; and what that one is called."""

KINDS: Final[Mapping[Fault, tuple[str, ...]]] = {
    Fault.LOCKED_ON: _LOOPS,
    Fault.CARD_OFF: _LOOPS,
    Fault.CHATTER: tuple(kind for kind, profile in PROFILES.items() if profile.counts),
    Fault.MISMATCH: ("traffic", "travel_time", "parking", "wind"),
    Fault.UNIT_SWAPPED: tuple(kind for kind, profile in PROFILES.items() if profile.units),
    Fault.LANE_SWAPPED: _LOOPS,
    Fault.DIRECTION_SWAPPED: ("traffic", "travel_time", "gate", "parking", "wind"),
}
"""Kinds of sensor for a fault; those that are not here can befall every kind that the world simulates."""


def kind_of(catalogue: Catalogue, thing: str) -> str:
    """The kind whose readings a sensor or a corridor publishes."""
    return "travel_time" if thing in catalogue.corridor_by_id else catalogue.sensor_by_id[thing].kind


def other_of(what: Fault, thing: str, catalogue: Catalogue) -> str | None:
    """Whose readings a thing with this fault publishes, or as whom; None where the fault needs nobody."""
    if what not in _OTHERS or _turned(what, kind_of(catalogue, thing)):
        return None
    return _OTHERS[what][0](catalogue, thing)


def objection(what: Fault, thing: str, catalogue: Catalogue) -> str | None:
    """Why a thing cannot have this fault, None where it can."""
    kind, kinds = kind_of(catalogue, thing), KINDS.get(what, tuple(PROFILES))
    if kind not in kinds:
        return f"{thing!r} is of the kind {kind}; this fault can befall {', '.join(kinds)}"
    if what in _OTHERS and not _turned(what, kind) and other_of(what, thing, catalogue) is None:
        return f"{thing!r} has no {_OTHERS[what][1]} that it could be mistaken for"
    return None


def _turned(what: Fault, kind: str) -> bool:
    return what is Fault.DIRECTION_SWAPPED and kind in _TURNED
