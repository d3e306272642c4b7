"""Frames into batches: each frame is one row or one quarantine entry, with the right reason and the exact values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.columns import Batch, Columns
from ingest.decode import FUTURE_US, BatchBuilder
from ingest.directory import CatalogueDirectory
from ingest.quarantine import DETAIL_CHARACTERS
from ingest.redact import redact
from ingest.routing import Router
from ingest.transport import Frame
from sensors.catalogue import Catalogue, Corridor, Sensor, Site
from sensors.kind import load_kinds
from sensors.level import Quality
from sensors.payload import Reason

KINDS = load_kinds()
CATALOGUE = Catalogue(
    sites=(
        Site(id="W07", name="Gate", basin="west"),
        Site(id="W15", name="Road", basin="west"),
        Site(id="REC", name="Recording", basin="recording", clock="recording"),
    ),
    sensors=(
        Sensor(id="W07-G1", site="W07", kind="gate"),
        Sensor(id="W15-F1", site="W15", kind="traffic"),
        Sensor(id="R-1", site="REC", kind="traffic"),
    ),
    corridors=(Corridor(id="W17-W15", from_site="W17", to_site="W15", reader="W15-B1", length_km=3.0),),
)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
ROAD = "vigie/1/readings/W15/W15-F1/traffic"
GATE = "vigie/1/readings/W07/W07-G1/gate"
RECORDED = "vigie/1/readings/REC/R-1/traffic"


async def no_loader() -> Catalogue:
    return CATALOGUE


async def batch_of(frames: Iterable[Frame]) -> Batch:
    frames = list(frames)
    router = Router(KINDS, CatalogueDirectory(KINDS, CATALOGUE, no_loader), lambda: 0.0)
    await router.prepare({frame.topic for frame in frames})
    builder = BatchBuilder(3, KINDS, router)
    builder.add(frames)
    return builder.finish()


def frame(topic: str, payload: bytes, received_us: int = NOW_US) -> Frame:
    return Frame(topic, payload, received_us, 1, 1)


async def columns_of(*frames: Frame) -> Columns:
    batch = await batch_of(frames)
    assert batch.quarantined == ()
    (columns,) = batch.columns
    return columns


async def test_a_reading_becomes_a_row_of_exact_values() -> None:
    payload = b'{"time":"2026-03-01T12:59:59.123457+01:00","seq":7,"boot":3,"speed_kmh":83.2,"count":12}'
    row = await columns_of(frame(ROAD, payload))
    assert row.kind is KINDS["traffic"]
    assert (row.thing, row.site) == (["W15-F1"], ["W15"])
    assert (row.time_us[0], row.received_us[0]) == (NOW_US - 876_543, NOW_US)
    assert (row.boot[0], row.seq[0], row.quality[0]) == (3, 7, 0)
    expected = [{"speed_kmh": 83.2, "count": 12.0}.get(name, np.nan) for name in KINDS["traffic"].field_names]
    np.testing.assert_array_equal(row.values[0], np.array(expected, np.float32))


async def test_columns_have_the_types_that_the_store_copies() -> None:
    row = await columns_of(frame(ROAD, b'{"time":"2026-03-01T12:00:00Z","count":1}'))
    assert (row.time_us.dtype, row.received_us.dtype, row.boot.dtype, row.seq.dtype) == (np.int64,) * 4
    assert (row.quality.dtype, row.values.dtype) == (np.int16, np.float32)
    assert (row.boot[0], row.seq[0]) == (-1, -1)
    assert row.values.shape == (1, len(KINDS["traffic"].fields))


async def test_texts_follow_their_rows() -> None:
    topic = "vigie/1/readings/W07/W07-G1/passage"
    base = b'{"time":"2026-03-01T12:00:00Z","lane":1,"direction":"%s"%s}'
    frames = [frame(topic, base % (b"in", b',"visit":"v1"')), frame(topic, base % (b"out", b""))]
    rows = await columns_of(*frames)
    texts = dict(zip(rows.kind.text_names, rows.texts, strict=True))
    assert texts["direction"] == ["in", "out"]
    assert texts["visit"] == ["v1", None]


async def test_a_corridor_is_published_under_its_downstream_site() -> None:
    topic = "vigie/1/readings/W15/W17-W15/travel_time"
    row = await columns_of(frame(topic, b'{"time":"2026-03-01T12:00:00Z","median_s":120}'))
    assert (row.thing, row.site) == (["W17-W15"], ["W15"])


async def test_rows_keep_the_order_of_arrival_and_kinds_are_apart() -> None:
    def at(topic: str, minute: int, field: str) -> Frame:
        return frame(topic, b'{"time":"2026-03-01T11:%02d:00Z","%s":1}' % (minute, field.encode()))

    batch = await batch_of([at(ROAD, 5, "count"), at(GATE, 1, "wait_s"), at(ROAD, 3, "count"), at(ROAD, 4, "count")])
    found = {columns.kind.name: (columns.time_us - NOW_US) // 60_000_000 for columns in batch.columns}
    assert found["traffic"].tolist() == [-55, -57, -56]
    assert found["gate"].tolist() == [-59]


@pytest.mark.parametrize(
    ("value", "quality"),
    [("-1", Quality.OUT_OF_RANGE), ("0", 0), ("150", 0), ("150.1", Quality.OUT_OF_RANGE), ("null", 0)],
)
async def test_a_value_out_of_its_range_is_stored_with_a_quality_bit(value: str, quality: int) -> None:
    payload = f'{{"time":"2026-03-01T12:00:00Z","count":1,"speed_kmh":{value}}}'
    row = await columns_of(frame(ROAD, payload.encode()))
    assert row.quality[0] == quality


GOOD = b'{"time":"2026-03-01T12:00:00Z","count":1}'


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "thing"),
    [
        ("other/1/readings/W15/W15-F1/traffic", GOOD, Reason.TOPIC, None),
        ("vigie/1/readings/W15/W15-F1", GOOD, Reason.TOPIC, None),
        ("vigie/1/readings/W15/W15-F1/tide", GOOD, Reason.TOPIC, "W15-F1"),
        ("vigie/1/readings/W15/W15-F9/traffic", GOOD, Reason.UNKNOWN_SENSOR, "W15-F9"),
        ("vigie/1/readings/W07/W15-F1/traffic", GOOD, Reason.IDENTITY, "W15-F1"),
        ("vigie/1/readings/W15/W15-F1/gate", GOOD, Reason.IDENTITY, "W15-F1"),
        (ROAD, b'{"time":"2026-03-01T12:00:00Z","count":1,"sensor":"W15-F2"}', Reason.IDENTITY, "W15-F1"),
        (ROAD, b'{"time":"2026-03-01T12:00:00Z","plate":"AB-123-CD"}', Reason.NOT_IN_SCHEMA, "W15-F1"),
        (ROAD, b'{"time":"2026-03-01T12:00:00Z"}', Reason.EMPTY, "W15-F1"),
        (ROAD, b'{"time":"1970-01-01T00:00:01Z","count":1}', Reason.TIME, "W15-F1"),
        (ROAD, b'{"time":"2026-03-01T12:00:00","count":1}', Reason.TIME, "W15-F1"),
        (ROAD, b'{"time":"2026-03-01T12:02:00.000001Z","count":1}', Reason.FUTURE, "W15-F1"),
        (ROAD, b'{"time":"9999-12-31T23:59:59Z","count":1}', Reason.FUTURE, "W15-F1"),
        (ROAD, b"\xff\xfe", Reason.MALFORMED, "W15-F1"),
        (ROAD, b'{"sp\xe0d":1}', Reason.MALFORMED, "W15-F1"),
        (ROAD, b"", Reason.TRUNCATED, "W15-F1"),
        (ROAD, b"[" * 100_000, Reason.MALFORMED, "W15-F1"),
    ],
)
async def test_what_cannot_be_used_is_quarantined_with_its_reason(
    topic: str, payload: bytes, reason: Reason, thing: str | None
) -> None:
    batch = await batch_of([frame(topic, payload)])
    (entry,) = batch.quarantined
    assert batch.columns == ()
    assert (entry.topic, entry.reason, entry.thing) == (topic, reason, thing)
    assert (entry.payload, entry.length) == (redact(payload).payload, len(payload))
    assert entry.detail
    assert entry.received_us == NOW_US


async def test_an_explanation_is_short_whatever_the_sender_wrote() -> None:
    (entry,) = (await batch_of([frame(ROAD, b'{"' + b"x" * 100_000 + b'":1}')])).quarantined
    assert len(entry.detail) == DETAIL_CHARACTERS


async def test_two_minutes_ahead_is_still_a_clock_that_is_a_little_off() -> None:
    row = await columns_of(frame(ROAD, b'{"time":"2026-03-01T12:02:00Z","count":1}'))
    assert row.time_us[0] - row.received_us[0] == FUTURE_US


async def test_a_site_with_the_clock_of_a_recording_has_no_future() -> None:
    row = await columns_of(frame(RECORDED, b'{"time":"2031-01-01T00:00:00Z","count":1}'))
    assert row.thing == ["R-1"]


async def test_a_reading_of_the_future_leaves_its_neighbours_alone() -> None:
    def at(minute: int) -> Frame:
        return frame(ROAD, b'{"time":"2026-03-01T12:%02d:00Z","count":%d}' % (minute, minute))

    batch = await batch_of([at(0), at(30), at(1)])
    (columns,) = batch.columns
    assert columns.values[:, columns.kind.field_names.index("count")].tolist() == [0, 1]
    assert ((columns.time_us - NOW_US) // 60_000_000).tolist() == [0, 1]
    assert [entry.payload for entry in batch.quarantined] == [at(30).payload]


async def test_health_comes_along_with_the_reading() -> None:
    payload = b'{"time":"2026-03-01T12:00:00Z","count":1,"health":{"battery_v":3.5,"firmware":"1.2"}}'
    (entry,) = (await batch_of([frame(ROAD, payload), frame(ROAD, GOOD)])).health
    assert (entry.thing, entry.site, entry.time_us) == ("W15-F1", "W15", NOW_US)
    assert (entry.battery_v, entry.rssi_dbm, entry.firmware) == (3.5, None, "1.2")


async def test_a_builder_starts_anew_after_each_batch() -> None:
    router = Router(KINDS, CatalogueDirectory(KINDS, CATALOGUE, no_loader), lambda: 0.0)
    await router.prepare([ROAD])
    builder = BatchBuilder(0, KINDS, router)
    builder.add([frame(ROAD, GOOD), frame(ROAD, b"")])
    assert counted(builder.finish()) == 2
    assert counted(builder.finish()) == 0


def counted(batch: Batch) -> int:
    return len(batch.quarantined) + sum(len(columns.time_us) for columns in batch.columns)


def readings_in(topic: str, payload: bytes) -> int:
    """What is counted: the elements of a list, else the message."""
    try:
        elements = msgspec.json.decode(payload) if topic in {ROAD, GATE, RECORDED} else None
    except msgspec.DecodeError:
        return 1
    return max(1, len(elements)) if isinstance(elements, list) else 1


PAYLOADS = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda x: st.lists(x, max_size=3)
    ).map(msgspec.json.encode),
    st.fixed_dictionaries(
        {"time": st.one_of(st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat), st.text(), st.integers())},
        optional={
            "count": st.one_of(st.floats(), st.integers(), st.none(), st.text(max_size=3)),
            "speed_kmh": st.floats(width=32),
            "seq": st.integers(),
            "sensor": st.sampled_from(["W15-F1", "W15-F2", ""]),
            "health": st.fixed_dictionaries({}, optional={"battery_v": st.floats(), "x": st.none()}),
        },
    ).map(msgspec.json.encode),
)
TOPICS = st.one_of(st.sampled_from([ROAD, GATE, RECORDED]), st.text(max_size=40))


@given(st.lists(st.tuples(TOPICS, PAYLOADS), max_size=12))
async def test_every_payload_is_counted_exactly_once_and_none_raises(messages: list[tuple[str, bytes]]) -> None:
    batch = await batch_of(frame(topic, payload) for topic, payload in messages)
    assert counted(batch) == sum(readings_in(topic, payload) for topic, payload in messages)
    for columns in batch.columns:
        n = len(columns.time_us)
        assert len(columns.thing) == len(columns.site) == len(columns.boot) == len(columns.quality) == n
        assert columns.values.shape == (n, len(columns.kind.fields))
        assert all(len(texts) == n for texts in columns.texts)


async def test_a_clock_two_hours_ahead_is_known_from_readings_that_are_quarantined() -> None:
    """Every five minutes of ours another three readings, all of them from the future."""
    router = Router(KINDS, CatalogueDirectory(KINDS, CATALOGUE, no_loader), lambda: 0.0)
    await router.prepare({ROAD, RECORDED})
    builder, told, details = BatchBuilder(3, KINDS, router), [], set()
    for minute in range(0, 16, 5):
        received_us = NOW_US + minute * 60_000_000
        payload = b'{"time":"2026-03-01T14:%02d:00Z","count":1}' % minute
        builder.add([frame(topic, payload, received_us + late) for topic in (ROAD, RECORDED) for late in (0, 9000)])
        batch = builder.finish()
        told += batch.clocks
        details |= {entry.detail for entry in batch.quarantined}
    assert [(clock.thing, round(clock.offset_s)) for clock in told] == [("W15-F1", 7200)]
    assert batch.clocks_off == 1
    assert all(detail.endswith("2 h ahead: daylight saving or time zone") for detail in details)


async def test_a_clock_that_is_behind_is_a_bit_on_its_readings() -> None:
    router = Router(KINDS, CatalogueDirectory(KINDS, CATALOGUE, no_loader), lambda: 0.0)
    await router.prepare({ROAD})
    builder, found = BatchBuilder(3, KINDS, router), []
    for minute in range(0, 16, 5):
        builder.add(
            [frame(ROAD, b'{"time":"2026-03-01T11:%02d:00Z","count":1}' % minute, NOW_US + minute * 60_000_000)]
        )
        batch = builder.finish()
        found.append((Quality(int(batch.columns[0].quality[0])), batch.remarks["late"]))
    assert found == [(Quality(0), 1), (Quality(0), 1), (Quality.CLOCK, 1), (Quality.CLOCK, 1)]
