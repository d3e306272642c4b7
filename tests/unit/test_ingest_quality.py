"""Remarks on readings: each check by cases, and that how arrivals are cut into batches changes nothing."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.columns import Columns
from ingest.quality import Checks, ValueChecks, without_repeats
from sensors.checks import COMMON_SENTINELS
from sensors.kind import Kind, load_kinds, parse_kind
from sensors.level import DISTRUSTED, Quality

KINDS = load_kinds()
START_US = 1_772_438_400_000_000
MINUTE_US = 60_000_000
CLEAN, RANGE, SENTINEL = Quality(0), Quality.OUT_OF_RANGE, Quality.SENTINEL
RATE, MISMATCH, OLDER = Quality.RATE, Quality.MISMATCH, Quality.OUT_OF_ORDER
NAN = float("nan")

PLAIN = parse_kind(
    """
name = "plain"
period_s = 60
title = { en = "Plain", fr = "Simple" }
[[fields]]
name = "free"
unit = "1"
title = { en = "Free", fr = "Libre" }
sentinels = [-1]
[[fields]]
name = "cold_c"
unit = "°C"
title = { en = "Cold", fr = "Froid" }
low = -100
high = 50
max_change_per_min = 2
""",
    origin="plain.toml",
)


def values_of(kind: Kind, **values: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array([[values.get(name, NAN) for name in kind.field_names]], np.float32)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("traffic", {"speed_kmh": 83, "count": 12, "flow_veh_h": 1440, "occupancy_pct": 11}, CLEAN),
        ("traffic", {"speed_kmh": 150.5}, RANGE),
        ("traffic", {"flow_veh_h": 4561}, RANGE),
        ("traffic", {"occupancy_pct": -0.5}, RANGE),
        ("traffic", {"speed_kmh": -99}, RANGE | SENTINEL),
        ("traffic", {"speed_kmh": 327.67}, RANGE | SENTINEL),
        ("traffic", {"count": 65535}, CLEAN | SENTINEL),
        ("reefer", {"supply_c": 327.67}, RANGE | SENTINEL),
        ("traffic", {"flow_veh_h": 0, "occupancy_pct": 12}, MISMATCH),
        ("traffic", {"flow_veh_h": 0, "occupancy_pct": 79.9}, MISMATCH),
        ("traffic", {"flow_veh_h": 0, "occupancy_pct": 80}, CLEAN),
        ("traffic", {"flow_veh_h": 0, "occupancy_pct": 100}, CLEAN),
        ("traffic", {"flow_veh_h": 0, "occupancy_pct": 0}, CLEAN),
        ("traffic", {"occupancy_pct": 0, "flow_veh_h": 1200}, MISMATCH),
        ("traffic", {"occupancy_pct": 0, "flow_veh_h": 120}, CLEAN),
        ("traffic", {"occupancy_pct": 0, "flow_veh_h": 65535}, RANGE | SENTINEL),
        ("traffic", {"occupancy_pct": 0}, CLEAN),
        ("wind", {"mean_ms": 12, "gust_ms": 9}, MISMATCH),
        ("wind", {"mean_ms": 12, "gust_ms": 12}, CLEAN),
        ("travel_time", {"median_s": 300, "p85_s": 240}, MISMATCH),
        ("parking", {"occupied": 51, "capacity": 50}, MISMATCH),
    ],
)
def test_what_one_reading_says_against_itself(kind: str, values: dict[str, float], expected: Quality) -> None:
    quality, _ = ValueChecks(KINDS[kind]).check(values_of(KINDS[kind], **values))
    assert Quality(int(quality[0])) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"free": -1}, SENTINEL),
        ({"free": -99}, SENTINEL),
        ({"cold_c": -99}, CLEAN),
        ({"cold_c": -1}, CLEAN),
        ({"cold_c": -999}, RANGE | SENTINEL),
    ],
)
def test_a_common_sentinel_within_a_fields_range_is_a_value(values: dict[str, float], expected: Quality) -> None:
    quality, _ = ValueChecks(PLAIN).check(values_of(PLAIN, **values))
    assert Quality(int(quality[0])) == expected


@pytest.mark.parametrize("kind", list(KINDS.values()), ids=list(KINDS))
def test_no_common_sentinel_passes_for_a_value_of_a_shipped_kind(kind: Kind) -> None:
    for field in kind.fields:
        for sentinel in COMMON_SENTINELS:
            quality, usable = ValueChecks(kind).check(values_of(kind, **{field.name: sentinel}))
            if not field.covers(sentinel):
                assert quality[0] & DISTRUSTED, (field.name, sentinel)
                assert np.isnan(usable).all()


class Stream:
    """Readings of `cold_c` through the checks of a kind: (thing, minute, value), received a second later."""

    def __init__(self, *, wall: bool = True) -> None:
        self.checks, self.counts, self._wall = Checks(PLAIN), Counter[str](), wall

    def take(self, *rows: tuple[str, float, float], received: Sequence[float] | None = None) -> list[Quality]:
        if not rows:
            return []
        values = np.full((len(rows), 2), np.nan, np.float32)
        values[:, 1] = [value for _, _, value in rows]
        time_us = np.array([START_US + round(minute * MINUTE_US) for _, minute, _ in rows], np.int64)
        at = time_us + 1_000_000
        if received is not None:
            at = np.array([START_US + round(minute * MINUTE_US) for minute in received], np.int64)
        things, absent = [thing for thing, _, _ in rows], np.full(len(rows), -1, np.int64)
        quality = np.zeros(len(rows), np.int16)
        columns = Columns(PLAIN, time_us, at, things, things, absent, absent, quality, values, ())
        arrivals = self.checks.arrived(things, time_us, at, np.full(len(rows), self._wall))
        self.checks.remark(columns, arrivals, self.counts)
        return [Quality(bits) for bits in columns.quality.tolist()]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([(0, 5), (1, 7)], [CLEAN, CLEAN], id="as fast as it can"),
        pytest.param([(0, 5), (1, 7.5)], [CLEAN, RATE], id="faster"),
        pytest.param([(0, 5), (1, 2)], [CLEAN, RATE], id="downwards"),
        pytest.param([(0, 5), (1, 20), (2, 5)], [CLEAN, RATE, RATE], id="a spike has two edges"),
        pytest.param([(0, 5), (10, 24)], [CLEAN, CLEAN], id="ten minutes may change ten times as much"),
        pytest.param([(0, 5), (0.01, 6.9)], [CLEAN, CLEAN], id="a period's change is allowed to readings closer by"),
        pytest.param([(0, 5), (1, NAN), (2, 20)], [CLEAN, CLEAN, CLEAN], id="missing is compared with nothing"),
        pytest.param([(0, 5), (1, 60), (2, 5)], [CLEAN, RANGE, CLEAN], id="implausible is compared with nothing"),
        pytest.param(
            [(0, 5), (2, 6), (1, 40), (3, 7)], [CLEAN, CLEAN, OLDER, CLEAN], id="older: compared with nothing"
        ),
        pytest.param([(0, 5), (0, 40), (1, 6)], [CLEAN] * 3, id="nor is one of the same instant"),
    ],
)
def test_rate_of_change(rows: list[tuple[float, float]], expected: list[Quality]) -> None:
    named = [("A", minute, value) for minute, value in rows]
    assert Stream().take(*named) == expected
    one_by_one = Stream()
    assert [one_by_one.take(row)[0] for row in named] == expected


def test_things_are_compared_with_themselves_only() -> None:
    stream = Stream()
    assert stream.take(("A", 0, 5), ("B", 0, 40), ("A", 1, 6), ("B", 1, 41)) == [CLEAN] * 4
    assert stream.take(("B", 2, 5), ("A", 2, 7)) == [RATE, CLEAN]


rows = st.lists(
    st.tuples(
        st.sampled_from("ABC"), st.sampled_from([0, 0.5, 1, 2, 3, 8]), st.sampled_from([0.0, 1.5, 4.0, 9.0, 99.0, NAN])
    ),
    max_size=30,
)


@given(rows, st.lists(st.integers(0, 30), max_size=5))
def test_cutting_arrivals_into_batches_changes_nothing(
    arrived: list[tuple[str, float, float]], cuts: list[int]
) -> None:
    at = [number / 3 for number in range(len(arrived))]
    whole, parts = Stream(), Stream()
    expected = whole.take(*arrived, received=at)
    edges = [0, *sorted(min(cut, len(arrived)) for cut in cuts), len(arrived)]
    found = []
    for start, end in itertools.pairwise(edges):
        found += parts.take(*arrived[start:end], received=at[start:end])
    assert found == expected
    assert +parts.counts == +whole.counts


@given(rows)
def test_columns_agree_with_one_reading_after_the_other(arrived: list[tuple[str, float, float]]) -> None:
    newest: dict[str, tuple[float, float]] = {}
    expected, older = [], 0
    for thing, minute, value in arrived:
        usable = value if -100 <= value <= 50 else NAN
        before, last = newest.get(thing, (-1.0, NAN))
        fast = minute > before and abs(usable - last) > 2 * max(1.0, minute - before)
        older += minute < before
        behind = OLDER if minute < before else CLEAN
        expected.append((RANGE if value == 99 else CLEAN) | (RATE if fast else CLEAN) | behind)
        if minute > before:
            newest[thing] = (minute, usable)
    stream = Stream()
    assert stream.take(*arrived) == expected
    assert stream.counts["out_of_order"] == older


def test_late_is_counted_and_out_of_order_is_marked() -> None:
    stream = Stream()
    found = stream.take(("A", 5, 1), ("A", 3, 1), ("A", 6, 1), received=[5.1, 5.2, 6.1])
    assert found == [CLEAN, OLDER, CLEAN]
    assert (stream.counts["late"], stream.counts["out_of_order"]) == (1, 1)


def test_at_a_recording_nothing_is_late() -> None:
    stream = Stream(wall=False)
    stream.take(("A", 0, 1), received=[9000])
    assert stream.counts["late"] == 0


def test_each_remark_is_counted_by_its_word() -> None:
    stream = Stream()
    stream.take(("A", 0, 1), ("A", 1, 60), ("B", 0, 1), ("B", 1, 30))
    assert {name: count for name, count in stream.counts.items() if count} == {"out_of_range": 1, "rate": 1}


def test_a_repeated_reading_is_a_duplicate_and_not_out_of_order() -> None:
    assert without_repeats({"out_of_order": 5, "late": 2}, 3) == {"out_of_order": 2, "late": 2}
    assert without_repeats({"out_of_order": 1}, 3) == {"out_of_order": 0}
    assert without_repeats({}, 0) == {"out_of_order": 0}


def test_only_what_cannot_be_a_measurement_is_distrusted() -> None:
    assert DISTRUSTED == RANGE | SENTINEL
    assert {bit.label for bit in Quality} == {"out_of_range", "sentinel", "rate", "mismatch", "clock", "out_of_order"}
