"""The catalogue as the API believes it: read from the database, and again when it may have changed."""

from __future__ import annotations

import time
from collections.abc import Callable

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

    async def catalogue(self) -> Catalogue:
        if self._read is None or self._monotonic() - self._read[0] > _CATALOGUE_FOR_S:
            return await self.refresh()
        return self._read[1]

    async def refresh(self) -> Catalogue:
        catalogue = await self._source.catalogue()
        self._read = (self._monotonic(), catalogue)
        return catalogue

    async def with_thing(self, thing: str) -> Catalogue:
        """The catalogue, read afresh when it does not know `thing` yet."""
        catalogue = await self.catalogue()
        known = thing in catalogue.sensor_by_id or thing in catalogue.corridor_by_id
        return catalogue if known else await self.refresh()
