"""What was sent against what is stored, value by value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.numbered import Numbered
from store.database import Connection
from store.numbered import StoredNumbers, accounts, missing_numbers, stored_numbers


@dataclass(frozen=True, slots=True)
class Run:
    """How a run went; `killed` counts kills by part, `broker_in_backlog` those of the broker in an unread backlog."""

    seed: int
    seconds: float
    killed: Mapping[str, int]
    broker_in_backlog: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Readings by what became of them.

    `lost` were sent and are not stored as they were sent, `altered` are those of them that are stored with other
    values, `missing_named` those that the sequences name as missing; `stored_twice` are rows beyond the first of a
    number. `duplicates` were delivered again and recognised.
    """

    sent: int
    stored: int
    lost: int
    altered: int
    stored_twice: int
    duplicates: int
    conflicts: int
    quarantined: int
    missing_named: int
    kills: int
    killed: Mapping[str, int]
    broker_kills_in_backlog: int
    seed: int
    seconds: float
    fsync: str
    synchronous_commit: str


@dataclass(slots=True)
class Counts:
    """What is known of the sensors compared so far."""

    stored: int = 0
    lost: int = 0
    altered: int = 0
    stored_twice: int = 0
    missing_named: int = 0


async def compare(conn: Connection, load: Numbered, run: Run, durability: Mapping[str, str]) -> Verdict:
    """Read everything back, one sensor at a time."""
    counts = Counts()
    for index, sensor in enumerate(load.sensors):
        rows = await stored_numbers(conn, load.kind, sensor.id)
        count(counts, load, index, rows, await missing_numbers(conn, sensor.id, load.boot))
    account = await accounts(conn)
    return Verdict(
        sent=load.count,
        **asdict(counts),
        duplicates=account.duplicates,
        conflicts=account.conflicts,
        quarantined=account.quarantined,
        kills=sum(run.killed.values()),
        killed=run.killed,
        broker_kills_in_backlog=run.broker_in_backlog,
        seed=run.seed,
        seconds=run.seconds,
        fsync=durability["fsync"],
        synchronous_commit=durability["synchronous_commit"],
    )


def count(counts: Counts, load: Numbered, index: int, rows: StoredNumbers, gaps: list[tuple[int, int]]) -> None:
    sent = load.sent_by(index)
    known = (rows.boot == load.boot) & (rows.seq >= 0) & (rows.seq < sent)
    right = known & _as_sent(load, index, rows)
    arrived = np.zeros(sent, np.bool_)
    arrived[rows.seq[right]] = True
    counts.missing_named += sum(int((~arrived[first : last + 1]).sum()) for first, last in gaps)
    counts.stored += len(rows.seq)
    counts.lost += sent - int(arrived.sum())
    counts.altered += int((~right).sum())
    counts.stored_twice += int(right.sum()) - int(arrived.sum())


def _as_sent(load: Numbered, index: int, rows: StoredNumbers) -> NDArray[np.bool_]:
    """(n,) whether time and all values are those that were sent under this number."""
    same_time = rows.time_us == load.time_us(rows.seq)
    return np.asarray(same_time & (rows.values == load.values(index, rows.seq)).all(axis=1), np.bool_)
