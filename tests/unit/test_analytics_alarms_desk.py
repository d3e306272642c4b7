"""The desk: whom events of the feed and the clock call, and whom they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from analytics.alarms.conditions import CONGESTION, SITUATIONS, Happening, Reading
from analytics.alarms.desk import Desk
from analytics.alarms.lifecycle import Action, State, announces, rebuild
from analytics.alarms.machine import Deed, acknowledge
from analytics.alarms.muting import Maintenance, Range
from analytics.alarms.rulebook import shipped_rules
from analytics.alarms.standing import Clocks, Standing
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.level import Level

NOW = datetime(2026, 3, 2, 7, 14, tzinfo=UTC)
PORT = shipped_catalogue()
RULES = shipped_rules()
MINUTE = timedelta(minutes=1)


def recorded(site: str) -> Catalogue:
    """The port with one site under the clock of a recording."""
    sites = [msgspec.structs.replace(s, clock="recording") if s.id == site else s for s in PORT.sites]
    return msgspec.structs.replace(PORT, sites=tuple(sites))


class Shift:
    """A desk, the wall's clock, and the feed that comes in."""

    def __init__(
        self,
        readings: Sequence[Reading] = CONGESTION,
        *,
        catalogue: Catalogue = PORT,
        maintenance: Sequence[Maintenance] = (),
        **delays: float,
    ) -> None:
        self.now = NOW
        alarms = tuple(msgspec.structs.replace(rule, **delays) for rule in RULES.alarm)
        rules = msgspec.structs.replace(RULES, alarm=alarms) if delays else RULES
        self.desk = Desk(rules, catalogue, readings, maintenance=maintenance)

    def event(self, type_: str, subject: str, *, at: datetime | None = None, **data: Any) -> Shift:
        self.desk.take(Happening(at or self.now, f"vigie.{type_}.v1", subject, data), self.now)
        return self

    def jam(self, thing: str = "W12-F1", verb: str = "began", level: str = "congested", **data: Any) -> Shift:
        sensor = PORT.sensor_by_id.get(thing)
        kind, site = (sensor.kind, sensor.site) if sensor else ("travel_time", thing[4:])
        return self.event(f"congestion.{verb}", thing, kind=kind, site=site, level=level, **data)

    def fault(self, subject: str, fault: str, verb: str = "faulty") -> Shift:
        return self.event(f"sensor.{verb}", subject, fault=fault, site=subject[:3])

    def later(self, minutes: float, **recordings: datetime) -> Shift:
        self.now += minutes * MINUTE
        self.desk.settle(Clocks(self.now, recordings))
        return self

    def __getitem__(self, key: str) -> Standing:
        (found,) = [e for e in [*self.desk.changed(), *self.desk.standing.values()] if e.condition.key == key][:1]
        return found

    @property
    def calls(self) -> list[str]:
        entries = {id(e): e for e in [*self.desk.changed(), *self.desk.standing.values()]}.values()
        return [entry.condition.key for entry in entries for step in entry.trail if announces(step)]


def test_congestion_calls_at_once_and_ends() -> None:
    shift = Shift().jam("W07-G1").later(10).jam("W07-G1", "ended", "dense")
    alarm = shift["congestion:W07-G1"]
    assert [(t.action, t.target, t.at) for t in alarm.trail] == [
        (Action.RAISE, State.UNACKNOWLEDGED, NOW),
        (Action.RETURN, State.RETURNED, NOW + 10 * MINUTE),
    ]
    assert alarm.rule is not None
    assert alarm.rule.name == "gate_congested"
    assert rebuild(alarm.trail) == alarm.life


def test_no_longer_seen_is_told_apart_from_ended() -> None:
    assert Shift().jam("W07-G1").jam("W07-G1", "lost")["congestion:W07-G1"].trail[-1].why == "no longer seen"


def test_a_higher_level_calls_again() -> None:
    shift = Shift().jam().jam(verb="changed", level="jammed").jam(verb="changed", level="congested")
    assert shift.calls == ["congestion:W12-F1"] * 2
    assert shift["congestion:W12-F1"].life.level is Level.CONGESTED


def test_what_nobody_can_answer_stays_an_event() -> None:
    shift = Shift().fault("W12-F1", "duplicate")
    assert shift.calls == []
    assert "sensor:W12-F1:duplicate" in shift.desk.standing


def test_a_condition_shorter_than_the_on_delay_never_calls() -> None:
    shift = Shift(on_delay_s=60.0).jam().later(0.5).jam(verb="ended").later(5)
    assert shift.calls == []
    assert not shift.desk.standing
    assert Shift(on_delay_s=60.0).jam().later(1).calls == ["congestion:W12-F1"]


