"""What stands: the conditions that alarms are about, and what an event of the feed says of one.

Where conditions come from is the caller's choice: a `Reading` turns an event into a signal, or into nothing when the
event is not of its sort. `SITUATIONS` makes one alarm of congested neighbours, `CONGESTION` one of each sensor.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sensors.level import Abnormality, Level


class Sort(enum.StrEnum):
    """What a condition is about."""

    CONGESTION = "congestion"
    SENSOR = "sensor"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that holds at places, as the newest event tells it.

    key: the same from its beginning to its end. subject: that of the event. what: the kind of sensor or situation, or
    the fault. sites: where. places: sections, gates, yards it covers. sensors: sensors and corridors it rests on.
    data: the event's data as it came.
    """

    key: str
    sort: Sort
    subject: str
    what: str
    onset_at: datetime
    level: Level = Level.UNKNOWN
    abnormality: Abnormality = Abnormality.UNKNOWN
    sites: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sensors: tuple[str, ...] = ()
    cause: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the feed as it is read here."""

    time: datetime
    type: str
    subject: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Signal:
    """A condition that begins or goes on, or (`over`) one that does not; `why` in a few words."""

    condition: Condition
    over: bool
    why: str


Reading = Callable[[Happening], Signal | None]


def congestion(event: Happening) -> Signal | None:
    """Congestion told sensor by sensor or corridor by corridor."""
    verb = _verb(event.type, "vigie.congestion.")
    if verb is None:
        return None
    data, thing = event.data, event.subject
    condition = Condition(
        key=f"congestion:{thing}",
        sort=Sort.CONGESTION,
        subject=thing,
        what=_text(data.get("kind")),
        onset_at=event.time,
        level=_level(data.get("level")),
        abnormality=_abnormality(data),
        sites=_texts([data.get("site")]),
        places=(thing,),
        sensors=(thing,),
        data=data,
    )
    return Signal(condition, verb in _OVER, _OVER.get(verb, condition.level.label))


def situation(event: Happening) -> Signal | None:
    """Congested neighbours told as one situation, with its cause."""
    verb = _verb(event.type, "vigie.situation.")
    if verb is None:
        return None
    data = event.data
    identity = _text(data.get("situation")) or event.subject
    condition = Condition(
        key=f"situation:{identity}",
        sort=Sort.CONGESTION,
        subject=event.subject,
        what=_text(data.get("kind")),
        onset_at=_instant(data.get("onset")) or event.time,
        level=_level(data.get("level")),
        abnormality=_abnormality(data),
        sites=_texts(data.get("sites") or [data.get("site")]),
        places=_texts(data.get("places")),
        sensors=_texts(data.get("sensors")),
        cause=_cause(data.get("cause")),
        data=data,
    )
    if data.get("state") == _PART:
        return Signal(condition, over=True, why=f"part of {_text(data.get('parent')) or 'another'}")
    return Signal(condition, verb in _OVER, _OVER.get(verb, condition.level.label))


def sensor_fault(event: Happening) -> Signal | None:
    """A sensor, a site or a basin that is at fault; silence is a fault with events of its own."""
    verb = _verb(event.type, "vigie.sensor.")
    if verb not in _FAULTY:
        return None
    data = event.data
    fault = _text(data.get("fault")) or "silent"
    condition = Condition(
        key=f"sensor:{event.subject}:{fault}",
        sort=Sort.SENSOR,
        subject=event.subject,
        what=fault,
        onset_at=_instant(data.get("since")) or event.time,
        sites=_texts([data.get("site")]),
        sensors=(event.subject,),
        data=data,
    )
    return Signal(condition, _FAULTY[verb], "working again" if _FAULTY[verb] else fault)


def subscription(event: Happening) -> Signal | None:
    """A receiver of alerts that was given up, or is served again."""
    verb = _verb(event.type, "vigie.subscription.")
    if verb not in _SERVED:
        return None
    condition = Condition(
        key=f"subscription:{event.subject}",
        sort=Sort.SERVICE,
        subject=event.subject,
        what="subscription",
        onset_at=event.time,
        data=event.data,
    )
    return Signal(condition, _SERVED[verb], "served again" if _SERVED[verb] else "given up")


CONGESTION: tuple[Reading, ...] = (congestion, sensor_fault, subscription)
SITUATIONS: tuple[Reading, ...] = (situation, sensor_fault, subscription)


def read(readings: Sequence[Reading], event: Happening) -> Signal | None:
    """What the first reading that knows the event makes of it."""
    return next((signal for reading in readings if (signal := reading(event)) is not None), None)


_PART = "part"
"""The state of a situation that another one has taken in: that one calls for both."""
_OVER = {"ended": "ended", "lost": "no longer seen"}
_FAULTY = {"silent": False, "faulty": False, "returned": True, "recovered": True}
_SERVED = {"disabled": False, "enabled": True, "deleted": True}


def _verb(type_: str, family: str) -> str | None:
    return type_.removeprefix(family).split(".")[0] if type_.startswith(family) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(values: object) -> tuple[str, ...]:
    found = values if isinstance(values, Sequence) and not isinstance(values, str) else []
    return tuple(dict.fromkeys(value for value in found if isinstance(value, str) and value))


def _level(value: object) -> Level:
    return next((level for level in Level if level.label == value), Level.UNKNOWN)


def _abnormality(data: Mapping[str, Any]) -> Abnormality:
    value = data.get("abnormality")
    return next((word for word in Abnormality if word.label == value), Abnormality.UNKNOWN)


def _cause(value: object) -> str | None:
    """The first hint where there are several; its name where it has more to say."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if value else None
    if isinstance(value, Mapping):
        value = value.get("what") or value.get("cause")
    return value if isinstance(value, str) and value else None


def _instant(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
