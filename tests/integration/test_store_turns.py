"""Turns on the real database: visits in, hours out, however late and in whatever order the passages came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest

from ingest.columns import ABSENT, Batch, Columns
from sensors.kind import Kinds
from store.catalogue import seed
from store.database import connected
from store.retention import Retention, apply_retention
from store.turns import TurnHour, lorries_inside, turn_hours, update_turns
from store.writer import SlotSink

START = datetime.fromisoformat("2026-03-02T08:00:00+00:00")
MINUTE = timedelta(minutes=1)
NOW = START + timedelta(hours=6)
Passage = tuple[float, str, str, str | None]
"""Minutes after START, gate, direction, visit."""


class Gates:
    def __init__(self, url: str, kinds: Kinds) -> None:
        self.url, self.kinds = url, kinds

    async def pass_through(self, *passages: Passage, now: datetime = NOW) -> None:
        """Store a batch of passages and take it into account."""
        async with SlotSink.open(self.url, 0, self.kinds) as sink:
            await sink.write(Batch(0, (self._columns(passages),), (), ()))
        async with connected(self.url, name="test") as conn:
            assert await update_turns(conn, self.kinds, limit_rows=1000, now=now)
            assert not await update_turns(conn, self.kinds, limit_rows=1000, now=now)

    def _columns(self, passages: Sequence[Passage]) -> Columns:
        minutes, gates, directions, visits = zip(*passages, strict=True)
        time_us = np.array([round((START + m * MINUTE).timestamp() * 1e6) for m in minutes], np.int64)
        count, unknown = len(passages), np.full(len(passages), ABSENT, np.int64)
        values = np.stack((np.arange(count) % 20 + 1, np.full(count, 90.0)), axis=1).astype(np.float32)
        texts = (list(directions), [None] * count, list(visits))
        kind, sites = self.kinds["passage"], [gate[:3] for gate in gates]
        zeros = np.zeros(count, np.int16)
        return Columns(kind, time_us, time_us, list(gates), sites, unknown, unknown, zeros, values, texts)

    async def hours(self, terminal: str = "SEYA") -> list[TurnHour]:
        async with connected(self.url, name="test") as conn:
            return await turn_hours(conn, terminal, START - timedelta(days=60), START + timedelta(days=60))

    async def inside(self, now: datetime, terminal: str = "SEYA") -> int:
        async with connected(self.url, name="test") as conn:
            return await lorries_inside(conn, terminal, now)


@pytest.fixture
async def gates(migrated_url: str, kinds: Kinds) -> Gates:
    await seed(migrated_url)
    return Gates(migrated_url, kinds)


def visit(name: str, minutes: float, turn_min: float) -> list[Passage]:
    return [(minutes, "W07-G1", "in", name), (minutes + turn_min, "W07-G3", "out", name)]


async def test_a_turn_counts_in_the_hour_in_which_it_ended(gates: Gates) -> None:
    await gates.pass_through(*visit("a", 5, 30), *visit("b", 10, 20.5), *visit("c", 50, 30))
    assert await gates.hours() == [
        TurnHour(START, [1230, 1800], 0, 0, 0),
        TurnHour(START + 60 * MINUTE, [1800], 0, 0, 0),
    ]


async def test_terminals_are_apart(gates: Gates) -> None:
    await gates.pass_through((0, "W07-G1", "in", "a"), (30, "W05-G3", "out", "a"), *visit("b", 1, 30))
    assert [hour.turns_s for hour in await gates.hours("SEYA")] == [[1800]]
    assert [(hour.turns_s, hour.unpaired_out) for hour in await gates.hours("EURFO")] == [([], 1)]


async def test_late_passages_in_any_order_give_the_same_hours(gates: Gates) -> None:
    passages = [*visit("a", 5, 30), *visit("b", 40, 45), *visit("c", 20, 90), (70, "W07-G3", "out", "x")]
    for passage in sorted(passages, key=lambda passage: passage[1:], reverse=True):
        await gates.pass_through(passage)
    assert await gates.hours() == [
        TurnHour(START, [1800], 0, 0, 0),
        TurnHour(START + 60 * MINUTE, [2700, 5400], 0, 0, 1),
    ]


async def test_who_does_not_come_out_is_inside_for_a_day_and_then_unpaired(gates: Gates) -> None:
    await gates.pass_through((0, "W07-G1", "in", "stays"), *visit("a", 1, 30))
    assert [(hour.open, hour.unpaired_in) for hour in await gates.hours()] == [(1, 0)]
    assert await gates.inside(START + 60 * MINUTE) == 1
    await gates.pass_through(*visit("b", 24 * 60 + 5, 10))
    assert [(hour.open, hour.unpaired_in) for hour in await gates.hours()] == [(0, 1), (0, 0)]
    assert await gates.inside(START + timedelta(hours=25)) == 0


@pytest.mark.parametrize(
    ("passages", "found"),
    [
        ([(0, "W07-G1", "in", "a"), (9, "W07-G2", "in", "a"), (30, "W07-G3", "out", "a")], ([1260], 0, 1, 0)),
        ([(0, "W07-G1", "in", "a"), (30, "W07-G3", "out", "a"), (40, "W07-G3", "out", "a")], ([1800], 0, 0, 1)),
        ([(0, "W07-G3", "out", "a"), (30, "W07-G1", "in", "a")], ([], 1, 0, 1)),
        ([(0, "W07-G1", "in", None), (30, "W07-G3", "out", None)], ([], 0, 1, 1)),
    ],
    ids=["in twice", "out twice", "out before in", "without a number"],
)
async def test_passages_without_a_partner_are_counted(
    gates: Gates, passages: list[Passage], found: tuple[list[int], int, int, int]
) -> None:
    """Two entries of one number are 24 h apart before the first is given up: here a day passes first."""
    await gates.pass_through(*passages)
    turns, inside, alone_in, alone_out = found
    (hour,) = await gates.hours()
    assert (hour.turns_s, hour.open + hour.unpaired_in, hour.unpaired_out) == (turns, inside + alone_in, alone_out)


async def test_an_hour_outlives_its_numbers(gates: Gates, kinds: Kinds) -> None:
    await gates.pass_through(*visit("a", 5, 30))
    kept = await gates.hours()
    later = START + timedelta(days=31)
    async with connected(gates.url, name="test") as conn:
        await conn.execute("update passage set received_at = time")
        await apply_retention(conn, kinds, Retention(400, 3650, 7, 30, 3650), now=later)
        cursor = await conn.execute("select count(*), count(visit) from passage")
        assert await cursor.fetchone() == (2, 0)
    await gates.pass_through((6, "W07-G1", "in", "late"), *visit("new", 31 * 24 * 60 - 90, 30), now=later)
    assert (await gates.hours())[0] == kept[0]


async def test_hours_of_a_recording_are_computed_however_old_they_are(gates: Gates) -> None:
    later = START + timedelta(days=500)
    await gates.pass_through(*visit("a", 5, 30), now=later)
    assert await gates.hours() == []
    async with connected(gates.url, name="test") as conn:
        await conn.execute("update site set clock = 'recording'")
    await gates.pass_through(*visit("b", 8, 30), now=later)
    assert [hour.turns_s for hour in await gates.hours()] == [[1800, 1800]]


async def test_distrusted_passages_are_left_out(gates: Gates) -> None:
    await gates.pass_through(*visit("a", 5, 30))
    async with connected(gates.url, name="test") as conn:
        await conn.execute("update passage set quality = 1 where direction = 'out'")
    await gates.pass_through(*visit("b", 8, 30))
    assert [(hour.turns_s, hour.open) for hour in await gates.hours()] == [([1800], 1)]
