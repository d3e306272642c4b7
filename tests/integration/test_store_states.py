from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import numpy as np
import psycopg
import pytest

from sensors.level import Level, Verdict
from store.database import Connection, connected, listen, wait_for_notices
from store.events import NewEvent, append_events
from store.states import State, StepResult, commit_step, load_memory, load_states

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
WAIT_S = 10.0
BEGAN = "vigie.congestion.began.v1"


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


def event(subject: str) -> NewEvent:
    return NewEvent(NOW, BEGAN, subject, {"level": "congested", "verdict": "traffic"})


def state(sensor: str, level: Level | None = Level.FLUID, speed: float | None = 88.5) -> State:
    return State(sensor, NOW, level, NOW - timedelta(minutes=5), Verdict.TRAFFIC, {"speed_kmh": speed})


async def after(conn: Connection, last: int) -> list[tuple[int, str]]:
    rows = await (await conn.execute("select id, subject from event where id > %s order by id", (last,))).fetchall()
    return [(int(number), str(subject)) for number, subject in rows]


async def test_a_step_is_states_memory_events_and_cursors_at_once(migrated_url: str) -> None:
    states = [state("a", Level.JAMMED, None), state("b", None)]
    step = StepResult("analysis", {0: 7}, states, {"a": {"ratio": 0.25}, "b": [1, None]}, [event("a"), event("b")])
    async with connected(migrated_url, name="test") as conn:
        ids = await commit_step(conn, step, now=NOW)
        assert await load_states(conn) == states
        assert await load_memory(conn) == {"a": {"ratio": 0.25}, "b": [1, None]}
        assert await after(conn, 0) == list(zip(ids, ["a", "b"], strict=True))
    assert ask(migrated_url, "select * from cursor") == [("analysis", 0, 7)]
    assert ask(migrated_url, "select data->>'level' from event limit 1") == [("congested",)]


async def test_a_state_is_replaced_by_the_next(migrated_url: str) -> None:
    async with connected(migrated_url, name="test") as conn:
        for level in (Level.DENSE, Level.UNKNOWN):
            await commit_step(conn, StepResult("analysis", {}, [state("a", level)]), now=NOW)
        assert await load_states(conn) == [state("a", Level.UNKNOWN)]


async def test_what_numpy_measured_is_stored_as_json_and_nothing_foreign_is(migrated_url: str) -> None:
    measured = {
        "speed_kmh": np.float32(11.5),
        "count": np.int64(3),
        "wait_s": float("nan"),
        "more": MappingProxyType({"a": 1}),
    }
    async with connected(migrated_url, name="test") as conn:
        await commit_step(conn, StepResult("analysis", {}, memory={"a": measured}), now=NOW)
        assert await load_memory(conn) == {"a": {"speed_kmh": 11.5, "count": 3, "wait_s": None, "more": {"a": 1}}}
        with pytest.raises(TypeError, match="object cannot be stored as JSON"):
            await commit_step(conn, StepResult("analysis", {}, memory={"a": object()}), now=NOW)


async def test_a_step_that_fails_leaves_nothing(migrated_url: str) -> None:
    step = StepResult("analysis", {0: 7}, [state("a")], {"a": 1}, [event("a\0")])
    async with connected(migrated_url, name="test") as conn:
        with pytest.raises(psycopg.DataError):
            await commit_step(conn, step, now=NOW)
        assert await load_states(conn) == []
        assert await load_memory(conn) == {}
    assert ask(migrated_url, "select * from cursor") == []


async def test_events_of_a_transaction_held_open_are_never_overtaken(
    migrated_url: str, until_waiting: Callable[[str], Awaitable[None]]
) -> None:
    async with (
        connected(migrated_url, name="held") as held,
        connected(migrated_url, name="later") as later,
        connected(migrated_url, name="follower") as follower,
    ):
        async with held.transaction():
            await append_events(held, [event("held")])
            waiting = asyncio.create_task(commit_step(later, StepResult("other", {}, events=[event("later")]), now=NOW))
            await until_waiting("vigie later")
            # Whoever reads now and remembers the last id must not have seen the later one.
            assert await after(follower, 0) == []
        await asyncio.wait_for(waiting, WAIT_S)
        seen = await after(follower, 0)
    assert [subject for _, subject in seen] == ["held", "later"]


async def test_events_of_a_transaction_that_is_rolled_back_leave_no_trace(migrated_url: str) -> None:
    async with connected(migrated_url, name="a") as gone, connected(migrated_url, name="b") as conn:
        async with gone.transaction(force_rollback=True):
            await append_events(gone, [event("gone")])
        (number,) = await commit_step(conn, StepResult("other", {}, events=[event("kept")]), now=NOW)
        assert await after(conn, 0) == [(number, "kept")]


async def test_many_writers_and_one_follower_that_remembers_the_last_id(migrated_url: str) -> None:
    async def write(name: str) -> None:
        async with connected(migrated_url, name=name) as conn:
            for number in range(10):
                await commit_step(conn, StepResult(name, {}, events=[event(f"{name}-{number}")] * 2), now=NOW)

    seen: list[tuple[int, str]] = []
    async with connected(migrated_url, name="follower") as conn, asyncio.timeout(WAIT_S), asyncio.TaskGroup() as group:
        await listen(conn, "vigie_event")
        for name in ("a", "b", "c"):
            group.create_task(write(name), name=name)
        while len(seen) < 60:
            await wait_for_notices(conn, 0.5)
            seen += await after(conn, seen[-1][0] if seen else 0)
    assert len({number for number, _ in seen}) == 60
