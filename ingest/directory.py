"""Who is known: which site, thing and kind a topic may name, and whose clock counts there.

The database is the truth; a `Directory` is ingest's copy of it. `loader` is handed in by the wiring.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from sensors.catalogue import Catalogue
from sensors.kind import Kind, Kinds
from sensors.payload import Reason, Rejected

Loader = Callable[[], Awaitable[Catalogue]]
"""Reads the catalogue; raises `SinkUnavailable` when it cannot be read now."""


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that may publish one kind. `wall` is false at a site whose clock is that of a recording."""

    site: str
    thing: str
    kind: Kind
    wall: bool


class Directory(Protocol):
    """What ingest asks about the sender of a message."""

    @property
    def version(self) -> int:
        """Changes whenever an answer of `lookup` may have changed."""
        ...

    def lookup(self, site: str, thing: str, kind: str) -> Known | Rejected: ...

    async def refresh(self) -> None:
        """Read the truth again; raises `SinkUnavailable` when it cannot be read now."""
        ...


class CatalogueDirectory:
    """A directory over one catalogue value, replaced as a whole by `refresh` or `replace`."""

    def __init__(self, kinds: Kinds, catalogue: Catalogue, loader: Loader) -> None:
        self._kinds = kinds
        self._loader = loader
        self._version = 0
        self._catalogue = catalogue
        self._known = _index(kinds, catalogue)

    @property
    def version(self) -> int:
        return self._version

    def lookup(self, site: str, thing: str, kind: str) -> Known | Rejected:
        known = self._known.get((thing, kind))
        if known is not None and known.site == site:
            return known
        if kind not in self._kinds:
            return Rejected(Reason.TOPIC, f"there is no kind {kind!r}; known: {', '.join(self._kinds)}")
        if known is not None:
            return Rejected(Reason.IDENTITY, f"{thing} belongs to site {known.site}, the topic says {site}")
        if thing in self._catalogue.sensor_by_id or thing in self._catalogue.corridor_by_id:
            return Rejected(Reason.IDENTITY, f"{thing} does not publish {kind}")
        return Rejected(Reason.UNKNOWN_SENSOR, f"no sensor or corridor {thing!r} is registered")

    async def refresh(self) -> None:
        self.replace(await self._loader())

    def replace(self, catalogue: Catalogue) -> None:
        """Take over a catalogue that was read elsewhere; the version moves only when something differs."""
        if catalogue != self._catalogue:
            self._catalogue = catalogue
            self._known = _index(self._kinds, catalogue)
            self._version += 1


def _index(kinds: Kinds, catalogue: Catalogue) -> dict[tuple[str, str], Known]:
    return {(known.thing, known.kind.name): known for known in _all_known(kinds, catalogue)}


def _all_known(kinds: Kinds, catalogue: Catalogue) -> Iterator[Known]:
    sites = catalogue.site_by_id
    corridor_kinds = [kind for kind in kinds.values() if kind.subject == "corridor"]
    for sensor in catalogue.sensors:
        for name in kinds.published_by(sensor.kind):
            yield Known(sensor.site, sensor.id, kinds[name], sites[sensor.site].clock == "wall")
    for corridor in catalogue.corridors:
        # The reader at the downstream end publishes, under its own site.
        for kind in corridor_kinds:
            yield Known(corridor.to_site, corridor.id, kind, sites[corridor.to_site].clock == "wall")
