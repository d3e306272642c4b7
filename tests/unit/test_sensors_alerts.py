"""Every type of alert: schema, documentation and what the parts really say are one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from making import some_situation

from analytics.alarms.conditions import CONGESTION, SITUATIONS, Happening
from analytics.alarms.desk import Desk
from analytics.alarms.rulebook import shipped_rules
from analytics.alarms.wording import About, data_of, type_of
from analytics.changes import Change, What
from analytics.health.judge import FaultChange
from analytics.situations.cause import Cause, Hint
from analytics.situations.headline import Headlines
from analytics.situations.situation import Notice, Step
from api.shapes import alert_json
from sensors.alerts import NOT_OF_THE_FEED, TYPES, schema_of
from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault, Scope
from sensors.kind import load_kinds
from sensors.level import Level, Verdict
from service.alerts import event_of, fault_event
from service.situating import situation_event
from store.api_rows import EventRow
from store.revisions import Revision, announcements

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 7, 14, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000


def changes() -> Iterator[EventRow]:
    """What analytics tells of a sensor."""
    for what in What:
        level = None if what is What.SILENT else Level.JAMMED
        change = Change(
            "W07-G1", "W07", "gate", NOW_US, what, level, Level.DENSE, Verdict.TRAFFIC, 1830.0, {"wait_s": 1830.0}
        )
        event = event_of(change)
        yield EventRow(1, event.time, event.type, event.subject, dict(event.data))


def alarms() -> Iterator[EventRow]:
    """What becomes of an alarm."""
    desk = Desk(shipped_rules(), shipped_catalogue(), CONGESTION)
    data = {"kind": "gate", "site": "W07", "level": "jammed", "abnormality": "unusual"}
    desk.take(Happening(NOW, "vigie.congestion.began.v1", "W07-G1", data), NOW)
    desk.take(Happening(NOW, "vigie.congestion.ended.v1", "W07-G1", data), NOW)
    yield from told_of(desk)


def told_of(desk: Desk) -> Iterator[EventRow]:
    for entry in desk.changed():
        assert entry.told is not None
        about = About(12, entry.named, entry.told, entry.condition, entry.arithmetic, entry.sites)
        for step in entry.trail:
            yield EventRow(1, step.at, type_of(step), entry.condition.subject, data_of(step, about))


def revisions() -> Iterator[EventRow]:
    late = True
    revised = Revision("gate", "5min", ["wait_s"], "W07-G1", NOW, NOW, late, 9, 0.9, [1.0], 10, 1.0, [2.0])
    for event in announcements([revised]):
        yield EventRow(1, event.time, event.type, event.subject, dict(event.data))


def situations() -> Iterator[EventRow]:
    hint = Hint(Cause.GATE_OUTAGE, 0.9, {"lanes_open": 1.0, "gate": "W07-G1"})
    where = {"places": ("W15-W12",), "head": "W15-W12", "tail": "W15-W12"}
    one = some_situation(**where, cause=hint.what, causes=(hint,))
    for step in Step:
        event = situation_event(Notice(step, one), Headlines(shipped_catalogue(), load_kinds()))
        yield EventRow(1, event.time, event.type, event.subject, dict(event.data))


def faults() -> Iterator[EventRow]:
    for scope, place in ((Scope.SENSOR, "W12-F1"), (Scope.BASIN, "west")):
        for began in (True, False):
            event = fault_event(
                FaultChange(
                    place=place,
                    scope=scope,
                    site="W12" if scope is Scope.SENSOR else None,
                    kind="traffic" if scope is Scope.SENSOR else None,
                    fault=Fault.STUCK,
                    began=began,
                    time_us=NOW_US,
                    since_us=NOW_US,
                    evidence={"readings": 10.0},
                )
            )
            yield EventRow(1, event.time, event.type, event.subject, dict(event.data))


def situation_alarms() -> Iterator[EventRow]:
    desk = Desk(shipped_rules(), shipped_catalogue(), SITUATIONS)
    for row in situations():
        desk.take(Happening(row.time, row.type, row.subject, row.data), NOW)
    yield from told_of(desk)


def test_alarm_of_a_situation_says_its_headline() -> None:
    began = next(situations())
    raised = next(situation_alarms())
    assert raised.type == "vigie.alarm.raised.v1"
    assert raised.data["headline"]["fr"].startswith("Bouchon sur la RN568 vers Arles")
    assert (raised.data["headline"], raised.data["sign"]) == (began.data["headline"], began.data["sign"])


@pytest.mark.parametrize(
    "row",
    [*changes(), *alarms(), *revisions(), *situations(), *situation_alarms(), *faults()],
    ids=lambda row: row.type,
)
def test_what_is_told_fits_its_schema(row: EventRow) -> None:
    row.data["valid_until"] = "2026-03-02T07:44:00Z"
    validate(json.loads(alert_json(row)))


def validate(alert: dict[str, Any]) -> None:
    jsonschema_rs.Draft202012Validator(schema_of(alert["type"]), validate_formats=True).validate(alert)


@pytest.mark.parametrize("type_", TYPES)
def test_every_schema_is_one_and_says_what_it_is(type_: str) -> None:
    schema = schema_of(type_)
    jsonschema_rs.meta.validate(schema)
    assert re.fullmatch(r"vigie(\.[a-z]+){2}\.v\d+", type_)
    data = schema["properties"]["data"]
    assert all(key.get("description") for key in data["properties"].values())
    with pytest.raises(jsonschema_rs.ValidationError, match="valid_until"):
        validate(json.loads(alert_json(EventRow(1, NOW, type_, "W07", dict.fromkeys(data["required"][:-1])))))


def test_every_type_that_is_told_is_known_and_documented() -> None:
    code = [
        file.read_text("utf-8")
        for part in ("analytics", "service", "store", "api")
        for file in (ROOT / part).rglob("*.py")
    ]
    told = set(re.findall(r'"(vigie\.[a-z_]+\.[a-z_]+\.v\d+)"', "\n".join(code)))
    assert told <= TYPES.keys()
    assert not NOT_OF_THE_FEED & TYPES.keys()
    guide = (ROOT / "docs" / "integrating.md").read_text("utf-8")
    assert {type_ for type_ in NOT_OF_THE_FEED if f"`{type_}`" not in guide} == set()
    docs = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert {type_ for type_ in TYPES if f"`{type_}`" not in docs} == set()
