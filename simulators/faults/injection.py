"""What is wrong with which sensor, and when: a fault that is put between the world and the wire.

Injections never reach into the world: its truth is the same with and without them. What each looks like on the wire and
what its size means is in `docs/faults.md`.
"""

from __future__ import annotations

import difflib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sensors.catalogue import Catalogue
from sensors.errors import OperatorError
from sensors.fault import Fault, Scope
from simulators.faults.sense import objection, other_of
from simulators.faults.sizes import SIZES

_READABLE: Final = 40
_NEAREST: Final = 5


class InjectionError(OperatorError):
    """An injection that cannot be; the message says what can."""


@dataclass(frozen=True, slots=True)
class Injection:
    """From `start_s` until before `end_s` (Unix seconds, by the time of sending) `where` has this fault.

    `where` is a sensor or a corridor; a Bluetooth reader stands for all its corridors. For `site_down` it is a site,
    for `network_down` a basin. A `size` of None is the fault's default.
    """

    what: Fault
    where: str
    start_s: float
    end_s: float
    size: float | None = None

    def check(self, catalogue: Catalogue) -> None:
        """Raise `InjectionError` when there is no such place, or the fault makes no sense there."""
        if not self.start_s < self.end_s:
            raise InjectionError(f"{self}: ends at {self.end_s:.0f}, before it starts at {self.start_s:.0f}")
        things = things_of(self, catalogue)
        if not things:
            known = _among(self.where, places(self.what.scope, catalogue))
            raise InjectionError(f"{self}: there is no {self.what.scope} {self.where!r}; there are {known}")
        if self.what.scope is Scope.SENSOR:
            for objected in filter(None, (objection(self.what, thing, catalogue) for thing in things)):
                raise InjectionError(f"{self}: {objected}")
        self._check_size()

    def _check_size(self) -> None:
        size = SIZES.get(self.what)
        if self.size is None:
            return
        if size is None:
            raise InjectionError(f"{self}: has no size; leave {self.size:g} out")
        if not size.fits(self.size):
            raise InjectionError(f"{self}: size {self.size:g} is not {size.expected} ({size.meaning})")

    @property
    def amount(self) -> float:
        """Its size, or the default; 0 for a fault without one."""
        default = SIZES[self.what].default if self.what in SIZES else 0.0
        return default if self.size is None else self.size

    def active(self, at_s: float) -> bool:
        return self.start_s <= at_s < self.end_s

    def __str__(self) -> str:
        return f"{self.what} at {self.where!r}"


def _among(name: str, known: Sequence[str]) -> str:
    """All that there are, or the nearest where they are too many to read."""
    if len(known) <= _READABLE:
        return ", ".join(known)
    return f"{len(known)}, such as {', '.join(difflib.get_close_matches(name, known, _NEAREST, 0.0))}"


def places(scope: Scope, catalogue: Catalogue) -> tuple[str, ...]:
    """Where a fault of this scope can be, in the order of the catalogue."""
    if scope is Scope.SITE:
        return tuple(site.id for site in catalogue.sites)
    if scope is Scope.BASIN:
        return tuple(dict.fromkeys(site.basin for site in catalogue.sites))
    return tuple(sensor.id for sensor in catalogue.sensors) + tuple(corridor.id for corridor in catalogue.corridors)


def things_of(injection: Injection, catalogue: Catalogue) -> tuple[str, ...]:
    """The sensors and corridors whose messages an injection concerns; a reader speaks for its corridors."""
    where, site_of = injection.where, {sensor.id: sensor.site for sensor in catalogue.sensors}
    readers = {corridor.reader for corridor in catalogue.corridors}
    speaking = [(s.id, s.id, s.site) for s in catalogue.sensors if s.id not in readers]
    speaking += [(c.id, c.reader, site_of.get(c.reader, c.to_site)) for c in catalogue.corridors]
    basin = {site.id: site.basin for site in catalogue.sites}
    match injection.what.scope:
        case Scope.SITE:
            return tuple(thing for thing, _, site in speaking if site == where)
        case Scope.BASIN:
            return tuple(thing for thing, _, site in speaking if basin.get(site) == where)
        case Scope.SENSOR:
            return tuple(thing for thing, sensor, _ in speaking if where in (thing, sensor))


def touched(injection: Injection, catalogue: Catalogue) -> tuple[str, ...]:
    """The things whose topics carry something else with an injection: also that on whose topic another publishes."""
    things = things_of(injection, catalogue)
    if injection.what is not Fault.IDENTITY_SWAPPED or injection.size:
        return things
    others = (other_of(injection.what, thing, catalogue) for thing in things)
    return tuple(dict.fromkeys((*things, *filter(None, others))))


def check_all(injections: Iterable[Injection], catalogue: Catalogue) -> None:
    """Raise `InjectionError` for one that cannot be, or for two of one sensor at the same time."""
    spans: dict[str, list[Injection]] = defaultdict(list)
    for injection in injections:
        injection.check(catalogue)
        for thing in touched(injection, catalogue):
            spans[thing].append(injection)
    for thing, befalling in spans.items():
        for one, next_one in itertools.pairwise(sorted(befalling, key=lambda one: one.start_s)):
            if next_one.start_s < one.end_s:
                raise InjectionError(f"{one} and {next_one} overlap at {thing}: a sensor has one fault at a time")
