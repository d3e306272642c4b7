"""The engine from readings to changes and states, on small invented ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from analytics.changes import Change, What
from analytics.engine import Engine
from analytics.readings import Readings
from analytics.settings import readers_of
from analytics.snapshot import State
from sensors.catalogue import Catalogue, Sensor, Site, shipped_catalogue
from sensors.kind import load_kinds
from sensors.level import Level, Quality, Verdict

KINDS = load_kinds()
MINUTE = 60_000_000
START = 1_700_000_000_000_000
STEP = 5 * MINUTE
FREE, CONGESTED = 95.0, 50.0


class Port:
    def __init__(self, catalogue: Catalogue, step_us: int = STEP) -> None:
        self.catalogue, self.step_us = catalogue, step_us
        self.readers = readers_of(catalogue, KINDS)
        self.engine = Engine(KINDS, catalogue)

    @classmethod
    def recording(
        cls,
        things: Sequence[str],
        *,
        period_s: float = 300,
        clock: str = "recording",
    ) -> Port:
        site = Site(id="S", name="S", basin="S", clock="wall" if clock == "wall" else "recording")
        sensors = tuple(
            Sensor(id=name, site="S", kind="traffic", period_s=period_s, free_speed_kmh=100) for name in things
        )
        return cls(Catalogue(sites=(site,), sensors=sensors), round(period_s * 1e6))

    @classmethod
    def wall(cls, things: Sequence[str]) -> Port:
        return cls.recording(things, clock="wall")

    @classmethod
    def shipped(cls) -> Port:
        return cls(shipped_catalogue())

    def state(self, thing: str) -> State:
        (state,) = self.engine.states([thing])
        return state

    def absorb(self, *batch: Readings) -> list[Change]:
        return self.engine.absorb(batch)

    def readings(
        self,
        kind: str,
        thing: str,
        rows: Sequence[Mapping[str, float | None]],
        *,
        first: int = 0,
        quality: Sequence[int] | None = None,
    ) -> Readings:
        names = KINDS[kind].field_names
        values = [[np.nan if row.get(name) is None else row[name] for name in names] for row in rows]
        return Readings(
            kind=kind,
            thing=[thing] * len(rows),
            time_us=START + self.step_us * np.arange(first, first + len(rows)),
            quality=np.array(quality or [0] * len(rows), np.int16),
            values=np.array(values, np.float32).reshape(len(rows), len(names)),
        )

    def speed_readings(
        self, thing: str, speeds: Sequence[float | None], *, first: int = 0, quality: Sequence[int] | None = None
    ) -> Readings:
        return self.readings("traffic", thing, [{"speed_kmh": v} for v in speeds], first=first, quality=quality)

    def speeds(
        self, thing: str, speeds: Sequence[float | None], *, first: int = 0, quality: Sequence[int] | None = None
    ) -> list[Change]:
        return self.absorb(self.speed_readings(thing, speeds, first=first, quality=quality))

    def traffic(self, thing: str, rows: Sequence[tuple[float | None, float | None, float | None]]) -> list[Change]:
        named = [dict(zip(("flow_veh_h", "occupancy_pct", "speed_kmh"), row, strict=True)) for row in rows]
        return self.absorb(self.readings("traffic", thing, named))


@pytest.fixture
def port() -> Port:
    return Port.recording(["A", "B"])


def test_confirmed_fall_opens_and_confirmed_rise_closes(port: Port) -> None:
    changes = port.speeds("A", [FREE] * 3 + [55.0] * 3 + [FREE] * 6)

    assert [(c.what, (c.time_us - START) // STEP) for c in changes] == [(What.BEGAN, 5), (What.ENDED, 9)]
    began, ended = changes
    assert (began.level, began.previous, began.verdict) == (Level.CONGESTED, Level.DENSE, Verdict.TRAFFIC)
    assert (ended.level, ended.previous) == (Level.FLUID, Level.CONGESTED)
    assert began.value == 55.0
    assert began.evidence["free_speed_kmh"] == 100.0
    assert began.evidence["free_speed_origin"] == "configured"


def test_sudden_jam_opens_at_once_and_changes_when_it_eases(port: Port) -> None:
    changes = port.speeds("A", [FREE, 2.0, 1.0, 50.0, 50.0, 50.0])

    assert [(c.what, c.level) for c in changes] == [
        (What.BEGAN, Level.CONGESTED),
        (What.CHANGED, Level.JAMMED),
        (What.CHANGED, Level.CONGESTED),
    ]


def test_unconfirmed_low_ratio_shows_as_dense(port: Port) -> None:
    port.speeds("A", [58.0])
    assert port.state("A").level is Level.DENSE
    assert port.state("A").alarm is None


def test_standing_traffic_is_jammed_and_an_empty_road_is_free(port: Port) -> None:
    port.traffic("A", [(0.0, 100.0, None)] * 2)
    port.traffic("B", [(0.0, 0.0, None)] * 2)
    assert port.state("A").level is Level.JAMMED
    assert port.state("B").level is Level.FLUID


def test_missing_values_are_held_three_steps_then_unknown(port: Port) -> None:
    port.speeds("A", [FREE] + [None] * 3)
    assert port.state("A").level is Level.FLUID
    port.speeds("A", [None], first=4)
    assert (port.state("A").level, port.state("A").verdict) == (Level.UNKNOWN, Verdict.UNKNOWN)


@pytest.mark.parametrize("quality", [Quality.OUT_OF_RANGE, Quality.SENTINEL, Quality.SENTINEL | Quality.RATE])
def test_a_distrusted_reading_is_implausible(port: Port, quality: Quality) -> None:
    port.speeds("A", [FREE] + [5.0] * 4, quality=[0] + [quality] * 4)
    assert (port.state("A").level, port.state("A").verdict) == (Level.UNKNOWN, Verdict.SENSOR)
    assert port.state("A").alarm is None


@pytest.mark.parametrize("quality", [Quality.RATE, Quality.MISMATCH, Quality.CLOCK])
def test_a_remark_that_only_informs_hides_no_jam(port: Port, quality: Quality) -> None:
    changes = port.speeds("A", [FREE] + [5.0] * 4, quality=[0] + [quality] * 4)
    assert changes[0].what is What.BEGAN
    assert (port.state("A").level, port.state("A").verdict) == (Level.JAMMED, Verdict.TRAFFIC)


def test_unknown_neither_opens_nor_closes_until_the_alarm_is_lost(port: Port) -> None:
    began = port.speeds("A", [CONGESTED] * 3)
    lost = port.speeds("A", [None] * 14, first=3)

    assert [c.what for c in began] == [What.BEGAN]
    assert [(c.what, c.level) for c in lost] == [(What.LOST, Level.UNKNOWN)]
    assert lost[0].time_us == START + 6 * STEP + 30 * MINUTE


def test_silence_is_found_by_the_gap_and_by_the_clock_alike() -> None:
    gap, clock = Port.recording(["A", "B"]), Port.recording(["A", "B"])
    by_gap = gap.absorb(gap.speed_readings("A", [FREE], first=0), gap.speed_readings("A", [FREE], first=9))
    by_clock = clock.speeds("A", [FREE]) + clock.speeds("B", [FREE] * 9) + clock.speeds("A", [FREE], first=9)

    assert [(c.what, c.time_us) for c in by_gap] == [(What.SILENT, START + 3 * STEP), (What.RETURNED, START + 9 * STEP)]
    assert by_clock == by_gap


def test_silent_sensor_of_a_wall_site_is_unknown_by_the_wall_clock() -> None:
    port = Port.wall(["A"])
    port.speeds("A", [FREE])

    assert port.engine.advance(START + 3 * STEP) == []
    (silent,) = port.engine.advance(START + 3 * STEP + 1)
    assert (silent.what, silent.level, silent.previous, silent.verdict) == (
        What.SILENT,
        Level.UNKNOWN,
        Level.FLUID,
        Verdict.SENSOR,
    )
    assert port.engine.advance(START + 4 * STEP) == []
    state = port.state("A")
    assert (state.level, state.silent, state.verdict) == (Level.UNKNOWN, True, Verdict.SENSOR)
    assert [c.what for c in port.speeds("A", [FREE], first=4)] == [What.RETURNED]


def test_our_own_absence_is_not_a_sensors_silence() -> None:
    port = Port.wall(["A", "B"])
    port.absorb(port.speed_readings("A", [FREE]), port.speed_readings("B", [FREE]))
    port.engine.listen(START + 20 * STEP)

    assert port.engine.advance(START + 20 * STEP) == []
    assert port.speeds("A", [FREE], first=21) == []
    (silent,) = port.engine.advance(START + 23 * STEP + 1)
    assert (silent.thing, silent.what, silent.time_us) == ("B", What.SILENT, START + 23 * STEP)


@pytest.mark.parametrize(("freed", "minutes"), [(0, 30), (10, 15), (18, 3)])
def test_an_alarm_is_lost_the_sooner_the_longer_its_road_was_free_before(freed: int, minutes: int) -> None:
    port = Port.recording(["A", "B"], period_s=30)
    rises = 1 if freed else 0  # the smoothed speed is free with the second reading
    port.speeds("A", [CONGESTED] * 10 + [FREE - number % 2 for number in range(rises + freed)])
    dark = 10 + rises + freed
    port.speeds("A", [None] * 4, first=dark)
    changes = port.speeds("A", [None] * 70, first=dark + 4)
    (lost,) = [change for change in changes if change.what is What.LOST]
    assert lost.time_us == START + (dark + 3) * port.step_us + minutes * MINUTE


def test_open_alarm_of_a_silent_sensor_is_lost_by_the_clock() -> None:
    port = Port.wall(["A"])
    port.speeds("A", [CONGESTED] * 3)
    (silent, lost) = port.engine.advance(START + 24 * 60 * MINUTE)
    assert (silent.what, silent.time_us) == (What.SILENT, START + 5 * STEP)
    assert (lost.what, lost.time_us) == (What.LOST, START + 5 * STEP + 30 * MINUTE)
    assert lost.previous is Level.CONGESTED


def test_backlog_of_a_silent_sensor_returns_it_only_when_it_catches_up() -> None:
    port = Port.wall(["A"])
    port.speeds("A", [FREE])
    port.engine.advance(START + 20 * STEP)

    assert port.speeds("A", [FREE] * 5, first=10) == []
    assert [c.what for c in port.speeds("A", [FREE] * 6, first=15)] == [What.RETURNED]


def test_a_jam_of_then_in_a_backlog_is_no_alarm_of_now() -> None:
    port = Port.wall(["A"])
    port.speeds("A", [CONGESTED] * 3)
    port.engine.advance(START + 50 * STEP)
    backlog = [*[FREE] * 10, *[CONGESTED] * 10, *[FREE] * 10]
    assert not [change for at, speed in enumerate(backlog) for change in port.speeds("A", [speed], first=3 + at)]
    now = port.speeds("A", [CONGESTED] * 17, first=33)
    assert [(change.what, change.time_us) for change in now] == [
        (What.RETURNED, START + 47 * STEP),
        (What.BEGAN, START + 47 * STEP),
    ]


def test_a_jam_that_ended_within_a_backlog_is_told_only_if_it_comes_again() -> None:
    port = Port.recording(["A"], period_s=30, clock="wall")
    port.speeds("A", [FREE])
    port.engine.advance(START + 100 * port.step_us)
    port.speeds("A", [CONGESTED, CONGESTED + 1] * 45, first=1)
    assert [change.what for change in port.speeds("A", [FREE] * 8, first=91)] == [What.RETURNED]
    assert port.speeds("A", [FREE] * 2, first=99) == []
    assert [change.what for change in port.speeds("A", [CONGESTED] * 5, first=101)] == [What.BEGAN]
    assert [change.what for change in port.speeds("A", [FREE, FREE + 1] * 15, first=106)] == [What.ENDED]


def test_late_reading_inside_the_window_is_stepped_in_its_place() -> None:
    port, straight = Port.recording(["A"], period_s=30), Port.recording(["A"], period_s=30)
    speeds = [FREE] * 3 + [5.0] * 2
    rows = straight.speed_readings("A", speeds)
    straight.absorb(rows)
    for k in (0, 1, 3, 4, 2):
        port.absorb(port.speed_readings("A", speeds[k : k + 1], first=k))
    assert port.state("A") == straight.state("A")
    assert port.engine.late == 0


def test_difference_that_a_late_reading_makes_shows_at_the_newest_reading() -> None:
    port = Port.recording(["A"], period_s=30)
    port.speeds("A", [90.0])
    port.speeds("A", [3.0], first=2)
    (began,) = port.speeds("A", [2.0], first=1)
    assert (began.what, began.time_us) == (What.BEGAN, START + 2 * port.step_us)
    assert port.speeds("A", [2.0], first=1) == []


def test_reading_older_than_the_window_is_only_counted(port: Port) -> None:
    port.speeds("A", [FREE] * 4)
    before = port.state("A")
    port.speeds("A", [5.0], first=1)
    assert port.engine.late == 1
    assert port.state("A") == before


def test_second_reading_of_an_instant_is_ignored(port: Port) -> None:
    port.speeds("A", [FREE])
    assert port.speeds("A", [5.0]) == []
    assert port.state("A").reading["speed_kmh"] == FREE


def test_readings_of_others_are_ignored(port: Port) -> None:
    assert port.speeds("nobody", [FREE]) == []
    assert port.engine.absorb([replace(port.speed_readings("A", [FREE]), kind="no_kind")]) == []
    assert port.engine.ignored == 2
    assert port.engine.absorb([]) == []


def test_new_sensor_joins_and_a_removed_one_leaves(port: Port) -> None:
    port.speeds("A", [FREE] * 2)
    port.engine.refresh(Port.recording(["A", "C"]).catalogue)
    port.speeds("C", [CONGESTED] * 2)

    assert [state.thing for state in port.engine.states()] == ["A", "C"]
    assert port.state("A").level is Level.FLUID
    assert port.state("C").level is Level.CONGESTED
    assert port.speeds("B", [FREE]) == []


def test_rebuilding_from_readings_announces_nothing_twice(port: Port) -> None:
    history = port.speed_readings("A", [FREE] * 2 + [CONGESTED] * 3)
    assert port.engine.absorb([history], announcing=False) == []
    assert port.state("A").level is Level.CONGESTED
    assert [c.what for c in port.speeds("A", [FREE] * 6, first=5)] == [What.ENDED]


def test_every_sensor_of_the_shipped_port_has_a_state() -> None:
    port = Port.shipped()
    assert sum(state.thing in port.catalogue.sensor_by_id for state in port.engine.states()) == 90
    assert all(state.verdict is Verdict.UNKNOWN for state in port.engine.states())


def test_reader_lives_while_one_of_its_corridors_speaks() -> None:
    port = Port.shipped()
    reader, ends = next((reader, ends) for reader, ends in port.readers.items() if len(ends) > 1)
    port.absorb(port.readings("travel_time", ends[0], [{"median_s": 300.0}]))
    (state,) = [state for state in port.engine.states(ends[:1]) if state.thing == reader]
    assert (state.silent, state.verdict, state.time_us) == (False, Verdict.TRAFFIC, START)
    port.engine.advance(START + 24 * 60 * MINUTE)
    (state,) = port.engine.states([reader])
    assert (state.silent, state.verdict) == (True, Verdict.SENSOR)


def test_passages_of_a_gate_leave_its_state_alone() -> None:
    port = Port.shipped()
    gate = next(sensor.id for sensor in port.catalogue.sensors if sensor.kind == "gate")
    port.absorb(port.readings("gate", gate, [{"wait_s": 2000.0}]))
    port.absorb(port.readings("passage", gate, [{}], first=1))
    assert (port.state(gate).level, port.state(gate).time_us) == (Level.CONGESTED, START)


def test_car_park_falls_back_to_its_configured_capacity() -> None:
    port = Port.shipped()
    park = next(sensor for sensor in port.catalogue.sensors if sensor.kind == "parking")
    assert park.capacity
    (began,) = port.absorb(port.readings("parking", park.id, [{"occupied": 0.96 * park.capacity}]))
    assert (began.level, began.value) == (Level.JAMMED, pytest.approx(0.96))


def test_a_stock_that_leaps_waits_until_it_has_stayed() -> None:
    port = Port(shipped_catalogue(), 60_000_000)
    park = next(sensor for sensor in port.catalogue.sensors if sensor.kind == "parking")

    def taken(*shares: float, first: int, leaps: Sequence[int]) -> list[Change]:
        rows = [{"occupied": share * 350, "capacity": 350.0} for share in shares]
        return port.absorb(port.readings("parking", park.id, rows, first=first, quality=leaps))

    leap = int(Quality.RATE)
    assert taken(0.5, 0.99, 0.5, first=0, leaps=[0, leap, leap]) == []
    assert port.state(park.id).level is Level.FLUID
    assert taken(0.99, 0.99, 0.5, 0.5, first=3, leaps=[leap, 0, leap, 0]) == []  # two wild readings in a row
    (began,) = taken(0.99, 0.99, 0.99, 0.99, 0.99, first=7, leaps=[leap, 0, 0, 0, 0])
    assert (began.what, began.time_us) == (What.BEGAN, START + 11 * port.step_us)


def test_a_park_is_over_its_capacity_only_for_who_saw_it_fill_up() -> None:
    port = Port(shipped_catalogue(), 60_000_000)
    park = next(sensor for sensor in port.catalogue.sensors if sensor.kind == "parking")

    def levels(*shares: float, first: int) -> list[Level | None]:
        found = []
        for number, share in enumerate(shares):
            rows = [{"occupied": share * 350, "capacity": 350.0}]
            port.absorb(port.readings("parking", park.id, rows, first=first + number))
            found.append(port.state(park.id).level)
        return found

    assert levels(1.1, 0.5, 1.1, 1.1, first=0) == [Level.UNKNOWN, *[Level.FLUID] * 3]
    assert levels(0.9, 0.99, 1.1, first=4) == [Level.CONGESTED, Level.JAMMED, Level.JAMMED]
    assert levels(*[0.78] * 4, 1.12, 1.12, first=7)[-3:] == [Level.DENSE] * 3, "nobody drove in"


@pytest.mark.parametrize(("field", "level"), [("entries", Level.JAMMED), ("occupied", Level.FLUID)])
def test_a_stock_is_counted_apart_from_what_comes_in(field: str, level: Level) -> None:
    port = Port(shipped_catalogue(), 60_000_000)
    park = next(sensor for sensor in port.catalogue.sensors if sensor.kind == "parking")
    row = {"occupied": 345.0, "capacity": 350.0, "entries": 3.0} | {field: 5000.0}
    free = {"occupied": 100.0, "capacity": 350.0, "entries": 3.0}
    port.absorb(port.readings("parking", park.id, [free]))
    port.absorb(port.readings("parking", park.id, [row], first=1, quality=[int(Quality.OUT_OF_RANGE)]))
    assert port.state(park.id).level is level


def test_a_link_that_loses_most_readings_keeps_no_alarm_open() -> None:
    port = Port.recording(["A"], period_s=30)

    def heard(speed_kmh: float, *at: int) -> list[What]:
        return [change.what for number in at for change in port.speeds("A", [speed_kmh], first=number)]

    assert What.BEGAN in heard(20, 0, 1, 2, 3)
    assert What.ENDED not in heard(100, 6, 10, 13, 18)
    assert What.ENDED in heard(100, 22, 27, 30, 35)
