"""Slot plans of a terminal: how many lorries are booked in each hour, as JSON or CSV. Pure.

    hour,booked
    2026-03-02T07:00+01:00,100

A plan is taken as a whole or not at all; what is wrong with it is told for each value, in one line that names the
place, the value and what was expected.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sensors.errors import OperatorError

MAX_SLOTS = 2000
"""Hours of one plan: twelve weeks. More is another file."""

MAX_BYTES = 256 * 1024
"""Bytes of one plan; 2,000 slots of JSON are half of that."""

MOST_BOOKED = 2000
"""Lorries in one hour: above, somebody has written a day into an hour (a terminal's peak is 110)."""

PAST, AHEAD = timedelta(days=31), timedelta(days=400)
"""How far from now an hour may lie: beyond, it is the wrong year."""

_HEADER = ("hour", "booked")
_TOLD = 100


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """An hour (UTC, full) and how many lorries are booked in it."""

    hour: datetime
    booked: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one value of a plan."""

    place: str
    value: str
    expected: str

    def __str__(self) -> str:
        return f"{self.place}: {self.value!r}: expected {self.expected}"


class PlanRefused(OperatorError):  # noqa: N818  as CatalogueRefused
    """A plan that cannot be taken; one line for each mistake, at most a hundred."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)[:_TOLD]
        super().__init__("\n".join(map(str, self.mistakes)))


def parse_csv(data: bytes, now: datetime) -> tuple[Slot, ...]:
    """Read a CSV plan with the header `hour,booked`, or with semicolons; raises `PlanRefused`."""
    text = _decoded(data)
    separator = ";" if ";" in text.partition("\n")[0] else ","
    rows = _rows(text, separator)
    header = tuple(cell.strip().lower() for cell in rows[0]) if rows else ()
    if header != _HEADER:
        raise PlanRefused([Mistake("line 1", separator.join(header), "the header hour,booked")])
    given = [(f"line {number}", row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)]
    odd = [(place, row) for place, row in given if len(row) != len(_HEADER)]
    if odd:
        raise PlanRefused(Mistake(place, separator.join(row), "two values, hour and booked") for place, row in odd)
    return _plan([(place, row[0].strip(), row[1].strip()) for place, row in given], now)


def parse_json(data: bytes, now: datetime) -> tuple[Slot, ...]:
    """Read `{"slots": [{"hour": "2026-03-02T07:00:00+01:00", "booked": 100}]}`; raises `PlanRefused`."""
    try:
        plan = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise PlanRefused([Mistake("the plan", data[:40].decode("utf-8", "replace"), f"JSON ({exc})")]) from exc
    slots = plan.get("slots") if isinstance(plan, dict) else None
    if not isinstance(slots, list) or set(plan) != {"slots"}:
        shape = '{"slots": [{"hour": ..., "booked": ...}]}'
        raise PlanRefused([Mistake("the plan", _shown(plan), f"an object {shape}")])
    odd = [(n, slot) for n, slot in enumerate(slots) if not isinstance(slot, dict) or set(slot) != set(_HEADER)]
    if odd:
        raise PlanRefused(Mistake(f"slots[{n}]", _shown(slot), "an object with hour and booked") for n, slot in odd)
    return _plan([(f"slots[{n}]", slot["hour"], slot["booked"]) for n, slot in enumerate(slots)], now)


def _rows(text: str, separator: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as exc:
        raise PlanRefused([Mistake("the plan", text[:40], f"CSV ({exc})")]) from exc


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise PlanRefused([Mistake("the plan", f"byte {exc.start}", "text in UTF-8")]) from exc


def _plan(rows: Sequence[tuple[str, Any, Any]], now: datetime) -> tuple[Slot, ...]:
    if not 0 < len(rows) <= MAX_SLOTS:
        raise PlanRefused([Mistake("the plan", f"{len(rows)} hours", f"1 to {MAX_SLOTS} of them")])
    slots: dict[datetime, tuple[str, Slot]] = {}
    mistakes: list[Mistake] = []
    for place, hour, booked in rows:
        found = list(_mistakes(place, hour, booked, now))
        if not found:
            slot = Slot(_instant(hour).astimezone(UTC), int(booked))
            first = slots.setdefault(slot.hour, (place, slot))[0]
            found = [] if first == place else [Mistake(place, str(hour), f"each hour once; it is that of {first}")]
        mistakes += found
    if mistakes:
        raise PlanRefused(mistakes)
    return tuple(sorted(slot for _, slot in slots.values()))


def _mistakes(place: str, hour: object, booked: object, now: datetime) -> Iterator[Mistake]:
    wanted = "a full hour with its offset such as 2026-03-02T07:00:00+01:00"
    try:
        instant = _instant(hour)
    except (TypeError, ValueError):
        yield Mistake(f"{place}, hour", _shown(hour), wanted)
    else:
        if instant.utcoffset() is None or (instant.minute, instant.second, instant.microsecond) != (0, 0, 0):
            yield Mistake(f"{place}, hour", _shown(hour), wanted)
        elif not now - PAST <= instant <= now + AHEAD:
            yield Mistake(f"{place}, hour", _shown(hour), f"at most {PAST.days} days ago and {AHEAD.days} days ahead")
    if not _is_count(booked):
        yield Mistake(f"{place}, booked", _shown(booked), f"a whole number from 0 to {MOST_BOOKED}")


def _instant(hour: object) -> datetime:
    if not isinstance(hour, str):
        raise TypeError(hour)
    return datetime.fromisoformat(hour)


def _is_count(booked: object) -> bool:
    if isinstance(booked, str):
        return booked.isascii() and booked.isdigit() and len(booked) <= 4 and int(booked) <= MOST_BOOKED  # noqa: PLR2004
    return isinstance(booked, int) and not isinstance(booked, bool) and 0 <= booked <= MOST_BOOKED


def _shown(value: object) -> str:
    return (value if isinstance(value, str) else repr(value))[:_TOLD]
