"""Wiring of ingest: one part a slot, each with its session at the broker, its sink and its view of the catalogue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import SystemRandom

import structlog

from ingest.columns import SinkUnavailable
from ingest.counters import Observer
from ingest.directory import CatalogueDirectory
from ingest.mqtt5_transport import Mqtt5Transport
from ingest.paho_transport import PahoTransport, Version
from ingest.raw import RawRings
from ingest.receipts import ReceiptSettings
from ingest.slot import Clocks, IngestSlot, client_id
from ingest.transport import Subscription, Transport
from ingest.trouble import Trouble
from sensors.broker_url import parse_broker_url
from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from sensors.topics import site_filter
from service.clocks import wall_us
from service.endpoints import Endpoints
from service.parts import Part
from service.raw_rings import flush_rings
from service.settings import Settings
from store.catalogue import load_catalogue
from store.database import DatabaseUnavailable, patient
from store.raw_payloads import RawPayloads
from store.writer import SlotSink

_TRANSPORTS: Mapping[str, Callable[..., Transport]] = {
    "mqtt5": Mqtt5Transport,
    "paho": PahoTransport,
    "paho-3.1.1": partial(PahoTransport, version=Version.V311),
}


@dataclass(frozen=True, slots=True)
class Ingest:
    """What all slots share. `new_session` is called when the broker had no session for a slot: it should save it."""

    settings: Settings
    endpoints: Endpoints
    kinds: Kinds
    observer: Observer | None = None
    new_session: Callable[[], None] | None = None
    raw: RawRings = field(default_factory=RawRings)

    def parts(self) -> list[Part]:
        """One part a slot, so that one in trouble leaves the others alone."""
        slots = enumerate(self.settings.ingest_slots)
        parts = [Part(f"ingest {number}", partial(self._run, number, sites)) for number, sites in slots]
        return [*parts, Part("raw payloads", self._keep_raw)]

    async def _keep_raw(self) -> None:
        store = RawPayloads(self.endpoints.database_url)
        try:
            await flush_rings(self.raw, store)
        finally:
            await store.close()

    async def _run(self, number: int, sites: tuple[str, ...]) -> None:
        """Wait until there is a database and the slot is free, then ingest until cancelled or taken over."""
        trouble = Trouble("database", structlog.get_logger("ingest").bind(slot=number), SystemRandom())
        while True:
            try:
                await self._hold(number, sites, trouble)
            except (DatabaseUnavailable, SinkUnavailable) as exc:
                await asyncio.sleep(trouble.happened(str(exc)))

    async def _hold(self, number: int, sites: tuple[str, ...], trouble: Trouble) -> None:
        async with SlotSink.open(self.endpoints.database_url, number, self.kinds) as sink:
            catalogue = await self._catalogue()
            slot = IngestSlot(
                number,
                self._transport(number, sites, catalogue),
                sink,
                kinds=self.kinds,
                directory=CatalogueDirectory(self.kinds, catalogue, self._catalogue),
                clocks=Clocks(wall_us, time.monotonic),
                rng=SystemRandom(),
                observer=self.observer,
                receipts=ReceiptSettings(every_s=self.settings.ingest_receipt_s),
                raw=self.raw,
            )
            trouble.over()
            await slot.run()

    def _transport(self, number: int, sites: tuple[str, ...], catalogue: Catalogue) -> Transport:
        others = ({site.id for site in catalogue.sites} | {"#"}).difference(sites)
        subscription = Subscription(
            client_id=client_id(number),
            filters=tuple(map(site_filter, sites)),
            dropped=tuple(map(site_filter, sorted(others))),
            window=self.settings.ingest_window,
            session_expiry_s=self.settings.ingest_session_expiry_s,
        )
        address = parse_broker_url(self.endpoints.broker_url)
        make = _TRANSPORTS[self.settings.ingest_transport]
        return make(address, subscription, clock_us=wall_us, rng=SystemRandom(), subscribed=self._on_subscribed)

    def _on_subscribed(self, session_present: bool) -> None:  # noqa: FBT001  as the broker says it
        if not session_present and self.new_session is not None:
            self.new_session()

    async def _catalogue(self) -> Catalogue:
        try:
            async with patient(self.endpoints.database_url, name="directory") as conn:
                return await load_catalogue(conn)
        except DatabaseUnavailable as exc:
            raise SinkUnavailable(str(exc)) from exc