def test_a_flicker_shorter_than_the_off_delay_is_one_alarm() -> None:
    shift = Shift(off_delay_s=60.0).jam().jam(verb="ended").later(0.9).jam().later(5).jam(verb="ended").later(1)
    assert [t.action for t in shift["congestion:W12-F1"].trail] == [Action.RAISE, Action.RETURN]


def test_the_clock_knows_when_a_delay_is_over() -> None:
    assert Shift(on_delay_s=60.0).jam().desk.due_at(NOW) == NOW + MINUTE
    assert Shift(off_delay_s=90.0).jam().jam(verb="ended").desk.due_at(NOW) == NOW + 1.5 * MINUTE


def test_after_an_alarm_is_over_the_next_is_another_one() -> None:
    shift = Shift().jam()
    first = shift["congestion:W12-F1"]
    first.alarm = 1
    shift.jam(verb="ended")
    first.go(acknowledge(first.life, Deed("Martin", shift.now)))
    shift.later(1).jam()
    (second,) = shift.desk.standing.values()
    assert (first.alarm, second.alarm, len(second.trail)) == (1, None, 1)


def test_high_priority_escalates_by_the_walls_clock_and_not_at_once_when_it_was_told_late() -> None:
    shift = Shift().jam(level="jammed", at=NOW - 30 * MINUTE, abnormality="unusual").later(4)
    assert not shift["congestion:W12-F1"].life.escalated
    assert shift.desk.due_at(shift.now) == NOW + 5 * MINUTE
    assert shift.later(1)["congestion:W12-F1"].life.escalated


def test_a_recording_lives_by_its_own_clock_and_never_escalates() -> None:
    then = datetime(2012, 3, 1, 8, tzinfo=UTC)
    shift = Shift(catalogue=recorded("W12"), off_delay_s=60.0)
    shift.jam(level="jammed", at=then, abnormality="unusual").later(60)
    shift.jam(verb="ended", at=then + 10 * MINUTE).later(1, W12=then + 10.5 * MINUTE)
    alarm = shift["congestion:W12-F1"]
    assert not alarm.life.escalated
    assert alarm.life.active
    shift.later(1, W12=then + 11 * MINUTE)
    assert [(t.action, t.at) for t in alarm.trail] == [(Action.RAISE, then), (Action.RETURN, then + 11 * MINUTE)]


def test_a_basin_lives_by_the_clock_of_a_recording_only_where_it_is_played_as_a_whole() -> None:
    then = datetime(2012, 3, 1, 8, tzinfo=UTC)
    sites = tuple(msgspec.structs.replace(site, clock="recording") for site in PORT.sites)
    for catalogue, at in ((msgspec.structs.replace(PORT, sites=sites), then), (recorded("W12"), NOW)):
        shift = Shift(catalogue=catalogue)
        shift.event("sensor.faulty", "west", at=then, fault="network_down", site=None).later(60)
        assert shift["sensor:west:network_down"].life.announced_at == at


# -- muting


def test_a_faulty_sensor_mutes_what_rests_on_it_alone_and_is_an_alarm_of_its_own() -> None:
    shift = Shift().fault("W12-F1", "stuck").jam("W12-F1")
    assert shift.calls == ["sensor:W12-F1:stuck"]
    alarm = shift["congestion:W12-F1"]
    assert (alarm.life.state, alarm.life.suppressed_by) == (State.SUPPRESSED, "rests on W12-F1 (stuck)")


def test_a_fault_that_comes_later_hides_the_alarm_and_its_end_calls_anew() -> None:
    shift = Shift().jam("W12-F1").fault("W12-F1", "stuck")
    assert shift["congestion:W12-F1"].life.state is State.SUPPRESSED
    shift.fault("W12-F1", "stuck", "recovered")
    assert shift["congestion:W12-F1"].life.state is State.UNACKNOWLEDGED


def situation(shift: Shift, verb: str, *sensors: str, **data: Any) -> Shift:
    data = {"situation": "s1", "kind": "road", "level": "jammed", "sensors": list(sensors), **data}
    return shift.event(f"situation.{verb}", "s1", **data)


def test_a_situation_that_a_second_sensor_sees_is_never_muted() -> None:
    shift = situation(Shift(SITUATIONS).fault("W12-F1", "stuck"), "began", "W12-F1", "W12-F2")
    assert shift["situation:s1"].life.state is State.UNACKNOWLEDGED
    situation(shift, "changed", "W12-F1")
    assert shift["situation:s1"].life.state is State.SUPPRESSED
    situation(shift, "changed", "W12-F1", "W15-F1")
    assert shift["situation:s1"].life.state is State.UNACKNOWLEDGED


