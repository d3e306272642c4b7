"""Lists, SenML packs and gzip: each reading is stored or quarantined by itself, whatever the message around it is."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest

from ingest.columns import Batch
from ingest.decode import BatchBuilder
from ingest.directory import CatalogueDirectory
from ingest.redact import redact
from ingest.routing import Router
from ingest.transport import Frame
from ingest.unpack import MAX_READINGS, MAX_UNPACKED_BYTES
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.payload import Reason

KINDS = load_kinds()
CATALOGUE = Catalogue(
    sites=(Site(id="W15", name="Road", basin="west"), Site(id="W07", name="Gate", basin="west")),
    sensors=(Sensor(id="W15-F1", site="W15", kind="traffic"), Sensor(id="W07-G1", site="W07", kind="gate")),
)
NOW_US = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
NOW_S = NOW_US // 1_000_000
ROAD = "vigie/1/readings/W15/W15-F1/traffic"
PASSAGE = "vigie/1/readings/W07/W07-G1/passage"
SENML = "application/senml+json"
GOOD = b'{"time":"2026-03-01T12:00:00Z","count":1}'
LATER = b'{"time":"2026-03-01T12:00:01Z","count":2}'
PLATE = b'{"time":"2026-03-01T12:00:02Z", "plate":"AB-123-CD"}'
FUTURE = b'{"time":"2026-03-01T13:00:00Z","count":4}'


async def no_loader() -> Catalogue:
    return CATALOGUE


async def builder_for(topic: str) -> BatchBuilder:
    router = Router(KINDS, CatalogueDirectory(KINDS, CATALOGUE, no_loader), lambda: 0.0)
    await router.prepare([topic])
    return BatchBuilder(0, KINDS, router)


async def batch_of(payload: bytes, content_type: str | None = None, topic: str = ROAD) -> Batch:
    builder = await builder_for(topic)
    builder.add([Frame(topic, payload, NOW_US, 1, 1, content_type=content_type)])
    return builder.finish()


def field_of(batch: Batch, name: str) -> dict[float, float]:
    """Values of a field by seconds since NOW; those that are missing are left out."""
    (columns,) = batch.columns
    values = columns.values[:, columns.kind.field_names.index(name)].tolist()
    seconds = ((columns.time_us - NOW_US) / 1e6).tolist()
    return {second: value for second, value in zip(seconds, values, strict=True) if not np.isnan(value)}


def listed(*elements: bytes) -> bytes:
    return b"[" + b", ".join(elements) + b"]"


async def test_a_list_is_stored_reading_by_reading() -> None:
    batch = await batch_of(b" \n" + listed(GOOD, LATER))
    assert field_of(batch, "count") == {0: 1, 1: 2}
    assert batch.quarantined == ()


async def test_a_bad_reading_of_a_list_is_quarantined_alone_with_its_place() -> None:
    batch = await batch_of(listed(GOOD, PLATE, b"3", LATER, FUTURE))
    assert field_of(batch, "count") == {0: 1, 1: 2}
    found = [(entry.payload, entry.reason, entry.detail.partition(":")[0]) for entry in batch.quarantined]
    assert found == [
        (redact(PLATE).payload, Reason.NOT_IN_SCHEMA, "reading 2 of 5"),
        (b"3", Reason.WRONG_TYPE, "reading 3 of 5"),
        (FUTURE, Reason.FUTURE, "reading 5 of 5"),
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", Reason.EMPTY),
        (b"[" + GOOD, Reason.TRUNCATED),
        (b"[" * 50_000 + b"]" * 50_000, Reason.MALFORMED),
        (listed(*[GOOD] * (MAX_READINGS + 1)), Reason.OVERSIZED),
    ],
)
async def test_a_list_that_cannot_be_read_is_one_entry(payload: bytes, reason: Reason) -> None:
    batch = await batch_of(payload)
    found = [(entry.payload, entry.length, entry.reason) for entry in batch.quarantined]
    assert found == [(redact(payload).payload, len(payload), reason)]
    assert batch.columns == ()


async def test_the_longest_list_is_taken() -> None:
    (columns,) = (await batch_of(listed(*[GOOD] * MAX_READINGS))).columns
    assert len(columns.time_us) == MAX_READINGS


@pytest.mark.parametrize(
    "content_type", ["application/json+gzip", "application/gzip", "Application/JSON+GZIP; charset=utf-8"]
)
async def test_gzip_is_unpacked_where_the_content_type_says_so(content_type: str) -> None:
    assert field_of(await batch_of(gzip.compress(GOOD, mtime=0), content_type), "count") == {0: 1}
    assert field_of(await batch_of(gzip.compress(listed(GOOD, LATER)), content_type), "count") == {0: 1, 1: 2}


@pytest.mark.parametrize(
    ("payload", "content_type", "detail"),
    [
        (gzip.compress(GOOD, mtime=0), None, "malformed"),
        (GOOD, "application/gzip", "not gzip"),
        (gzip.compress(GOOD, mtime=0)[:-4], "application/gzip", "too early"),
        (gzip.compress(GOOD, mtime=0) + b"x", "application/gzip", "follows"),
        (gzip.compress(b" " * MAX_UNPACKED_BYTES + GOOD, mtime=0), "application/gzip", "unpacks to more"),
    ],
)
async def test_gzip_that_cannot_be_unpacked_is_one_entry(payload: bytes, content_type: str | None, detail: str) -> None:
    (entry,) = (await batch_of(payload, content_type)).quarantined
    expected = Reason.OVERSIZED if detail == "unpacks to more" else Reason.MALFORMED
    assert (entry.payload, entry.reason) == (redact(payload).payload, expected)
    assert entry.length == len(payload)
    assert detail in entry.detail


async def test_gzip_in_gzip_is_not_unpacked_further() -> None:
    (entry,) = (await batch_of(gzip.compress(gzip.compress(GOOD, mtime=0)), "application/gzip")).quarantined
    assert (entry.payload[:2], entry.reason) == (b"\x1f\x8b", Reason.MALFORMED)


async def test_what_was_unpacked_is_quarantined_so_that_it_can_be_read() -> None:
    (entry,) = (await batch_of(gzip.compress(PLATE, mtime=0), "application/gzip")).quarantined
    assert entry.payload == redact(PLATE).payload


@pytest.mark.parametrize("content_type", [SENML, None])
async def test_senml_records_of_one_time_are_one_reading(content_type: str | None) -> None:
    pack = [
        {"bn": "W15-F1/", "bt": NOW_S, "bu": "km/h", "bver": 10, "n": "speed_kmh", "v": 80.5},
        {"n": "count", "u": "1", "v": 3},
        {"n": "seq", "u": "1", "v": 7},
        {"n": "speed_kmh", "t": 1.25, "v": 81},
    ]
    batch = await batch_of(msgspec.json.encode(pack), content_type)
    assert field_of(batch, "speed_kmh") == {0: 80.5, 1.25: 81}
    assert field_of(batch, "count") == {0: 3}
    assert batch.columns[0].seq.tolist() == [7, -1]
    assert batch.quarantined == ()


async def test_senml_texts_are_taken() -> None:
    pack = [{"bt": NOW_S, "n": "lane", "v": 2}, {"n": "direction", "vs": "in"}]
    (columns,) = (await batch_of(msgspec.json.encode(pack), SENML, PASSAGE)).columns
    assert columns.texts[columns.kind.text_names.index("direction")] == ["in"]


async def test_senml_times_below_2_to_28_are_relative_to_the_arrival() -> None:
    pack = [{"n": "count", "v": 1, "t": -5}, {"n": "count", "v": 2}]
    assert field_of(await batch_of(msgspec.json.encode(pack), SENML), "count") == {-5: 1, 0: 2}


async def test_senml_base_values_are_added() -> None:
    pack = [{"bt": NOW_S, "bv": 100, "n": "count", "v": 1}, {"n": "count", "t": 1}]
    assert field_of(await batch_of(msgspec.json.encode(pack), SENML), "count") == {0: 101, 1: 100}


@pytest.mark.parametrize(
    "name", ["count", "W15-F1/count", "W15-F1:count", "W15/W15-F1/count", "urn:dev:os:1:W15-F1:count"]
)
async def test_senml_names_may_repeat_the_identity_of_the_topic(name: str) -> None:
    assert field_of(await batch_of(msgspec.json.encode([{"n": name, "v": 1}]), SENML), "count") == {0: 1}


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        ({"n": "speed_kmh", "u": "m/s", "v": 22}, Reason.UNIT, "speed_kmh is in 'm/s'; expected 'km/h'"),
        ({"n": "W15-F2/count", "v": 1}, Reason.IDENTITY, "W15-F2"),
        ({"n": "plate", "vs": "AB-123-CD"}, Reason.NOT_IN_SCHEMA, "no field 'plate'"),
        ({"n": "count", "vb": True}, Reason.NOT_IN_SCHEMA, "'vb'"),
        ({"n": "count", "v": 1, "s": 3}, Reason.NOT_IN_SCHEMA, "'s'"),
        ({"n": "count", "v": 1, "new_": 3}, Reason.NOT_IN_SCHEMA, "must be understood"),
        ({"n": "count", "v": "1"}, Reason.NOT_IN_SCHEMA, "Expected `float"),
        ({"n": "count", "v": 1e300}, Reason.NOT_IN_SCHEMA, "count"),
        ({"n": "count", "v": 1, "t": 1e11}, Reason.FUTURE, "ahead"),
        ({"n": "count", "v": 1, "t": 1e12 - 1}, Reason.TIME, "no date"),
        ({"n": "count", "v": 1, "t": -1e9}, Reason.TIME, "before 2000"),
        ({"n": "seq", "v": 0.5}, Reason.NOT_IN_SCHEMA, "whole number"),
        ({"n": "", "v": 1}, Reason.NOT_IN_SCHEMA, "names no field"),
    ],
)
async def test_a_bad_senml_record_takes_only_its_own_reading(
    record: dict[str, object], reason: Reason, detail: str
) -> None:
    pack = [{"n": "count", "t": 3, "v": 1}, {"t": 1, **record}]
    batch = await batch_of(msgspec.json.encode(pack), SENML)
    assert field_of(batch, "count") == {3: 1}
    (entry,) = batch.quarantined
    assert entry.reason == reason
    assert detail in entry.detail
    assert entry.detail.startswith("reading 2 of 2: ")
    assert len(msgspec.json.decode(entry.payload)) == 1


async def test_a_field_given_twice_for_one_time_is_no_reading() -> None:
    (entry,) = (await batch_of(b'[{"n":"count","v":1},{"n":"count","v":2}]')).quarantined
    assert "count is given twice" in entry.detail


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"n":"count","v":1}', Reason.NOT_IN_SCHEMA),
        (b'[{"bver":11,"n":"count","v":1}]', Reason.NOT_IN_SCHEMA),
        (b'[{"bt":"yesterday","n":"count","v":1}]', Reason.NOT_IN_SCHEMA),
        (b'[{"bn":"W15-F1/"}]', Reason.EMPTY),
        (b'[{"n":"count","v":1},', Reason.TRUNCATED),
        (b'[{"n":"count","v":NaN}]', Reason.MALFORMED),
        (b"[" + b'{"n":"count","v":1},' * 20_000 + b'{"n":"count","v":1}]', Reason.OVERSIZED),
    ],
)
async def test_a_senml_pack_that_cannot_be_read_is_one_entry(payload: bytes, reason: Reason) -> None:
    (entry,) = (await batch_of(payload, SENML)).quarantined
    assert (entry.payload, entry.reason) == (redact(payload).payload, reason)


async def test_a_quarantined_senml_reading_can_be_ingested_alone_later() -> None:
    pack = [{"bn": "W15-F1/", "t": -3, "n": "count", "v": 1}, {"t": -3, "n": "speed_kmh", "u": "m/s", "v": 20}]
    (entry,) = (await batch_of(msgspec.json.encode(pack), SENML)).quarantined
    mended = entry.payload.replace(b"m/s", b"km/h")
    assert field_of(await batch_of(mended), "speed_kmh") == {-3: 20}


async def test_messages_of_many_readings_end_a_batch_early_so_that_memory_stays_bounded() -> None:
    builder = await builder_for(ROAD)
    packed = gzip.compress(listed(*[GOOD] * MAX_READINGS))
    frames = [Frame(ROAD, packed, NOW_US, token, 1, content_type="application/gzip") for token in range(500)]
    taken = 0
    while taken < len(frames) and not builder.full:
        taken += builder.add(frames[taken:])
    assert taken < 100
    (columns,) = builder.finish().columns
    assert len(columns.time_us) == taken * MAX_READINGS
    assert not builder.full


async def test_the_number_of_a_quarantined_senml_reading_is_settled() -> None:
    pack = [{"bn": "W15-F1/", "n": "seq", "v": 7}, {"n": "boot", "v": 3}, {"n": "speed_kmh", "u": "m/s", "v": 22}]
    (entry,) = (await batch_of(msgspec.json.encode(pack), SENML)).quarantined
    assert entry.numbers == ((3, 7),)
