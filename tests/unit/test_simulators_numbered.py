from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

from sensors.catalogue import Sensor
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec
from sensors.topics import parse_reading_topic
from simulators.numbered import Numbered

KIND = load_kinds()["traffic"]
SENSORS = tuple(Sensor(id=f"W01-F{number}", site="W01", kind="traffic") for number in range(3))
LOAD = Numbered(KIND, SENSORS, 100, datetime(2026, 3, 1, tzinfo=UTC), boot=7)


def decoded(messages: list[tuple[str, bytes]]) -> list[tuple[str, int, float, list[float]]]:
    codec, found = PayloadCodec(KIND), []
    for topic, payload in messages:
        parts, reading = parse_reading_topic(topic), codec.decode(payload)
        assert parts is not None
        values = [getattr(reading, name) for name in KIND.field_names]
        assert reading.boot == 7
        found.append((parts.thing, reading.seq, reading.time.timestamp(), values))
    return found


def test_each_sensor_counts_its_readings_from_zero() -> None:
    seen = decoded(list(LOAD.messages()))
    assert Counter(thing for thing, *_ in seen) == {sensor.id: LOAD.sent_by(i) for i, sensor in enumerate(SENSORS)}
    for sensor in SENSORS:
        numbers = [seq for thing, seq, *_ in seen if thing == sensor.id]
        assert numbers == list(range(len(numbers)))


@pytest.mark.parametrize("cut", [0, 1, 3, 50, 99, 100])
def test_a_load_can_be_published_in_parts(cut: int) -> None:
    assert [*LOAD.messages(0, cut), *LOAD.messages(cut)] == list(LOAD.messages())


def test_what_is_sent_is_what_is_expected_to_the_bit_and_within_the_bounds_of_its_kind() -> None:
    indexes = {sensor.id: index for index, sensor in enumerate(SENSORS)}
    for thing, seq, time, values in decoded(list(LOAD.messages())):
        number = np.array([seq])
        assert np.array_equal(np.array(values, np.float32), LOAD.values(indexes[thing], number)[0])
        assert round(time * 1e6) == LOAD.time_us(number)[0]
        for field, value in zip(KIND.fields, values, strict=True):
            assert field.low is None or value >= field.low
            assert field.high is None or value <= field.high


def test_values_differ_from_number_to_number_and_from_sensor_to_sensor() -> None:
    rows = np.vstack([LOAD.values(index, np.arange(500)) for index in range(3)])
    assert len(np.unique(rows, axis=0)) > 0.99 * len(rows)
