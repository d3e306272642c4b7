"""The catalogue as the API believes it: read from the database, and again when it may have changed."""

from __future__ import annotations

import time
from collections.abc import Callable

from api.audience import Audience, View
from api.source import Source
from sensors.catalogue import Catalogue

_CATALOGUE_FOR_S = 5.0
"""How long a catalogue is believed: a new sensor shows within that time, an unknown id is looked up at once."""

_WHOLE_PORT = View()


class Installed:
    """The catalogue of the database, read again every few seconds at most."""

    def __init__(self, source: Source, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._monotonic = monotonic
        self._read: tuple[float, Catalogue] | None = None
        self._audiences: dict[str, tuple[Catalogue, Audience]] = {}

    def of(self, terminal: str | None) -> Installed:
        """The same as a terminal's key sees it; None: as the port's."""
        return self if terminal is None else _OfTerminal(self._source, self, terminal)

    async def catalogue(self) -> Catalogue:
        if self._read is None or self._monotonic() - self._read[0] > _CATALOGUE_FOR_S:
            return await self.refresh()
        return self._read[1]

    async def refresh(self) -> Catalogue:
        catalogue = await self._source.catalogue()
        self._read = (self._monotonic(), catalogue)
        return catalogue

    async def view(self) -> View:
        """What is shown to whom it is kept to."""
        return _WHOLE_PORT

    def narrowed(self, catalogue: Catalogue, terminal: str) -> Audience:
        """What a terminal's key sees, made once from each catalogue that is read."""
        whole, audience = self._audiences.get(terminal, (None, None))
        if audience is None or whole is not catalogue:
            audience = Audience(catalogue, terminal)
            self._audiences[terminal] = (catalogue, audience)
        return audience

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

    def of(self, terminal: str | None) -> Installed:
        return self._whole.of(terminal)

    async def view(self) -> Audience:
        return self._whole.narrowed(await self._whole.catalogue(), self._terminal)

    async def catalogue(self) -> Catalogue:
        return (await self.view()).catalogue

    async def refresh(self) -> Catalogue:
        return self._whole.narrowed(await self._whole.refresh(), self._terminal).catalogue
