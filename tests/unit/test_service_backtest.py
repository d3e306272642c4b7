"""Backtests: settings that are tried, situations that are matched, calls that are counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analytics.alarms.conditions import Happening
from analytics.alarms.rulebook import shipped_rules
from analytics.engine import Engine
from analytics.settings import Rule
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.backtest.calls import calls
from service.backtest.compare import Lived, Stay, compare, cut
from service.backtest.trial import (
    NOTHING,
    Detection,
    Levels,
    Trial,
    TrialError,
    as_mapping,
    read_trial,
    tried_catalogue,
    tried_kinds,
    try_detection,
)

KINDS, CATALOGUE = load_kinds(), shipped_catalogue()
EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def at(minute: float) -> datetime:
    return EIGHT + timedelta(minutes=minute)


def lived(name: str, start: float, end: float | None, *sensors: str, kind: str = "road") -> Lived:
    over = None if end is None else at(end)
    stays = tuple(Stay(sensor, at(start), over) for sensor in sensors)
    return Lived(name, kind, "congested", "unknown", ("W01",), at(start), over, stays)


def test_same_id_onset_end_and_sensors_is_the_same() -> None:
    found = compare([lived("a", 0, 30, "x")], [lived("a", 0, 30, "x")], at(60))
    assert ([one.id for one in found.same], found.moved, found.came, found.gone) == (["a"], [], [], [])


def test_same_id_with_another_end_or_other_sensors_has_moved() -> None:
    later = compare([lived("a", 0, 30, "x")], [lived("a", 0, 45, "x")], at(60)).moved
    assert [(pair.onset_min, pair.end_min) for pair in later] == [(0, 15)]
    wider = compare([lived("a", 0, 30, "x")], [lived("a", 0, 30, "x", "y")], at(60))
    assert (len(wider.moved), wider.same) == (1, [])
    still = compare([lived("a", 0, 30, "x")], [lived("a", 0, None, "x")], at(60)).moved
    assert [pair.end_min for pair in still] == [None]


def test_other_ids_are_matched_by_what_they_share_longest() -> None:
    live = [lived("a", 0, 60, "x"), lived("b", 0, 20, "y")]
    trial = [lived("c", 5, 60, "x", "y"), lived("d", 2, 20, "y")]
    found = compare(live, trial, at(90))
    assert [(pair.live.id, pair.trial.id, pair.onset_min) for pair in found.moved] == [("a", "c", 5), ("b", "d", 2)]


def test_what_shares_no_sensor_time_or_kind_came_or_is_gone() -> None:
    live = [lived("a", 0, 10, "x"), lived("b", 0, 10, "y", kind="gate")]
    trial = [lived("c", 20, 30, "x"), lived("d", 0, 10, "y"), lived("e", 0, 10, "z")]
    found = compare(live, trial, at(60))
    assert [one.id for one in found.gone] == ["a", "b"]
    assert [one.id for one in found.came] == ["d", "e", "c"]
    assert not found.moved


def test_only_what_lies_in_the_range_counts() -> None:
    inside = cut(lived("a", 0, 90, "x"), at(10), at(60))
    assert inside is not None
    assert (inside.onset, inside.end, inside.stays) == (at(0), None, (Stay("x", at(0), None),))
    assert cut(lived("a", 0, 5, "x"), at(10), at(60)) is None
    assert cut(lived("a", 60, None, "x"), at(10), at(60)) is None


def test_trial_changes_what_it_names_and_nothing_else() -> None:
    trial = Trial(
        detection=Detection(confirm_on=9, thresholds=1.1),
        limits={"gate": Levels(dense=600, congested=1200, jammed=2400)},
        sensors={"W07-G1": Levels(dense=60, congested=120, jammed=240)},
        free_speed_kmh={"W01-F1": 70},
        without=("W01-F2",),
    )
    before = Engine(KINDS, CATALOGUE).roster
    after = Engine(tried_kinds(trial, KINDS), tried_catalogue(trial, CATALOGUE)).roster
    try_detection(trial, after)
    assert "W01-F2" not in after.index
    speeds = after.settings.rule == Rule.SPEED
    assert (after.settings.confirm_on[speeds] == 9).all()
    place = {name: after.index[name] for name in ("W07-G1", "W07-G2", "W01-F1", "W02-F1")}
    assert after.settings.congested[place["W07-G1"]] == 120
    assert after.settings.congested[place["W07-G2"]] == 1200
    assert after.settings.free_kmh[place["W01-F1"]] == pytest.approx(77)
    was_kmh = before.settings.free_kmh[before.index["W02-F1"]]
    assert after.settings.free_kmh[place["W02-F1"]] == pytest.approx(1.1 * was_kmh)
    assert np.array_equal(after.settings.weight[speeds], before.settings.weight[before.settings.rule == Rule.SPEED][1:])
    assert as_mapping(NOTHING) == {}
    assert as_mapping(trial)["detection"] == {"confirm_on": 9, "thresholds": 1.1}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[detection]\nspeed = 3", "unknown field"),
        ("[limits.gate]\ndense = 1", "missing required field"),
        ("[detection]\nweight = 2.0", "<= 1"),
        ("what", "not settings to try"),
    ],
)
def test_settings_that_mean_nothing_are_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "try.toml"
    path.write_text(text)
    with pytest.raises(TrialError, match=complaint) as refused:
        read_trial(path)
    assert str(path) in str(refused.value)
    with pytest.raises(TrialError, match="cannot be read"):
        read_trial(tmp_path / "none.toml")


def test_unknown_sensors_kinds_and_limits_that_fall_are_refused() -> None:
    with pytest.raises(TrialError, match="no sensor W99-F1"):
        tried_catalogue(Trial(without=("W99-F1",)), CATALOGUE)
    with pytest.raises(TrialError, match="kinds with limits are gate"):
        tried_kinds(Trial(limits={"traffic": Levels(dense=1, congested=2, jammed=3)}), KINDS)
    with pytest.raises(TrialError, match="must rise"):
        tried_kinds(Trial(limits={"gate": Levels(dense=3, congested=2, jammed=1)}), KINDS)


def happening(minute: float, step: str, level: str = "jammed") -> Happening:
    data = {
        "situation": "20260302T080000Z-W07-G1",
        "kind": "gate",
        "level": level,
        "sites": ["W07"],
        "places": ["W07-G1"],
        "sensors": ["W07-G1"],
        "onset": at(0).isoformat(),
    }
    return Happening(at(minute), f"vigie.situation.{step}.v1", "20260302T080000Z-W07-G1", data)


def test_calls_are_those_of_the_rules_by_event_time() -> None:
    told = [happening(1, "began"), happening(50, "ended")]
    (call,) = calls(told, CATALOGUE, shipped_rules(), at(120))
    assert at(0) <= call.at <= at(50)
    assert call.source == "20260302T080000Z-W07-G1"
    assert not calls([], CATALOGUE, shipped_rules(), at(120))
