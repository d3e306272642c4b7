"""MQTT topics: `vigie/1/readings/<site>/<thing>/<kind>`, where a thing is a sensor or a corridor.

The topic is the identity of a reading: brokers can restrict who writes to it, a payload cannot.
"""

from __future__ import annotations

import re
from typing import NamedTuple

READINGS = "vigie/1/readings"
RECEIPTS = "vigie/1/receipts"
ALERTS = "vigie/1/alerts"
HEARTBEAT = f"{ALERTS}/heartbeat"
_LEVELS_BEFORE = READINGS.count("/") + 1
_LEVEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


class ReadingTopic(NamedTuple):
    """The identity of a reading: `thing` is a sensor or a corridor."""

    site: str
    thing: str
    kind: str


def reading_topic(site: str, thing: str, kind: str) -> str:
    """Compose a topic; raises `ValueError` for a part that is not a plain topic level."""
    for part in (site, thing, kind):
        if not is_topic_level(part):
            raise ValueError(f"{part!r} cannot be part of a topic: use 1 to 64 letters, digits and _ . : -")
    return f"{READINGS}/{site}/{thing}/{kind}"


def parse_reading_topic(topic: str) -> ReadingTopic | None:
    """Split a topic, or None when it is not one of ours."""
    parts = topic.split("/")[_LEVELS_BEFORE:]
    if not topic.startswith(READINGS + "/") or len(parts) != len(ReadingTopic._fields):
        return None
    return ReadingTopic(*parts) if all(map(is_topic_level, parts)) else None


def receipt_topic(site: str, thing: str) -> str:
    """Where the receipts of a sensor or corridor are published."""
    return f"{RECEIPTS}/{site}/{thing}"


def parse_receipt_topic(topic: str) -> tuple[str, str] | None:
    """Site and thing of a receipt, or None for another topic."""
    site, _, thing = topic.removeprefix(RECEIPTS + "/").partition("/")
    return (site, thing) if topic.startswith(RECEIPTS) and is_topic_level(site) and is_topic_level(thing) else None


def alert_topic(type_: str, subject: str) -> str:
    """Where an alert is published: the middle words of its type, then its subject, `-` where that is no topic level.

    >>> alert_topic("vigie.alarm.raised.v1", "W07-G1")
    'vigie/1/alerts/alarm/raised/W07-G1'
    """
    _, *words, _ = type_.split(".")
    return "/".join((ALERTS, *words, subject if is_topic_level(subject) else "-"))


def is_topic_level(text: str) -> bool:
    """Whether `text` can be the id of a site, a sensor, a corridor or a kind."""
    return _LEVEL.fullmatch(text) is not None


def site_filter(site: str) -> str:
    """The topic filter of all readings of a site; `#` for the whole port."""
    return f"{READINGS}/#" if site == "#" else f"{READINGS}/{site}/#"
