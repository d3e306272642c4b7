"""What the feed may carry: every type of alert with its schema and how long it may be believed.

A type ends in its version. Within a version keys are only added and nothing changes its meaning; what would, is a new
type beside the old one. Consumers ignore keys and types that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sensors.fault import Fault, Scope
from sensors.level import Level, Verdict

VALID_FOR = timedelta(minutes=30)
"""How long an alert holds after it was told, if nothing newer comes: as long as analytics itself believes a state that
nobody confirms (domain section 4). Longer acts on what is over, shorter forgets what still stands."""
TOLD_LATE = timedelta(hours=1)
"""What happened longer ago than this was told late, or is a recording: it holds as if it had been told in time."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_Schema = dict[str, Any]


def _some(schema: _Schema) -> _Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


_TEXT: _Schema = {"type": "string"}
_TIME: _Schema = {"type": "string", "format": "date-time"}
_NUMBER: _Schema = {"type": "number"}
_IDS: _Schema = {"type": "array", "items": _TEXT}
_BOTH: _Schema = {"type": "object", "properties": {"en": _TEXT, "fr": _TEXT}, "required": ["en", "fr"]}
_LINES: _Schema = {"type": "array", "items": {"type": "string", "maxLength": 20}, "minItems": 2, "maxItems": 2}
_SIGN: _Schema = {"type": "object", "properties": {"en": _LINES, "fr": _LINES}, "required": ["en", "fr"]}
_LEVEL: _Schema = {"enum": [level.label for level in Level]}
_VERDICT: _Schema = {"enum": [verdict.value for verdict in Verdict]}
_FREE: _Schema = {"type": "object"}

_KEYS: Mapping[str, tuple[_Schema, str]] = {
    "level": (_some(_LEVEL), "how bad it is; null for kinds without levels"),
    "previous": (_some(_TEXT), "what it was before"),
    "verdict": (_VERDICT, "whether it tells of the road or of the sensor"),
    "site": (_some(_TEXT), "where; the first site where there are several"),
    "sites": (_IDS, "all its sites"),
    "kind": (_some(_TEXT), "kind of sensor or situation, or the fault"),
    "value": (_some(_NUMBER), "what the level was judged by"),
    "evidence": (_some(_FREE), "what it rests on"),
    "situation": (_some(_TEXT), "id of the situation"),
    "places": (_IDS, "sections, gates, yards it covers"),
    "sensors": (_IDS, "sensors and corridors it rests on"),
    "onset": (_some(_TIME), "when it began"),
    "expected_end": (_some(_TEXT), "when it is expected to end"),
    "expected_end_low": (_some(_TIME), "it ends after this 9 times of 10"),
    "expected_end_high": (_some(_TIME), "it ends before this 9 times of 10"),
    "delay_s": (_some(_NUMBER), "seconds of vehicles lost so far"),
    "lorry_hours": (_some(_NUMBER), "hours of lorries lost so far"),
    "head": (_TEXT, "the place where it begins to flow again"),
    "tail": (_TEXT, "the place that it has grown to"),
    "length_m": (_some(_NUMBER), "how long it is"),
    "trend": ({"enum": ["growing", "steady", "shrinking"]}, "how its extent changed over the last minutes"),
    "end": (_some(_TIME), "when it was over"),
    "cause": ({}, "the cause: a name, or hints with their evidence"),
    "headline": (_some(_BOTH), "a sentence of its facts"),
    "sign": (_some(_SIGN), "two lines for a variable-message sign, in capitals; blank when it is over"),
    "spillback": (_some(_FREE), "what its queue reaches next: towards, site, storage_m, filled, reaches_at"),
    "parent": (_some(_TEXT), "the situation it is a part of, or comes from"),
    "fault": ({"enum": [fault.value for fault in Fault]}, "what is wrong with it"),
    "scope": ({"enum": [scope.value for scope in Scope]}, "what the fault befalls"),
    "since": (_some(_TIME), "since when"),
    "alarm": (_TEXT, "id of the alarm: /v1/alarms/{alarm}"),
    "action": (_TEXT, "what moved it"),
    "state": (_TEXT, "its state afterwards"),
    "active": ({"type": "boolean"}, "its condition holds, whatever the state"),
    "rule": (_TEXT, "the rule that called"),
    "title": (_BOTH, "what it is"),
    "priority": ({"enum": ["low", "medium", "high"]}, "how soon somebody must act"),
    "score": (_some(_NUMBER), "level x abnormality x place"),
    "within_min": (_NUMBER, "by when somebody must have acted, from the call"),
    "began": (_TIME, "when it began"),
    "alarms_10min": ({"type": "integer"}, "alarms of the last 10 minutes"),
    "most_10min": ({"type": "integer"}, "the most within 10 minutes so far"),
    "subscription": (_TEXT, "id of the subscription"),
    "name": (_TEXT, "what people call it"),
    "maintenance": (_TEXT, "id of the maintenance"),
    "range": ({"enum": ["sensor", "site", "terminal"]}, "what is under maintenance, or closed"),
    "begins": (_TIME, "when it begins"),
    "ends": (_TIME, "when it ends"),
    "resolution": (_TEXT, "length of the means"),
    "from": (_TIME, "beginning of the stretch"),
    "to": (_TIME, "end of the stretch"),
    "buckets": ({"type": "integer"}, "how many means changed"),
    "why": (_TEXT, "the reason"),
    "old": (_FREE, "the means as they were"),
    "new": (_FREE, "the means as they are"),
    "valid_until": (_TIME, "until when it may be believed, if nothing newer comes: then fail safe"),
}
"""What a key holds, the same in every type that has it."""


