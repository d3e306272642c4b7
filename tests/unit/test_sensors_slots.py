from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.slots import MAX_SLOTS, PlanRefused, Slot, parse_csv, parse_json

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
SIX = datetime(2026, 3, 2, 6, tzinfo=UTC)


def csv(*rows: str, header: str = "hour,booked") -> bytes:
    return "\n".join((header, *rows)).encode()


def slots(*rows: dict[str, object]) -> bytes:
    return msgspec.json.encode({"slots": rows})


def test_csv_and_json_are_the_same_plan() -> None:
    plan = (Slot(SIX, 80), Slot(SIX + timedelta(hours=1), 0))
    assert parse_csv(csv("2026-03-02T08:00:00+01:00,0", "2026-03-02T07:00+01:00,80"), NOW) == plan
    rows = ({"hour": "2026-03-02T06:00:00Z", "booked": 80}, {"hour": "2026-03-02T07:00Z", "booked": 0})
    assert parse_json(slots(*rows), NOW) == plan


@pytest.mark.parametrize(
    "data",
    [
        csv("2026-03-02T06:00Z;80", header="hour;booked"),
        b"\xef\xbb\xbf" + csv("2026-03-02T06:00Z,80"),
        csv(' 2026-03-02 07:00+01:00 , "80" ', "", header="Hour,Booked"),
        csv("2026-03-02T06:00Z,80").replace(b"\n", b"\r\n"),
    ],
    ids=["semicolons", "byte order mark", "blanks", "lines of Windows"],
)
def test_what_spreadsheets_write_is_read(data: bytes) -> None:
    if b'"' in data:
        data = data.replace(b' "80" ', b"80")
    assert parse_csv(data, NOW) == (Slot(SIX, 80),)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["2026-03-02T07:00,80"], ["line 2, hour: '2026-03-02T07:00': expected a full hour with its offset"]),
        (["2026-03-02T07:30Z,80"], ["line 2, hour: '2026-03-02T07:30Z': expected a full hour"]),
        (["7 Uhr,80"], ["line 2, hour: '7 Uhr': expected a full hour"]),
        (["2025-03-02T07:00Z,80"], ["line 2, hour: '2025-03-02T07:00Z': expected at most 31 days ago and 400"]),
        (["2026-03-02T07:00Z,-1"], ["line 2, booked: '-1': expected a whole number from 0 to 2000"]),
        (["2026-03-02T07:00Z,80.5"], ["line 2, booked: '80.5'"]),
        (["2026-03-02T07:00Z,99999"], ["line 2, booked: '99999'"]),
        (["2026-03-02T07:00Z,1", "2026-03-02T08:00+01:00,2"], ["line 3: '2026-03-02T08:00+01:00': expected each hour"]),
        (["x,y", "2026-03-02T07:00Z,z"], ["line 2, hour: 'x'", "line 2, booked: 'y'", "line 3, booked: 'z'"]),
        (["2026-03-02T07:00Z"], ["line 2: '2026-03-02T07:00Z': expected two values, hour and booked"]),
        ([], ["the plan: '0 hours': expected 1 to 2000"]),
        ([f"{SIX:%Y-%m-%dT%H:%MZ},1"] * (MAX_SLOTS + 1), ["the plan: '2001 hours'"]),
    ],
)
def test_each_mistake_is_one_line_with_place_value_and_what_was_expected(rows: list[str], told: list[str]) -> None:
    with pytest.raises(PlanRefused) as caught:
        parse_csv(csv(*rows), NOW)
    lines = str(caught.value).split("\n")
    assert len(lines) == len(told)
    assert all(line.startswith(start) for line, start in zip(lines, told, strict=True)), lines


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{", "the plan: '{': expected JSON"),
        (b"[]", "the plan: '[]': expected an object"),
        (b'{"slots": 1}', "expected an object"),
        (b'{"slots": [], "more": 1}', "expected an object"),
        (slots({"hour": "2026-03-02T07:00Z"}), "slots[0]: \"{'hour': '2026-03-02T07:00Z'}\": expected an object with"),
        (slots({"hour": 7, "booked": 1}), "slots[0], hour: '7'"),
        (slots({"hour": "2026-03-02T07:00Z", "booked": True}), "slots[0], booked: 'True'"),
        (slots({"hour": "2026-03-02T07:00Z", "booked": 1.5}), "slots[0], booked: '1.5'"),
    ],
)
def test_json_that_is_no_plan_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(PlanRefused) as caught:
        parse_json(data, NOW)
    assert told in str(caught.value)


def test_text_that_is_not_utf_8_and_a_wrong_header_are_refused() -> None:
    for data in (b"hour,booked\n\xff\xfe,1", b"", b"time,lorries\n", b"hour\n"):
        with pytest.raises(PlanRefused):
            parse_csv(data, NOW)


@given(st.binary(max_size=200))
def test_rubbish_is_refused_and_never_fails(data: bytes) -> None:
    for parse in (parse_csv, parse_json):
        for body in (data, b"hour,booked\n" + data):
            with suppress(PlanRefused):
                assert parse(body, NOW)


@pytest.mark.parametrize("data", [b"[" * 200_000, b'{"slots": ' + b"[" * 200_000])
def test_what_is_nested_too_deeply_is_refused(data: bytes) -> None:
    with pytest.raises(PlanRefused):
        parse_json(data, NOW)


def test_a_value_that_fills_the_file_is_refused() -> None:
    with pytest.raises(PlanRefused, match="CSV"):
        parse_csv(csv("x" * 200_000), NOW)
