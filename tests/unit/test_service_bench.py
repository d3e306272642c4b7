from __future__ import annotations

import numpy as np
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec, Rejected
from service.bench.broker import NotAccepted
from service.bench.publisher import count_acknowledgements, encode
from service.bench.stream import Stream, StreamPlan

NOW_US = 1_772_400_000_123_456


@pytest.fixture
def stream() -> Stream:
    return Stream(StreamPlan(messages=100, boot=3, last_us=NOW_US), shipped_catalogue())


def test_every_reading_of_a_stream_is_of_another_instant_or_sensor(stream: Stream) -> None:
    codec = PayloadCodec(load_kinds()["traffic"])
    readings = [(topic, codec.decode(payload)) for topic, payload in stream.messages()]
    assert not any(isinstance(reading, Rejected) for _, reading in readings)
    assert len({(topic, reading.time) for topic, reading in readings}) == 100


def test_the_newest_reading_is_of_now_and_none_is_of_the_future(stream: Stream) -> None:
    assert stream.time_us.max() == NOW_US // 1000 * 1000


def test_values_are_within_what_the_kind_can_be(stream: Stream) -> None:
    for field, values in zip(load_kinds()["traffic"].fields, stream.values.T, strict=True):
        assert values.min() >= (-np.inf if field.low is None else field.low)
        assert values.max() <= (np.inf if field.high is None else field.high)


def test_columns_are_the_same_readings_as_the_messages(stream: Stream) -> None:
    kind = load_kinds()["traffic"]
    columns = stream.columns(kind, 90, 110)
    last = PayloadCodec(kind).decode(list(stream.messages())[-1][1])
    assert not isinstance(last, Rejected)
    assert len(columns.time_us) == len(columns.thing) == 10
    assert columns.seq[-1] == last.seq
    assert round(last.time.timestamp() * 1e6) == columns.time_us[-1]


def test_packets_are_made_beforehand_and_none_is_left_out(stream: Stream) -> None:
    assert b"".join(encode(stream)).count(b"vigie/1/readings/") == 100


def test_acknowledgements_are_counted_across_pieces() -> None:
    buffer = bytearray(b"\x40\x02\x00\x01\x40\x03\x00\x02\x00\x40\x02\x00")
    assert count_acknowledgements(buffer) == 2
    assert buffer == b"\x40\x02\x00"


def test_a_message_without_a_reader_ends_the_measurement() -> None:
    with pytest.raises(NotAccepted, match="40 03 00 01 10"):
        count_acknowledgements(bytearray(b"\x40\x03\x00\x01\x10"))
