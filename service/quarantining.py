"""`vigie quarantine`: what could not be used, why, and what becomes of it after a repair."""

from __future__ import annotations

import argparse
import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict

import msgspec
import structlog

from sensors.errors import OperatorError
from sensors.kind import Kinds
from service.reingest import reingest
from store.database import connected
from store.quarantine import Choice, Dropped, Entry, bound_quarantine, dropped_so_far, find_entries

BOUND_EVERY_S = 10.0
"""How often the size is looked at: at 5 MB of junk a second the bound is passed by at most 50 MB."""
_DETAIL_SHOWN = 90

Say = Callable[[str], None]


class NoEntryError(OperatorError):
    """There is no entry of that id."""


def choice_of(arguments: argparse.Namespace) -> Choice:
    """The filters of a command line."""
    return Choice(
        reason=arguments.reason,
        site=arguments.site,
        thing=arguments.sensor,
        start=arguments.since,
        end=arguments.until,
        repaired=getattr(arguments, "repaired", None),
        ids=tuple(arguments.ids) if getattr(arguments, "ids", None) else None,
    )


async def list_entries(url: str, arguments: argparse.Namespace, say: Say) -> None:
    """The newest entries, and what the bound on the size has dropped."""
    async with connected(url, name="quarantine") as conn:
        dropped = await dropped_so_far(conn)
        entries = await find_entries(conn, choice_of(arguments), before=arguments.before, limit=arguments.limit)
    more = entries[-1].id if len(entries) == arguments.limit else None
    if arguments.json:
        say(_json({"items": [told(entry) for entry in entries], "next": more, "dropped": dropped}))
        return
    say("\n".join(_lines(entries)) if entries else "the quarantine has no such entry")
    if more is not None:
        say(f"more with --before {more}")
    if dropped is not None:
        say(_told_dropped(dropped))


async def show_entry(url: str, number: int, *, as_json: bool, say: Say) -> None:
    """Everything that is known of one entry. Raises `NoEntryError`."""
    async with connected(url, name="quarantine") as conn:
        found = await find_entries(conn, Choice(ids=(number,)), before=None, limit=1)
    if not found:
        raise NoEntryError(f"the quarantine has no entry {number}; 'vigie quarantine list' shows what it has")
    told_ = told(found[0])
    say(_json(told_) if as_json else "\n".join(f"{name:16} {value}" for name, value in told_.items()))


async def run_reingest(url: str, kinds: Kinds, arguments: argparse.Namespace, say: Say) -> None:
    done = asdict(await reingest(url, kinds, choice_of(arguments)))
    say(_json(done) if arguments.json else "\n".join(f"{name} {count}" for name, count in done.items()))


async def keep_bounded(url: str, limit_mb: float, dropped: Callable[[int], None] | None = None) -> None:
    """Drop the oldest entries whenever all are larger than the limit, until cancelled. Raises `DatabaseUnavailable`."""
    log = structlog.get_logger("quarantine")
    async with connected(url, name="quarantine") as conn:
        while True:
            gone = await bound_quarantine(conn, int(limit_mb * 1e6))
            if gone is not None:
                log.warning("quarantine is full, oldest dropped", entries=gone.entries, newest=str(gone.newest))
                if dropped is not None:
                    dropped(gone.entries)
            await asyncio.sleep(BOUND_EVERY_S)


def told(entry: Entry) -> dict[str, object]:
    """An entry for people and programs: the payload as text where it is one."""
    fields = asdict(entry)
    payload = fields.pop("payload")
    try:
        return fields | {"payload": payload.decode()}
    except UnicodeDecodeError:
        return fields | {"payload_base64": base64.b64encode(payload).decode()}


def _lines(entries: Sequence[Entry]) -> list[str]:
    head = ("id", "last received", "times", "reason", "sensor", "state", "detail")
    rows = [head] + [
        (
            str(entry.id),
            entry.last_received_at.isoformat(timespec="seconds"),
            str(entry.times),
            entry.reason,
            entry.thing or "-",
            _state(entry),
            entry.detail[:_DETAIL_SHOWN],
        )
        for entry in entries
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _state(entry: Entry) -> str:
    if entry.repaired_at is not None:
        return "repaired"
    return "whole" if entry.whole else "redacted" if entry.redacted else "cut"


def _told_dropped(dropped: Dropped) -> str:
    newest = dropped.newest.isoformat(timespec="seconds")
    return f"{dropped.entries} entries were dropped to stay within quarantine_mb, last received up to {newest}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
