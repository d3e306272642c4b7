"""The rules of alarms: the shipped ones are complete, and a file that is not is refused by name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import analytics.alarms
from analytics.alarms.conditions import Condition, Sort
from analytics.alarms.ground import Ground
from analytics.alarms.priority import weigh
from analytics.alarms.rulebook import RulesError, load_rules, parse_rules, shipped_rules
from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from sensors.level import Abnormality, Level

NOW = datetime(2026, 3, 2, 7, 14, tzinfo=UTC)
SHIPPED = (Path(analytics.alarms.__file__).parent / "rules.toml").read_text("utf-8")
RULES = shipped_rules()
GROUND = Ground(shipped_catalogue(), RULES)

ALARM = """
[[alarm]]
name = "extra"
on = "sensor"
what = ["duplicate"]
title = { fr = "Doublons", en = "Duplicates" }
consequence = { fr = "Rien ne se perd.", en = "Nothing is lost." }
within_min = 60
[alarm.response]
do = { fr = "Mettre à jour.", en = "Update it." }
call = { fr = "Le fournisseur.", en = "The supplier." }
"""


def condition(what: str, thing: str, level: Level = Level.JAMMED, **rest: object) -> Condition:
    sort = Sort.SENSOR if what in set(Fault) else Sort.CONGESTION
    level = Level.UNKNOWN if sort is Sort.SENSOR else level
    return Condition("key", sort, thing, what, NOW, level, sensors=(thing,), places=(thing,), **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "thing", "cause", "alarm"),
    [
        ("traffic", "W12-F1", None, "road_congested"),
        ("traffic", "W12-F1", "accident", "road_accident"),
        ("travel_time", "W17-W15", None, "road_congested"),
        ("gate", "W07-G1", "gate_outage", "gate_outage"),
        ("gate", "W07-G1", "wind_stop", "gate_congested"),
        ("parking", "W09-P1", None, "parking_full"),
        ("site_down", "W07", None, "site_down"),
        ("stuck", "W12-F1", None, "sensor_implausible"),
        ("duplicate", "W12-F1", None, None),
    ],
)
def test_the_first_alarm_that_fits_is_the_one(what: str, thing: str, cause: str | None, alarm: str | None) -> None:
    found = condition(what, thing, cause=cause)
    rule = RULES.rule_of(found, public_road=GROUND.public_road(found))
    assert (rule and rule.name) == alarm


def test_a_gate_whose_queue_lies_on_a_public_road_is_another_alarm() -> None:
    section = next(section.id for section in shipped_catalogue().sections if section.road == "RD268")
    found = condition("gate", "W07-G1", cause="gate_outage")
    spilt = Condition("k", Sort.CONGESTION, "W07-G1", "gate", NOW, Level.JAMMED, places=("W07-G1", section))
    assert not GROUND.public_road(found)
    assert GROUND.public_road(spilt)
    rule = RULES.rule_of(spilt, public_road=True)
    assert rule is not None
    assert rule.name == "gate_spillback"


def test_what_is_only_dense_is_an_event() -> None:
    assert RULES.rule_of(condition("gate", "W07-G1", Level.DENSE), public_road=False) is None


@pytest.mark.parametrize(
    ("what", "thing", "level", "abnormality", "words"),
    [
        ("traffic", "W12-F1", 3, "unusual", "3 (jammed) x 2 (unusual) x 1.5 (public_road) = 9: high, from 6"),
        ("traffic", "W12-F1", 2, "usual", "2 (congested) x 0.5 (usual) x 1.5 (public_road) = 1.5: low, below 3"),
        ("gate", "W07-G1", 3, "unknown", "3 (jammed) x 1.5 (unknown) x 1 (gate) = 4.5: medium, from 3"),
        (
            "network_down",
            "west",
            0,
            "unknown",
            "6 (severity) x 1 (not judged) x 1 (elsewhere) = 6: high, from 6",
        ),
    ],
)
def test_priority_shows_its_arithmetic(what: str, thing: str, level: int, abnormality: str, words: str) -> None:
    found = condition(what, thing, Level(level), abnormality=Abnormality[abnormality.upper()])
    rule = RULES.rule_of(found, public_road=GROUND.public_road(found))
    assert rule is not None
    sum_ = weigh(RULES, rule, found, GROUND.place(found))
    assert sum_.words == words
    assert f": {sum_.priority}, " in words


def test_every_fault_that_takes_a_sensors_word_away_mutes_and_silence_does_not() -> None:
    muting = {fault for rule in RULES.alarm if rule.mutes for fault in rule.what}
    assert {"stuck", "locked_on", "card_off", "chatter", "drift", "direction_swapped"} <= muting
    assert not muting & {"silent", "site_down", "network_down", "insufficient", "duplicate"}


def test_shipped_texts_are_written_with_care() -> None:
    for alarm in tomllib.loads(SHIPPED)["alarm"]:
        texts = [alarm["title"], alarm["consequence"], *alarm["response"].values()]
        for text in texts:
            assert text["fr"] != text["en"]
            assert "'" not in text["fr"] + text["en"], alarm["name"]
            # French sets a no-break space before these signs, and inside its quotation marks.
            assert not re.search(r"[^\u00a0\u202f][;:!?»](?!\d)|«[^\u00a0\u202f]", text["fr"]), (
                alarm["name"],
                text["fr"],
            )
        for text in texts[1:]:
            assert text["fr"].endswith(".")
            assert text["en"].endswith(".")


def test_rules_of_ones_own_may_add_an_alarm() -> None:
    assert parse_rules(SHIPPED + ALARM, "mine").named("extra") is not None


@pytest.mark.parametrize("part", ["do", "call"])
@pytest.mark.parametrize("tongue", ["fr", "en"])
def test_an_alarm_without_its_response_is_refused_by_name(part: str, tongue: str) -> None:
    text = re.sub(rf"({part} = .*){tongue} = \"[^\"]*\"", rf'\1{tongue} = " "', ALARM)
    with pytest.raises(RulesError, match=rf"alarm 'extra' has no response\.{part} in {tongue}.*is an event"):
        parse_rules(SHIPPED + text, "mine")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: re.sub(r"(?s)\[alarm.response\].*", "", a), "'extra' has no response.do in fr and en"),
        (lambda a: re.sub(r"consequence.*", "", a), "'extra' has no consequence in fr and en"),
        (lambda a: a.replace("within_min = 60", "within_min = 0"), "alarm 'extra': Expected `float` > 0"),
        (
            lambda a: a.replace("within_min = 60", "colour = 1\nwithin_min = 60"),
            "alarm 'extra': .*unknown field `colour`",
        ),
        (lambda a: a.replace("duplicate", "duplicates"), "'duplicates' is no fault of a sensor"),
        (lambda a: a.replace("duplicate", "stuck"), "'extra' is never reached: 'sensor_implausible' above it"),
        (lambda a: a.replace("extra", "site_down"), "alarm 'site_down' stands twice"),
        (lambda a: a.replace('"sensor"', '"congestion"\nmutes = true'), "only an alarm on a sensor mutes"),
        (lambda a: a + "[[place", "not TOML"),
        (lambda a: a.replace('"sensor"', '"weather"'), "alarm 'extra': Invalid enum value 'weather' at on"),
    ],
)
def test_a_fault_in_the_rules_is_named(change: Callable[[str], str], message: str) -> None:
    with pytest.raises(RulesError, match=message):
        parse_rules(SHIPPED + change(ALARM), "mine")


def test_factors_must_be_complete_and_in_order() -> None:
    with pytest.raises(RulesError, match=r"priority.level has factors for .*needs them for unknown, dense"):
        parse_rules(SHIPPED.replace("dense = 1.0\n", ""), "mine")
    with pytest.raises(RulesError, match="medium from 9 is not below high from 6"):
        parse_rules(SHIPPED.replace("medium = 3.0", "medium = 9.0"), "mine")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"nowhere\.toml: No such file"):
        load_rules(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes("title = 'été'".encode("latin-1"))
    with pytest.raises(RulesError, match="not UTF-8"):
        load_rules(tmp_path / "latin.toml")
