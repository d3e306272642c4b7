from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from simulators.profile import PORT_TIME
from simulators.scenario import draw, load_scenarios
from simulators.scenario_file import Scenario, ScenarioError, parse_scenario

CATALOGUE = shipped_catalogue()
WEEK = datetime(2026, 3, 2, tzinfo=PORT_TIME).timestamp()  # a Monday
SHIPPED = load_scenarios()
NAMED = {
    "accident-rn568",
    "ban-ignored",
    "gate-outage-seayard",
    "lane-closed-rn568",
    "mistral",
    "monday-0730",
    "network-outage-west",
    "ordinary-day",
    "quiet-sunday",
    "recurrent-peak",
    "reefer-trip",
    "standing-lorries",
    "surge-after-holiday",
    "yard-saturated",
}

GOOD = """
title = { en = "A test", fr = "Un essai" }
about = { en = "Something.", fr = "Quelque chose." }
weekdays = ["friday"]
start = "09:15"
hours = 3

[parameters.onset_min]
title = { en = "after", fr = "après" }
low = 60
high = 70

[parameters.place]
title = { en = "where", fr = "où" }
among = ["W05", "W07"]

[[interventions]]
what = "gate_outage"
where = "place"
start_min = "onset_min"
for_min = 30

[[injections]]
what = "silent"
where = "W03-F1"
start_min = "onset_min"
for_min = 20
"""


def test_the_fourteen_scenarios_are_shipped() -> None:
    assert set(SHIPPED) == NAMED


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_run_of_a_shipped_scenario_is_within_its_ranges(name: str) -> None:
    scenario = SHIPPED[name]
    for seed in range(30):
        drawn = draw(scenario, CATALOGUE, seed=seed, week_start_s=WEEK)
        for key, parameter in scenario.parameters.items():
            value = drawn.values[key]
            assert value in parameter.among or parameter.bounds[0] <= float(value) <= parameter.bounds[1]
        assert drawn.start_s >= WEEK
        assert drawn.end_s <= WEEK + 7 * 86_400


@pytest.mark.parametrize("name", sorted(NAMED))
def test_nothing_happens_before_an_hour_has_passed_and_all_of_it_begins(name: str) -> None:
    for seed in range(30):
        drawn = draw(SHIPPED[name], CATALOGUE, seed=seed, week_start_s=WEEK)
        begins = [one.start_s - drawn.start_s for one in (*drawn.interventions, *drawn.injections)]
        assert min(begins) >= 50 * 60
        assert max(begins) < drawn.end_s - drawn.start_s


def test_a_run_is_drawn_by_its_seed_alone() -> None:
    scenario = parse_scenario(GOOD, origin="test.toml")
    one, again = (draw(scenario, CATALOGUE, seed=1, week_start_s=WEEK) for _ in range(2))
    assert one == again
    runs = [draw(scenario, CATALOGUE, seed=seed, week_start_s=WEEK) for seed in range(40)]
    assert {run.interventions[0].where for run in runs} == {"W05", "W07"}
    assert len({run.values["onset_min"] for run in runs}) > 8


def test_a_run_begins_at_its_hour_of_the_port_in_summer_and_in_winter() -> None:
    scenario = parse_scenario(GOOD, origin="test.toml")
    for month in (3, 7):
        week = datetime(2026, month, 4, tzinfo=PORT_TIME).timestamp()
        drawn = draw(scenario, CATALOGUE, seed=1, week_start_s=week)
        begins = datetime.fromtimestamp(drawn.start_s, PORT_TIME)
        assert (begins.strftime("%A %H:%M"), drawn.end_s - drawn.start_s) == ("Friday 09:15", 3 * 3600)
        assert 0 <= drawn.start_s - week < 7 * 86_400


