"""The catalogue as the API believes it: read from the database, and again when it may have changed."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from api.source import Source
from sensors.catalogue import Catalogue

_CATALOGUE_FOR_S = 5.0
"""How long a catalogue is believed: a new sensor shows within that time, an unknown id is looked up at once."""


class Installed:
    """The catalogue of the database, read again every few seconds at most."""

    def __init__(self, source: Source, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._monotonic = monotonic
        self._read: tuple[float, Catalogue] | None = None
        self._narrowed: dict[str, tuple[Catalogue, Catalogue]] = {}

    def of(self, terminal: str) -> Installed:
        """The same as a terminal's key sees it."""
        return _OfTerminal(self._source, self, terminal)

    async def catalogue(self) -> Catalogue:
        if self._read is None or self._monotonic() - self._read[0] > _CATALOGUE_FOR_S:
            return await self.refresh()
        return self._read[1]

    async def refresh(self) -> Catalogue:
        catalogue = await self._source.catalogue()
        self._read = (self._monotonic(), catalogue)
        return catalogue

    def narrowed(self, catalogue: Catalogue, terminal: str) -> Catalogue:
        """What belongs to one terminal, made once from each catalogue that is read."""
        whole, narrow = self._narrowed.get(terminal, (None, None))
        if narrow is None or whole is not catalogue:
            narrow = _kept_to(catalogue, terminal)
            self._narrowed[terminal] = (catalogue, narrow)
        return narrow

    async def with_thing(self, thing: str) -> Catalogue:
        """The catalogue, read afresh when it does not know `thing` yet."""
        catalogue = await self.catalogue()
        known = thing in catalogue.sensor_by_id or thing in catalogue.corridor_by_id
        return catalogue if known else await self.refresh()


class _OfTerminal(Installed):
    """What belongs to one terminal: the rest is as unknown as what is not installed."""

    def __init__(self, source: Source, whole: Installed, terminal: str) -> None:
        super().__init__(source)
        self._whole = whole
        self._terminal = terminal

    async def catalogue(self) -> Catalogue:
        return self._whole.narrowed(await self._whole.catalogue(), self._terminal)

    async def refresh(self) -> Catalogue:
        return self._whole.narrowed(await self._whole.refresh(), self._terminal)


def _kept_to(catalogue: Catalogue, terminal: str) -> Catalogue:
    sites = {site.id for site in catalogue.sites if site.terminal == terminal}
    return msgspec.structs.replace(
        catalogue,
        sites=tuple(site for site in catalogue.sites if site.id in sites),
        sensors=tuple(sensor for sensor in catalogue.sensors if sensor.site in sites),
        corridors=(),
        sections=tuple(one for one in catalogue.sections if {one.from_site, one.to_site} <= sites),
        ways=(),
        bans=(),
        terminals=tuple(one for one in catalogue.terminals if one.code == terminal),
    )
