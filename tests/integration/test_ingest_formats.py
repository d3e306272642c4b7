"""A message of several readings, delivered twice: what is stored and what is quarantined stays the same."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

from ingest.columns import Batch
from ingest.decode import BatchBuilder
from ingest.directory import CatalogueDirectory
from ingest.routing import Router
from ingest.transport import Frame
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import Kinds
from store.database import connected
from store.writer import SlotSink

CATALOGUE = Catalogue(
    sites=(Site(id="W01", name="Road", basin="west"),), sensors=(Sensor(id="W01-F1", site="W01", kind="traffic"),)
)
TOPIC = "vigie/1/readings/W01/W01-F1/traffic"
NOW_US = int(datetime(2026, 3, 2, 8, tzinfo=UTC).timestamp()) * 1_000_000
LIST = b"""[{"time":"2026-03-02T08:00:00Z","count":1},{"time":"2026-03-02T08:00:01Z","colour":"red"},
{"time":"2026-03-02T08:00:02Z","count":3}]"""
SENML = b"""[{"bn":"W01-F1/","bt":1772438400,"n":"count","v":1},{"n":"count","t":1,"u":"km","v":2},
{"n":"count","t":2,"v":3}]"""


async def decoded(kinds: Kinds, frame: Frame) -> Batch:
    async def load() -> Catalogue:
        return CATALOGUE

    router = Router(kinds, CatalogueDirectory(kinds, CATALOGUE, load), lambda: 0.0)
    await router.prepare([frame.topic])
    builder = BatchBuilder(0, kinds, router)
    builder.add([frame])
    return builder.finish()


async def test_a_redelivered_list_is_counted_as_duplicates_and_one_entry_of_the_quarantine(
    migrated_url: str, kinds: Kinds
) -> None:
    packed = gzip.compress(LIST)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        outcomes = []
        for seconds in range(2):
            frame = Frame(TOPIC, packed, NOW_US + seconds * 1_000_000, 1, 1, content_type="application/json+gzip")
            outcomes.append(await sink.write(await decoded(kinds, frame)))
    assert [(o.committed, o.duplicates, o.conflicts, o.quarantined) for o in outcomes] == [(2, 0, 0, 1), (0, 2, 0, 1)]
    async with connected(migrated_url, name="test") as conn:
        rows = await (await conn.execute("select times, detail from quarantine")).fetchall()
    assert [times for times, _ in rows] == [2]
    assert rows[0][1].startswith("reading 2 of 3")


async def test_a_senml_pack_is_the_same_readings_as_a_list(migrated_url: str, kinds: Kinds) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        first = await sink.write(await decoded(kinds, Frame(TOPIC, LIST, NOW_US, 1, 1)))
        second = await sink.write(await decoded(kinds, Frame(TOPIC, SENML, NOW_US, 2, 1)))
    assert (first.committed, first.quarantined) == (2, 1)
    assert (second.committed, second.duplicates, second.conflicts, second.quarantined) == (0, 2, 0, 1)
