"""Corridors, cranes, racks and limits of one's own: from readings to levels, through the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from analytics.changes import Change, What
from analytics.engine import Engine
from analytics.readings import Readings
from analytics.snapshot import State
from sensors.catalogue import Catalogue, Corridor, Section, Sensor, Site
from sensors.fault import Fault
from sensors.kind import load_kinds
from sensors.level import Level, Quality, Verdict

KINDS = load_kinds()
START = 1_700_000_000_000_000
SITES = tuple(Site(id=name, name=name, basin="west", clock="recording") for name in ("A", "B", "C"))
FREE_S = 200.0
Row = Mapping[str, float | str]


def section(start: str, end: str, free_speed_kmh: float) -> Section:
    return Section(
        id=f"{start}-{end}",
        from_site=start,
        to_site=end,
        road="RD268",
        length_km=2,
        lanes=1,
        free_speed_kmh=free_speed_kmh,
        storage_m=2000,
    )


_SECTIONS = (section("A", "B", 90), section("B", "C", 60))


class Bench:
    """One thing under test; `feed` gives it a reading a period."""

    def __init__(self, thing: str, kind: str, catalogue: Catalogue, period_s: float | None = None) -> None:
        self.thing, self.kind, self.engine = thing, KINDS[kind], Engine(KINDS, catalogue)
        self.period_us = round((period_s or self.kind.period_s) * 1e6)
        self.now_us, self.changes, self.levels = START, list[Change](), list[Level | None]()

    @classmethod
    def sensor(cls, kind: str, **settings: float) -> Bench:
        sensor = Sensor(id="X", site="A", kind=kind, **settings)
        return cls("X", kind, Catalogue(sites=SITES, sensors=(sensor,)), settings.get("period_s"))

    @classmethod
    def corridor(cls, sections: Sequence[Section] = _SECTIONS, period_s: float = 60) -> Bench:
        """4 km that take 200 s at the free speeds of their sections, if they have any."""
        readers = [Sensor(id=f"{at}-B1", site=at, kind="travel_time", period_s=period_s) for at in ("A", "C")]
        ways = [
            Corridor(id=f"{start}-{end}", from_site=start, to_site=end, reader=f"{end}-B1", length_km=4)
            for start, end in (("A", "C"), ("C", "A"))
        ]
        catalogue = Catalogue(sites=SITES, sensors=tuple(readers), corridors=tuple(ways), sections=tuple(sections))
        return cls("A-C", "travel_time", catalogue, period_s)

    def feed(self, *rows: Row, quality: int = 0) -> list[Level | None]:
        """Levels after each row; what is missing in one is missing in the reading."""
        before = len(self.levels)
        for row in rows:
            values = [[row.get(name, np.nan) for name in self.kind.field_names]]
            words = [[self._place(text.choices, row.get(text.name)) for text in self.kind.choices]]
            readings = Readings(
                self.kind.name,
                [self.thing],
                np.array([self.now_us]),
                np.array([quality], np.int16),
                np.array(values, np.float32),
                np.array(words, np.float32),
            )
            self.changes += self.engine.absorb([readings])
            self.levels.append(self.state.level)
            self.now_us += self.period_us
        return self.levels[before:]

    @staticmethod
    def _place(choices: Sequence[str], word: float | str | None) -> float:
        return float(choices.index(str(word))) if word is not None else np.nan

    @property
    def state(self) -> State:
        return next(state for state in self.engine.states([self.thing]) if state.thing == self.thing)

    @property
    def told(self) -> list[tuple[What, Level | None]]:
        return [(change.what, change.level) for change in self.changes]


def passing(ratio: float, matches: int = 5) -> Row:
    return {"median_s": FREE_S / ratio, "p85_s": FREE_S / ratio * 1.2, "matches": matches}


NOBODY: Row = {"matches": 0}


def test_a_corridor_is_judged_by_the_free_time_of_its_sections() -> None:
    bench = Bench.corridor()
    assert bench.feed(passing(1.0)) == [Level.FLUID]
    assert bench.state.evidence == {
        "ratio": 1.0,
        "free_time_s": FREE_S,
        "free_time_origin": "configured",
        "matches": 5.0,
    }
    bench.feed(*[passing(0.5)] * 10)
    (began,) = bench.changes
    assert (began.what, began.level, began.verdict, began.value) == (
        What.BEGAN,
        Level.CONGESTED,
        Verdict.TRAFFIC,
        FREE_S * 2,
    )


def test_what_is_lost_on_the_way_may_be_lost_on_one_section() -> None:
    two, one = Bench.corridor(), Bench.corridor(sections=[section("A", "C", 72)])
    for bench in (two, one):
        bench.feed(*[passing(0.9)] * 20)
        assert not bench.changes
        bench.feed(*[passing(0.7)] * 20)
    assert two.told == [(What.BEGAN, Level.CONGESTED)]
    assert not one.changes


def test_its_two_directions_are_two_things() -> None:
    bench = Bench.corridor()
    bench.feed(*[passing(0.3)] * 10)
    levels = {state.thing: state.level for state in bench.engine.states(["A-C", "C-A"])}
    assert (levels["A-C"], levels["C-A"]) == (Level.JAMMED, Level.UNKNOWN)


def test_a_reader_shows_the_worst_level_of_its_corridors() -> None:
    bench = Bench.corridor()
    (unheard,) = [state for state in bench.engine.states(["C-B1"]) if state.thing == "C-B1"]
    bench.feed(*[passing(0.3)] * 10)
    (reader,) = [state for state in bench.engine.states(["C-B1"]) if state.thing == "C-B1"]
    assert (unheard.level, reader.level, reader.alarm) == (None, Level.JAMMED, None)


def test_fewer_than_three_vehicles_do_not_change_a_level() -> None:
    bench = Bench.corridor()
    bench.feed(*[passing(1.0)] * 5)
    assert bench.feed(passing(0.05, 2)) == [Level.FLUID]
    assert bench.feed(passing(0.05, 1)) != [Level.JAMMED]
    assert not bench.changes


def test_few_vehicles_a_reading_are_judged_when_there_are_three_of_them() -> None:
    bench = Bench.corridor()
    assert bench.feed(*[passing(1.0, 1)] * 3) == [Level.UNKNOWN, Level.UNKNOWN, Level.FLUID]
    levels = bench.feed(*[passing(0.5, 1)] * 40)
    assert levels[-1] is Level.CONGESTED
    (began,) = bench.changes
    assert (began.time_us - START) // bench.period_us % 3 == 2


def test_one_lorry_that_rested_opens_nothing() -> None:
    bench = Bench.corridor()
    for _ in range(20):
        bench.feed(passing(0.1, 1), *[passing(1.0, 1)] * 8)
    assert not bench.changes


def test_without_vehicles_a_corridor_is_unknown_and_its_alarm_stays() -> None:
    bench = Bench.corridor()
    bench.feed(*[passing(0.5)] * 10)
    assert bench.feed(*[NOBODY] * 4)[-1] is Level.UNKNOWN
    assert bench.state.alarm is Level.CONGESTED
    assert bench.told == [(What.BEGAN, Level.CONGESTED)]
    bench.feed(*[NOBODY] * 31)
    assert bench.told[1:] == [(What.LOST, Level.UNKNOWN)]


def test_a_jam_on_a_corridor_is_one_alarm_until_vehicles_are_free_again() -> None:
    bench = Bench.corridor()
    bench.feed(*[passing(1.0)] * 5, *[passing(0.5)] * 5, *[passing(0.5), passing(0.9)] * 20)
    bench.feed(*[passing(0.95)] * 10)
    assert bench.told == [(What.BEGAN, Level.CONGESTED), (What.ENDED, Level.FLUID)]


def test_a_travel_time_cannot_rise_faster_than_the_clock() -> None:
    bench = Bench.corridor()
    bench.feed(*[{"median_s": FREE_S, "matches": 5}] * 5)
    assert set(bench.feed(*[{"median_s": 6000, "matches": 8}] * 3)) == {Level.FLUID}
    assert bench.changes == []
    bench.feed(*[{"median_s": FREE_S + 60 * minute, "matches": 5} for minute in range(15)])
    assert [change.what for change in bench.changes] == [What.BEGAN, What.CHANGED]


def test_a_corridor_that_is_known_to_tell_minutes_still_shows_a_jam_and_none_when_it_is_set_right() -> None:
    bench = Bench.corridor()
    bench.feed(*[passing(1.0)] * 5)
    bench.engine.distrust("A-C", Fault.UNIT_SWAPPED, bench.now_us)
    minutes = {"median_s": FREE_S / 60, "matches": 5.0}
    assert set(bench.feed(*[minutes] * 5, quality=Quality.OUT_OF_RANGE)) == {Level.FLUID}
    bench.feed(*[minutes | {"median_s": (FREE_S + 60 * since) / 60} for since in range(15)])
    assert bench.told == [(What.BEGAN, Level.CONGESTED), (What.CHANGED, Level.JAMMED)]
    bench.feed(*[minutes] * 10, quality=Quality.OUT_OF_RANGE)
    assert bench.told[2:] == [(What.CHANGED, Level.CONGESTED), (What.ENDED, Level.FLUID)]
    bench.feed(*[passing(1.0)] * 20)
    assert bench.told[4:] == []


def test_a_corridor_that_is_known_to_count_too_many_is_judged_by_one_vehicle_a_reading() -> None:
    bench = Bench.corridor()
    bench.feed(*[passing(1.0)] * 5)
    bench.engine.distrust("A-C", Fault.CHATTER, bench.now_us)
    bench.feed(*[passing(0.5, 5000)] * 5, quality=Quality.OUT_OF_RANGE)
    assert bench.told == []
    bench.feed(*[passing(0.5, 5000)] * 15, quality=Quality.OUT_OF_RANGE)
    assert bench.told == [(What.BEGAN, Level.CONGESTED)]


def test_a_corridor_without_sections_learns_its_free_time() -> None:
    bench = Bench.corridor(sections=(), period_s=300)
    assert bench.feed(*[passing(1.0)] * 288)[-2:] == [Level.UNKNOWN, Level.FLUID]
    evidence = bench.state.evidence
    assert evidence["free_time_origin"] == "learnt"
    assert evidence["free_time_s"] == pytest.approx(FREE_S, rel=0.05)


WORKING: Row = {"moves_h": 26, "state": "working"}
IDLE: Row = {"moves_h": 0, "state": "idle"}
WIND: Row = {"moves_h": 0, "state": "wind_stop"}


def test_a_crane_that_says_it_stands_is_a_stoppage_at_once() -> None:
    bench = Bench.sensor("crane")
    assert bench.feed(WORKING, WIND) == [Level.FLUID, Level.JAMMED]
    (began,) = bench.changes
    assert (began.what, began.value) == (What.BEGAN, 0.0)
    assert began.evidence == {"ratio": 0.0, "normal": 20.0, "state": "wind_stop"}
    assert bench.state.reading["state"] == "wind_stop"


@pytest.mark.parametrize("row", [IDLE, {"moves_h": 0, "state": "off"}, {"state": "idle"}])
def test_a_crane_without_a_ship_is_no_stoppage(row: Row) -> None:
    assert Bench.sensor("crane").feed(*[row] * 10) == [Level.FLUID] * 10


def test_gusts_around_the_limit_are_one_stoppage() -> None:
    bench = Bench.sensor("crane")
    bench.feed(*[WIND, WORKING, WORKING, IDLE] * 10, *[WORKING] * 20)
    assert bench.told == [(What.BEGAN, Level.JAMMED), (What.ENDED, Level.FLUID)]


def test_a_crane_that_works_slowly_is_dense_and_then_congested() -> None:
    bench = Bench.sensor("crane")
    assert bench.feed(*[{"moves_h": 14, "state": "working"}] * 20)[-1] is Level.DENSE
    assert bench.feed(*[{"moves_h": 9, "state": "working"}] * 20)[-1] is Level.CONGESTED


def test_no_moves_and_no_word_are_unknown() -> None:
    bench = Bench.sensor("crane")
    assert bench.feed(*[{"moves_h": 0}] * 5) == [Level.UNKNOWN] * 5
    assert bench.feed(WORKING, *[{"moves_h": 0}] * 4)[-1] is Level.UNKNOWN


def rack(failed: float = 0, off_c: float = 0.8, **more: float) -> Row:
    return {"plugs_used": 56, "plugs_failed": failed, "setpoint_c": -20, "return_c": -20 + off_c, **more}


def test_a_rack_without_power_is_one_event_with_the_number_of_boxes() -> None:
    bench = Bench.sensor("reefer")
    warming = [rack(34, off_c) for off_c in np.linspace(0.8, 12, 20)]
    cooling = [rack(0, off_c) for off_c in np.linspace(12, 0.8, 20)]
    bench.feed(*[rack()] * 5, *warming, *cooling, *[rack()] * 5)
    began, *changed, ended = bench.changes
    assert (began.what, began.level, began.value) == (What.BEGAN, Level.JAMMED, 34.0)
    assert began.evidence == {
        "value": 34.0,
        "of": 56.0,
        "congested_from": 3.0,
        "limits_origin": "kind",
        "off_c": 0.8,
    }
    assert [change.level for change in changed] == [Level.CONGESTED]
    assert ended.what is What.ENDED
    assert bench.levels[-1] is Level.FLUID


@pytest.mark.parametrize(
    ("failed", "level"), [(0, "FLUID"), (1, "DENSE"), (2, "DENSE"), (3, "CONGESTED"), (10, "JAMMED")]
)
def test_plugs_without_power_against_their_limits(failed: int, level: str) -> None:
    assert Bench.sensor("reefer").feed(rack(failed)) == [Level[level]]


def defrost(warmer_c: float = 8, readings: int = 8) -> list[Row]:
    return [rack(off_c=0.8 + warmer_c * np.sin(np.pi * k / readings)) for k in range(1, readings)]


@pytest.mark.parametrize("warmer_c", [5, 8, 10])
def test_a_defrost_every_six_hours_is_no_alarm(warmer_c: float) -> None:
    bench = Bench.sensor("reefer")
    for _ in range(8):
        bench.feed(*defrost(warmer_c), *[rack()] * 65)
    assert set(bench.levels) == {Level.FLUID}


@pytest.mark.parametrize(
    ("what", "rows", "after_min"),
    [
        ("it outlasts a defrost", [rack(off_c=5.0)] * 12, 40),
        ("it is colder than set", [rack(off_c=-3.0)] * 3, 5),
        ("it is too warm for one", [rack(off_c=14.0)] * 3, 5),
        ("it comes an hour after the last", [*defrost(), *[rack()] * 12, *defrost()], 100),
    ],
)
def test_air_that_is_off_and_no_defrost_is_congested(what: str, rows: list[Row], after_min: int) -> None:
    bench = Bench.sensor("reefer")
    bench.feed(*rows)
    (began,) = [change for change in bench.changes if change.what is What.BEGAN]
    assert began.level is Level.CONGESTED
    assert (began.time_us - START) / 60e6 == after_min


def test_unknown_temperature_neither_opens_nor_closes_the_event_of_a_rack() -> None:
    bench = Bench.sensor("reefer")
    bench.feed(*[rack(off_c=14.0)] * 3)
    unknown: Row = {"plugs_used": 56, "plugs_failed": 0}
    assert bench.feed(*[unknown] * 5)[-1] is Level.CONGESTED
    assert Bench.sensor("reefer").feed(*[{"setpoint_c": 2.0}] * 5) == [Level.UNKNOWN] * 5


def test_a_gate_has_the_limits_of_the_catalogue_where_it_has_some() -> None:
    bench = Bench.sensor("gate", dense=300, congested=600, jammed=1200)
    assert bench.feed({"wait_s": 650, "queue_trucks": 12, "lanes_open": 2}) == [Level.CONGESTED]
    assert bench.state.evidence == {
        "value": 650.0,
        "congested_from": 600.0,
        "limits_origin": "catalogue",
        "wait_s_origin": "measured",
        "queue_trucks": 12.0,
        "lanes_open": 2.0,
        "service_s": None,
    }


@pytest.mark.parametrize("own", [{"dense": 300}, {"dense": 900, "congested": 600, "jammed": 1200}])
def test_limits_that_are_incomplete_or_do_not_rise_are_those_of_the_kind(own: dict[str, float]) -> None:
    bench = Bench.sensor("gate", **own)
    assert bench.feed({"wait_s": 1700}) == [Level.DENSE]
    assert bench.state.evidence["limits_origin"] == "kind"


def test_a_gate_that_does_not_tell_the_wait_is_judged_by_queue_and_service() -> None:
    bench = Bench.sensor("gate")
    assert bench.feed({"queue_trucks": 45, "lanes_open": 2, "service_s": 90}) == [Level.CONGESTED]
    assert bench.changes[0].value == 2025.0
    assert bench.changes[0].evidence["wait_s_origin"] == "queue"
    shut: Row = {"queue_trucks": 45, "lanes_open": 0, "service_s": 90}
    assert Bench.sensor("gate").feed(shut) == [Level.UNKNOWN]


def test_the_origin_of_a_capacity_is_told() -> None:
    park = Bench.sensor("parking", capacity=100)
    park.feed({"occupied": 90, "capacity": 95}, {"occupied": 90})
    (began,) = park.changes
    assert (began.evidence["capacity"], began.evidence["capacity_origin"]) == (95.0, "measured")
    assert (park.state.evidence["capacity"], park.state.evidence["capacity_origin"]) == (100.0, "configured")


def test_a_level_by_limits_falls_when_it_was_clearly_under_its_limit_for_three_minutes() -> None:
    bench = Bench.sensor("gate")
    bench.feed({"wait_s": 1900}, *[{"wait_s": 1705}, {"wait_s": 1715}] * 10, *[{"wait_s": 1705}] * 6)
    assert bench.told == [(What.BEGAN, Level.CONGESTED), (What.ENDED, Level.DENSE)]
    assert bench.changes[1].time_us == bench.now_us - bench.period_us