@dataclass(frozen=True, slots=True)
class AlertType:
    """A type of alert: when it comes, the keys of its data that are always there, and those that may be."""

    about: str
    always: tuple[str, ...]
    maybe: tuple[str, ...] = ()


_CONGESTION = ("level", "previous", "verdict", "site", "kind", "value", "evidence")
_SITUATION = ("situation", "kind", "level")
_SITUATION_MAY = (
    "site",
    "sites",
    "places",
    "sensors",
    "onset",
    *("expected_end", "expected_end_low", "expected_end_high", "delay_s", "lorry_hours"),
    "cause",
    "headline",
    "sign",
    "spillback",
    "parent",
    "previous",
)
_SILENT = ("level", "previous", "verdict", "site", "kind")
_FAULT = ("fault", "scope", "site", "kind", "since")
_ALARM = (
    *("alarm", "action", "state", "previous", "active", "rule", "title", "priority", "level", "kind", "site", "sites"),
    *("places", "sensors", "onset", "within_min"),
)
_ALARM_MAY = ("headline", "sign", "score", "cause", "situation", "expected_end")
_FLOOD = ("began", "alarms_10min", "most_10min")
_RECEIVER = ("subscription", "kind", "name", "why")
_WORK = ("maintenance", "range", "begins", "ends")

TYPES: Mapping[str, AlertType] = {
    "vigie.congestion.began.v1": AlertType("a sensor or corridor became congested or jammed", _CONGESTION),
    "vigie.congestion.changed.v1": AlertType("its level changed while congested", _CONGESTION),
    "vigie.congestion.ended.v1": AlertType("it flows again", _CONGESTION),
    "vigie.congestion.lost.v1": AlertType(
        'nobody has seen it for long: no longer known, which is not "ended"', _CONGESTION
    ),
    "vigie.situation.began.v1": AlertType("congested neighbours became a situation", _SITUATION, _SITUATION_MAY),
    "vigie.situation.changed.v1": AlertType("its level, extent, cause or end changed", _SITUATION, _SITUATION_MAY),
    "vigie.situation.ended.v1": AlertType("it is over, or became part of another", _SITUATION, _SITUATION_MAY),
    "vigie.sensor.silent.v1": AlertType("a sensor stopped speaking", _SILENT, ("value", "evidence")),
    "vigie.sensor.returned.v1": AlertType("it speaks again", _SILENT, ("value", "evidence")),
    "vigie.sensor.faulty.v1": AlertType("a sensor, a site or a basin is at fault", _FAULT, ("verdict", "evidence")),
    "vigie.sensor.recovered.v1": AlertType("it works again", _FAULT, ("verdict", "evidence")),
    "vigie.alarm.raised.v1": AlertType(
        "an alarm calls: the first time, again, or at a higher level", _ALARM, _ALARM_MAY
    ),
    "vigie.alarm.changed.v1": AlertType(
        "acknowledged, shelved, muted, over, another level or priority, a comment", _ALARM, _ALARM_MAY
    ),
    "vigie.alarm.escalated.v1": AlertType("nobody answered at high priority", _ALARM, _ALARM_MAY),
    "vigie.alarm.cleared.v1": AlertType("it is over and acknowledged", _ALARM, _ALARM_MAY),
    "vigie.flood.began.v1": AlertType("more alarms than anybody can read", _FLOOD),
    "vigie.flood.ended.v1": AlertType("they can be read again", _FLOOD),
    "vigie.maintenance.planned.v1": AlertType("maintenance was announced", _WORK),
    "vigie.maintenance.ended.v1": AlertType("it ended before its time", _WORK),
    "vigie.subscription.disabled.v1": AlertType("a receiver of alerts was given up", _RECEIVER),
    "vigie.subscription.enabled.v1": AlertType("it is served again", _RECEIVER),
    "vigie.subscription.deleted.v1": AlertType("it was deleted", _RECEIVER),
    "vigie.aggregate.revised.v1": AlertType(
        "late readings changed means that were published",
        ("kind", "resolution", "from", "to", "buckets", "why", "old", "new"),
    ),
}


TEST = "vigie.test.v1"
HEARTBEAT = "vigie.heartbeat.v1"
CHALLENGE = "vigie.subscription.challenge.v1"
NOT_OF_THE_FEED = frozenset({TEST, HEARTBEAT, CHALLENGE})
"""What receivers are sent beside alerts: CloudEvents too, with ids of their own."""


def schema_name(type_: str) -> str:
    """The value of the attribute `dataschema` for alerts of this type."""
    return f"urn:vigie:schema:{type_}"


def schema_of(type_: str) -> dict[str, Any]:
    """The JSON Schema of a whole alert of this type; raises `KeyError` for one that there is not."""
    kind = TYPES[type_]
    keys = (*kind.always, *kind.maybe, "valid_until")
    data = {
        "type": "object",
        "properties": {key: _key(key) for key in keys},
        "required": sorted({*kind.always, "valid_until"}),
    }
    attributes: dict[str, _Schema] = {
        "specversion": {"const": "1.0"},
        "id": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "also the cursor, in the order of commits",
        },
        "source": {"const": "/vigie"},
        "type": {"const": type_},
        "subject": {"type": "string", "minLength": 1},
        "time": _TIME | {"description": "when it happened"},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"const": schema_name(type_)},
        "data": data,
    }
    return {
        "$schema": _DIALECT,
        "$id": schema_name(type_),
        "title": type_,
        "description": f"CloudEvent: {kind.about}. A later version of Vigie may add keys.",
        "type": "object",
        "properties": attributes,
        "required": list(attributes),
    }


def _key(key: str) -> _Schema:
    schema, about = _KEYS[key]
    return {**schema, "description": about}