def test_what_is_told_becomes_interventions_and_injections() -> None:
    drawn = draw(parse_scenario(GOOD, origin="test.toml"), CATALOGUE, seed=5, week_start_s=WEEK)
    outage, silence = drawn.interventions[0], drawn.injections[0]
    onset_s = drawn.start_s + 60 * float(drawn.values["onset_min"])
    assert (outage.what, outage.where, outage.start_s) == ("gate_outage", drawn.values["place"], onset_s)
    assert outage.end_s == onset_s + 1800
    assert (silence.what, silence.where, silence.end_s) == (Fault.SILENT, "W03-F1", onset_s + 1200)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("hours = 3", "hours = 3\nhour = 2", r"unknown key 'hour'; expected title, about, weekdays"),
        ("hours = 3", 'hours = "long"', r"hours = 'long' cannot be used: expected `float`, got `str`"),
        ("hours = 3", "hours = 30", r"hours = 30 cannot be used: expected `float` <= 24"),
        ("hours = 3", "", r"the key 'hours' is missing"),
        ('start = "09:15"', 'start = "9h"', r"start = '9h' cannot be used"),
        ('["friday"]', '["vendredi"]', r"weekdays = \['vendredi'\] cannot be used"),
        ("low = 60", "low = 80", r"parameters.onset_min: low = 80 is above high = 70"),
        ("low = 60", "low = 60.5", r"parameters.onset_min: digits = 0 rounds low = 60.5 or high = 70 away"),
        ("low = 60", "lower = 60", r"parameters.onset_min: unknown key 'lower'; expected title, unit, low"),
        ("low = 60", "", r"parameters.onset_min: expected low and high, or among"),
        (
            'among = ["W05", "W07"]',
            "among = []",
            r"parameters.place: expected low and high, or among with at least one",
        ),
        ('where = "place"', 'where = "W05"', r"parameters.place: it is drawn and nothing uses it"),
        ('"place"', '"onset_min"', r"interventions 1: where = 'onset_min' draws a number"),
        ("for_min = 30", 'for_min = "length"', r"interventions 1: for_min = 'length' draws no number; .* onset_min"),
        ("for_min = 30", "for_min = 0", r"interventions 1: for_min = 0; expected more than 0"),
        ("for_min = 30", "start = 2", r"interventions 1: unknown key 'start'; expected where, start_min"),
        ("gate_outage", "strike", r"interventions 1: what = 'strike' cannot be used"),
        ('what = "silent"', 'what = "mute"', r"injections 1: what = 'mute' cannot be used"),
        ("[[interventions]]", "[interventions]", r"interventions is \{.*\}; expected tables \[\[interventions\]\]"),
        ("hours = 3", "hours = = 3", r"not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what_was_expected(old: str, new: str, told: str) -> None:
    with pytest.raises(ScenarioError, match=rf"^mine\.toml: {told}") as caught:
        parse_scenario(GOOD.replace(old, new, 1), origin="mine.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"W05", "W07"',
            '"W05", "W06"',
            r"interventions 1: gate_outage: where = 'W06' is no place for it; there are .*W07",
        ),
        (
            "for_min = 30",
            "for_min = 30\nsize = 2",
            r"interventions 1: gate_outage at 'W05': size = 2; expected a share",
        ),
        ("for_min = 30", "for_min = 30\nposition = 3", r"interventions 1: .*position = 3; expected a share"),
        ('"W03-F1"', '"W03-F9"', r"injections 1: .*'W03-F9'.*W03-F1"),
    ],
)
def test_a_place_that_only_some_runs_would_draw_is_refused_in_every_run(old: str, new: str, told: str) -> None:
    scenario = parse_scenario(GOOD.replace(old, new, 1), origin="mine.toml")
    for seed in range(4):
        with pytest.raises(ScenarioError, match=rf"^mine\.toml: {told}"):
            draw(scenario, CATALOGUE, seed=seed, week_start_s=WEEK)


def test_scenarios_of_ones_own_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD, "utf-8")
    found = load_scenarios(tmp_path)
    assert set(found) == {*NAMED, "mine"}
    assert isinstance(found["mine"], Scenario)


def test_a_folder_or_name_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"scenarios_dir: .*nowhere is not a folder"):
        load_scenarios(tmp_path / "nowhere")
    (tmp_path / "monday-0730.toml").write_text(GOOD, "utf-8")
    with pytest.raises(ScenarioError, match=r"monday-0730\.toml: the scenario 'monday-0730' exists already"):
        load_scenarios(tmp_path)
    (tmp_path / "monday-0730.toml").rename(tmp_path / "My day.toml")
    with pytest.raises(ScenarioError, match=r"My day\.toml: 'My day' cannot name a scenario"):
        load_scenarios(tmp_path)