def test_silence_hides_no_jam_that_was_seen() -> None:
    shift = Shift().jam("W12-F1").event("sensor.silent", "W12-F1", site="W12", kind="traffic")
    assert shift["congestion:W12-F1"].life.state is State.UNACKNOWLEDGED
    assert shift["sensor:W12-F1:silent"].life.state is State.UNACKNOWLEDGED
    assert shift.event("sensor.returned", "W12-F1").later(1)["sensor:W12-F1:silent"].life.state is State.RETURNED


def test_the_fault_of_a_site_mutes_those_of_its_sensors_and_that_of_a_basin_those_of_its_sites() -> None:
    shift = Shift().fault("W12-F1", "silent").fault("W12", "site_down").fault("W12-F2", "silent")
    states = [shift[f"sensor:{key}"].life.state for key in ("W12-F1:silent", "W12-F2:silent", "W12:site_down")]
    assert states == [State.SUPPRESSED, State.SUPPRESSED, State.UNACKNOWLEDGED]
    shift.fault("west", "network_down")
    assert shift["sensor:W12:site_down"].life.state is State.SUPPRESSED
    assert shift["sensor:west:network_down"].life.state is State.UNACKNOWLEDGED


def test_a_corridor_rests_on_its_reader() -> None:
    corridor = PORT.corridors[0]
    shift = Shift().fault(corridor.reader, "stuck").jam(corridor.id)
    assert shift[f"congestion:{corridor.id}"].life.state is State.SUPPRESSED


def works(range_: Range, target: str) -> Maintenance:
    return Maintenance(range_, target, "works", NOW - MINUTE, NOW + 30 * MINUTE)


@pytest.mark.parametrize("work", [works(Range.SENSOR, "W07-G1"), works(Range.SITE, "W07")])
def test_maintenance_takes_out_of_service_until_its_end(work: Maintenance) -> None:
    shift = Shift(maintenance=[work]).jam("W07-G1")
    assert shift["congestion:W07-G1"].life.out_of_service_by == "maintenance: works"
    assert shift.calls == []
    assert shift.desk.due_at(NOW) == NOW + 30 * MINUTE
    assert shift.later(30)["congestion:W07-G1"].life.state is State.UNACKNOWLEDGED


def test_maintenance_of_one_sensor_hides_nothing_that_another_sees() -> None:
    shift = situation(Shift(SITUATIONS, maintenance=[works(Range.SENSOR, "W12-F1")]), "began", "W12-F1", "W12-F2")
    assert shift["situation:s1"].life.state is State.UNACKNOWLEDGED


def test_a_closed_terminal_mutes_its_gates_but_never_what_reaches_a_public_road() -> None:
    closed = [works(Range.TERMINAL, "SEYA")]
    shift = situation(Shift(SITUATIONS, maintenance=closed), "began", "W07-G1", kind="gate", places=["W07-G1"])
    assert shift["situation:s1"].life.suppressed_by == "SEYA is closed: works"
    road = next(section.id for section in PORT.sections if section.road == "RD268")
    situation(shift, "changed", "W07-G1", kind="gate", places=["W07-G1", road])
    assert shift["situation:s1"].life.state is State.UNACKNOWLEDGED
    assert shift["situation:s1"].rule == RULES.named("gate_spillback")


def test_what_stood_when_the_service_began_calls_and_what_was_over_does_not() -> None:
    shift = Shift()
    for verb, thing in (("began", "W12-F1"), ("ended", "W12-F1"), ("began", "W12-F2")):
        data = {"kind": "traffic", "site": "W12", "level": "congested"}
        event = Happening(NOW - 60 * MINUTE, f"vigie.congestion.{verb}.v1", thing, data)
        shift.desk.take(event, shift.now, calling=False)
    assert shift.calls == []
    assert shift.later(0).calls == ["congestion:W12-F2"]


def test_steps_may_be_cut_anywhere() -> None:
    """A desk that is rebuilt from what was stored goes on as if nothing had happened."""
    whole, cut = Shift(off_delay_s=60.0), Shift(off_delay_s=60.0)
    feed = [("began", 0), ("changed", 2), ("ended", 5), ("began", 5.5), ("ended", 9), ("began", 14), ("ended", 15)]
    for verb, minute in feed:
        for shift in (whole, cut):
            shift.now = NOW
            shift.later(minute).jam(verb=verb, level="jammed" if verb == "changed" else "congested")
        stored = [replace(entry) for entry in cut.desk.standing.values()]
        cut.desk = Desk(whole.desk._rules, PORT, CONGESTION, standing=stored)
    assert whole["congestion:W12-F1"].trail == cut["congestion:W12-F1"].trail
    assert len(whole["congestion:W12-F1"].trail) == 5
