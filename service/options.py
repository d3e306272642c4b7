"""Words of the command line turned into values; argparse names the option where one cannot be."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime


def count(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def seed(text: str) -> int:
    """A whole number from 0, as generators of chance want it."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def above_zero(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def listed(text: str) -> list[str]:
    """Ids with commas between them."""
    return [name for name in text.split(",") if name]


def flat(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The ids of an option that was given several times."""
    return tuple(name for names in lists for name in names)


def moment(text: str) -> datetime:
    """A time of the command line: RFC 3339 with offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} is not a time with offset like 2026-03-01T12:00:00Z")
    return found
