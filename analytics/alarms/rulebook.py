"""Reads the rules of alarms from their one TOML file and checks them to the last key before anything uses them.

An alarm without a response in both languages is refused: a condition that nobody can answer is an event and stays in
the feed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import msgspec

from analytics.alarms.conditions import Sort
from analytics.alarms.rules import AlarmRule, LevelName, Rules
from sensors.errors import OperatorError
from sensors.fault import Fault
from sensors.level import Abnormality

_LANGUAGES = ("fr", "en")
_SPOKEN = (("title",), ("consequence",), ("response", "do"), ("response", "call"))


class RulesError(OperatorError):
    """Rules that cannot be used; a line for each fault names file, alarm and what was expected."""


def shipped_rules() -> Rules:
    """The rules that come with this version."""
    text = (resources.files("analytics.alarms") / "rules.toml").read_text("utf-8")
    return parse_rules(text, "the shipped rules")


def load_rules(path: Path | None) -> Rules:
    """Rules from a file, or those shipped; raises `RulesError` with one line for each fault."""
    if path is None:
        return shipped_rules()
    try:
        return parse_rules(path.read_text("utf-8"), str(path))
    except OSError as exc:
        raise RulesError(f"rules {path}: {exc.strerror}; name a file that can be read") from exc
    except UnicodeDecodeError as exc:
        raise RulesError(f"rules {path}: not UTF-8: {exc.reason} at byte {exc.start}") from exc


def parse_rules(text: str, origin: str) -> Rules:
    """Read rules and check them; `origin` names them in errors."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise RulesError(f"{origin}: not TOML: {exc}") from exc
    _refuse(_unspoken(raw), origin)
    try:
        rules = msgspec.convert(raw, Rules)
    except msgspec.ValidationError as exc:
        raise RulesError(f"{origin}: {_placed(str(exc), raw)}") from exc
    _refuse(_faults(rules), origin)
    return rules


def _refuse(faults: Iterator[str], origin: str) -> None:
    if lines := [f"{origin}: {fault}" for fault in faults]:
        raise RulesError("\n".join(lines))


def _unspoken(raw: Mapping[str, Any]) -> Iterator[str]:
    """Alarms without words; told first and by name, because this is what people forget."""
    for name, alarm in _named(raw, "alarm"):
        for path in _SPOKEN:
            missing = [tongue for tongue in _LANGUAGES if not _said(alarm, (*path, tongue))]
            if missing:
                where, tongues = ".".join(path), " and ".join(missing)
                way_out = "say what to do, or leave the alarm out: a condition without a response is an event"
                yield f"alarm {name!r} has no {where} in {tongues}; {way_out}"


def _named(raw: Mapping[str, Any], part: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    entries = raw.get(part)
    for number, entry in enumerate(entries if isinstance(entries, list) else [], 1):
        if isinstance(entry, dict):
            yield str(entry.get("name", f"number {number}")), entry


def _said(entry: object, path: Sequence[str]) -> bool:
    for key in path:
        entry = entry.get(key) if isinstance(entry, dict) else None
    return isinstance(entry, str) and bool(entry.strip())


def _placed(message: str, raw: Mapping[str, Any]) -> str:
    """The message with the name of the alarm or place that it counts."""
    reason, _, path = message.partition(" - at ")
    for part in ("alarm", "place"):
        number, _, key = path.strip("`").removeprefix(f"$.{part}[").partition("]")
        names = [name for name, _ in _named(raw, part)]
        if number.isdigit() and int(number) < len(names):
            return f"{part} {names[int(number)]!r}: {reason}{key and f' at {key[1:]}'}"
    return message


def _faults(rules: Rules) -> Iterator[str]:
    """What every single value allows and the whole does not."""
    factors = rules.priority
    if factors.medium >= factors.high:
        yield f"priority: medium from {factors.medium:g} is not below high from {factors.high:g}"
    for name, table, wanted in (
        ("level", factors.level, get_args(LevelName)),
        ("abnormality", factors.abnormality, tuple(word.label for word in Abnormality)),
    ):
        if set(wanted) != set(table):
            yield f"priority.{name} has factors for {', '.join(table)}; it needs them for {', '.join(wanted)}"
    for part, entries in (("alarm", rules.alarm), ("place", rules.place)):
        names = sorted(entry.name for entry in entries)
        yield from (f"{part} {name!r} stands twice" for name, after in pairwise(names) if name == after)
    for number, rule in enumerate(rules.alarm):
        yield from _rule_faults(rule, rules.alarm[:number])


def _rule_faults(rule: AlarmRule, above: Sequence[AlarmRule]) -> Iterator[str]:
    first = next((other for other in above if other.covers(rule)), None)
    if first is not None:
        yield f"alarm {rule.name!r} is never reached: {first.name!r} above it takes all that it is for"
    if rule.mutes and rule.on is not Sort.SENSOR:
        yield f"alarm {rule.name!r}: only an alarm on a sensor mutes what rests on it"
    for fault in rule.what if rule.on is Sort.SENSOR else ():
        if fault not in set(Fault):
            yield f"alarm {rule.name!r}: {fault!r} is no fault of a sensor; they are {', '.join(Fault)}"
