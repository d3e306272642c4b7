import json
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.kind import Kind, Text, load_kinds
from sensors.payload import Health, PayloadCodec, Reason, Rejected

KINDS = load_kinds()
CODECS = {name: PayloadCodec(kind) for name, kind in KINDS.items()}
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
COUNTS = st.none() | st.integers(0, 2**63 - 1)
TIMES = st.datetimes(
    min_value=datetime(2000, 1, 2),  # noqa: DTZ001  hypothesis adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9, minutes=-30))]),
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001
)
HEALTHS = st.none() | st.builds(
    Health,
    battery_v=st.none() | FLOATS,
    rssi_dbm=st.none() | FLOATS,
    firmware=st.none() | st.from_regex(r"[A-Za-z0-9._+-]{0,40}", fullmatch=True),
)


def _texts(text: Text) -> st.SearchStrategy[str]:
    return st.sampled_from(text.choices) if text.choices else st.from_regex(text.pattern, fullmatch=True)


def _values(kind: Kind) -> st.SearchStrategy[dict[str, float | str | None]]:
    measured: dict[str, st.SearchStrategy[float | str | None]] = {
        **{field.name: FLOATS for field in kind.fields},
        **{text.name: _texts(text) for text in kind.texts},
    }
    options = {name: values if name in kind.key else st.none() | values for name, values in measured.items()}
    return st.fixed_dictionaries(options).filter(lambda row: any(value is not None for value in row.values()))


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_reading_is_decoded_as_it_was_encoded(name: str, data: st.DataObject) -> None:
    values = data.draw(_values(KINDS[name]))
    time, seq, boot, health = data.draw(st.tuples(TIMES, COUNTS, COUNTS, HEALTHS))
    reading = CODECS[name].decode(CODECS[name].encode(time, values, seq=seq, boot=boot, health=health))
    assert not isinstance(reading, Rejected)
    assert (reading.time, reading.seq, reading.boot, reading.health) == (time, seq, boot, health)
    assert {field: getattr(reading, field) for field in values} == values
    numbers = [value for value in values.values() if isinstance(value, float)]
    assert [float(np.float32(value)) for value in numbers] == numbers


def test_missing_and_null_values_are_the_same() -> None:
    left_out = CODECS["traffic"].decode(b'{"time": "2026-11-23T12:00:00Z", "count": 0}')
    null = CODECS["traffic"].decode(b'{"time": "2026-11-23T12:00:00Z", "count": 0, "speed_kmh": null}')
    assert not isinstance(null, Rejected)
    assert left_out == null


def test_the_payload_is_plain_json_in_utc_without_what_is_missing() -> None:
    paris = datetime(2026, 7, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    payload = CODECS["traffic"].encode(paris, {"count": 3.0, "speed_kmh": None}, seq=7)
    assert json.loads(payload) == {"time": "2026-07-01T12:00:00Z", "seq": 7, "count": 3.0}


def _with(**changes: object) -> bytes:
    return msgspec.json.encode({"time": "2026-11-23T12:00:00Z", "wait_s": 60} | changes)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.TRUNCATED),
        (b"{", Reason.TRUNCATED),
        (b'{"time":"2026-03-02T07:00:00Z","wait_s":6.', Reason.TRUNCATED),
        (b"\xff\xfe", Reason.MALFORMED),
        (b'{"time": "2026-11-23T12:00:00Z", "wait_s": NaN}', Reason.MALFORMED),
        (b'{"time": "2026-11-23T12:00:00Z", "wait_s": 60}x', Reason.MALFORMED),
        (b'{"health": ' + b"[" * 100_000, Reason.WRONG_TYPE),
        (b'{"unknown": ' + b"[" * 100_000, Reason.NOT_IN_SCHEMA),
        (b"[]", Reason.WRONG_TYPE),
        (b"42", Reason.WRONG_TYPE),
        (b'{"wait_s": 60}', Reason.NOT_IN_SCHEMA),
        (_with(plate="AB-123-CD"), Reason.NOT_IN_SCHEMA),
        (_with(wait_s="60"), Reason.WRONG_TYPE),
        (_with(wait_s=True), Reason.WRONG_TYPE),
        (_with(wait_s=1e39), Reason.NOT_IN_SCHEMA),
        (_with(seq=-1), Reason.NOT_IN_SCHEMA),
        (_with(seq=1.5), Reason.WRONG_TYPE),
        (_with(seq=2**63), Reason.NOT_IN_SCHEMA),
        (_with(health={"owner": "somebody"}), Reason.NOT_IN_SCHEMA),
        (_with(health={"firmware": "call Jean, 06 12"}), Reason.NOT_IN_SCHEMA),
        (_with(health={"battery_v": 1e39}), Reason.NOT_IN_SCHEMA),
        (_with(health={"firmware": "1.2\n"}), Reason.NOT_IN_SCHEMA),
        (_with(time="2026-11-23T12:00:00"), Reason.TIME),
        (_with(time="noon"), Reason.TIME),
        (_with(time=1_795_000_000), Reason.TIME),
        (_with(time=None), Reason.TIME),
        (_with(time="1970-01-01T00:00:07Z"), Reason.TIME),
        (_with(time="0001-01-01T00:00:00+14:00"), Reason.TIME),
        (_with(wait_s=None), Reason.EMPTY),
        (b'{"time": "2026-11-23T12:00:00Z", "health": {"battery_v": 3.6}}', Reason.EMPTY),
    ],
)
def test_what_is_not_a_reading_is_rejected_with_its_reason(payload: bytes, reason: Reason) -> None:
    rejected = CODECS["gate"].decode(payload)
    assert isinstance(rejected, Rejected)
    assert rejected.reason is reason
    assert rejected.detail


PASSAGE = {"time": "2026-11-23T12:00:00Z", "lane": 2, "direction": "in", "container": "CSQU3054383", "visit": "7f3a-1"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lane", None),
        ("direction", None),
        ("direction", "sideways"),
        ("container", "CSQU305438"),
        ("container", "CSQU3054383\n"),
        ("container", "xCSQU3054383"),
        ("visit", ""),
        ("visit", "Jean Dupont"),
        ("visit", "x" * 37),
    ],
)
def test_a_passage_needs_its_key_and_holds_no_free_text(field: str, value: str | None) -> None:
    assert not isinstance(CODECS["passage"].decode(json.dumps(PASSAGE).encode()), Rejected)
    rejected = CODECS["passage"].decode(json.dumps(PASSAGE | {field: value}).encode())
    assert isinstance(rejected, Rejected)
    assert rejected.reason is (Reason.WRONG_TYPE if value is None else Reason.NOT_IN_SCHEMA)


@pytest.mark.parametrize("field", ["container", "visit", "duration_s"])
def test_a_passage_may_lack_what_the_gate_did_not_read(field: str) -> None:
    reading = CODECS["passage"].decode(json.dumps(PASSAGE | {field: None}).encode())
    assert not isinstance(reading, Rejected)


def test_a_payload_may_repeat_its_sensor() -> None:
    reading = CODECS["gate"].decode(_with(sensor="W07-G1"))
    assert not isinstance(reading, Rejected)
    assert reading.sensor == "W07-G1"


@given(st.binary(max_size=200))
def test_no_bytes_make_the_decoder_raise(payload: bytes) -> None:
    assert isinstance(CODECS["gate"].decode(payload), Rejected)
