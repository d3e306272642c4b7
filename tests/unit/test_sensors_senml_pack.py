from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.kind import Kind, load_kinds
from sensors.payload import PayloadCodec, Reading, Rejected
from sensors.senml import Speaker, numbers_in, resolve
from sensors.senml_pack import encode_pack

KINDS = load_kinds()
CODECS = {name: PayloadCodec(kind) for name, kind in KINDS.items()}
RECEIVED_US = 1_772_438_400_000_000
TEXTS = {"container": "CSQU3054383", "visit": "V-17"}

times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  naive by contract
counters = st.none() | st.integers(0, 2**53)
numbers = st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def readings(draw: st.DrawFn) -> tuple[Kind, Reading]:
    """A reading of any kind with at least one value."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    values: dict[str, Any] = {name: draw(numbers) for name in kind.field_names}
    for text in kind.texts:
        values[text.name] = draw(st.none() | st.sampled_from(text.choices or (TEXTS.get(text.name, ""),)))
    for name in (*kind.key, kind.field_names[0]):
        if values[name] is None:
            values[name] = 1.0 if name in kind.field_names else kind.texts[0].choices[0]
    payload = CODECS[kind.name].encode(draw(times), values, seq=draw(counters), boot=draw(counters))
    reading = CODECS[kind.name].decode(payload)
    assert not isinstance(reading, Rejected)
    return kind, reading


@given(readings())
def test_a_pack_is_resolved_to_the_same_reading(drawn: tuple[Kind, Reading]) -> None:
    kind, reading = drawn
    packs = resolve(encode_pack(reading, kind, "W07-G1"), Speaker("W07", "W07-G1", kind), RECEIVED_US)
    assert not isinstance(packs, Rejected)
    (resolved,) = packs
    assert not isinstance(resolved.said, Rejected)
    assert CODECS[kind.name].convert(resolved.said) == reading


@given(readings())
def test_a_sender_finds_its_numbers_in_a_pack(drawn: tuple[Kind, Reading]) -> None:
    kind, reading = drawn
    expected = None if reading.seq is None else (reading.boot, reading.seq)
    assert numbers_in(encode_pack(reading, kind, "W07-G1")) == expected


def said(kind: str, **values: object) -> list[dict[str, Any]]:
    payload = CODECS[kind].encode(datetime(2026, 3, 2, 8, tzinfo=UTC), values, seq=5, boot=7)  # type: ignore[arg-type]
    reading = CODECS[kind].decode(payload)
    assert not isinstance(reading, Rejected)
    pack: list[dict[str, Any]] = msgspec.json.decode(encode_pack(reading, KINDS[kind], "S1"))
    return pack


def test_a_pack_names_the_sensor_once_and_numbers_the_reading() -> None:
    assert said("traffic", speed_kmh=80.5, count=3) == [
        {"bn": "S1/", "bt": 1772438400.0, "n": "count", "v": 3.0},
        {"n": "speed_kmh", "u": "km/h", "v": 80.5},
        {"n": "seq", "v": 5},
        {"n": "boot", "v": 7},
    ]


@pytest.mark.parametrize(
    ("kind", "field", "unit"),
    [("reefer", "supply_c", "Cel"), ("wind", "direction_deg", "deg"), ("wind", "mean_ms", "m/s")],
)
def test_units_are_spelt_as_in_the_registry(kind: str, field: str, unit: str) -> None:
    assert said(kind, **{field: 4.0})[0]["u"] == unit


def test_a_text_is_a_string_value() -> None:
    first = said("crane", state="wind_stop")[0]
    assert (first["n"], first["vs"]) == ("state", "wind_stop")
    assert "v" not in first
