"""Parts that die or are away, in a scratch installation with ingestors as processes of their own."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.chaos.scratch import Scratch, scratch
from simulators.numbered import Numbered
from simulators.publish import Publisher

KINDS = load_kinds()
SENSORS = tuple(sensor for sensor in shipped_catalogue().sensors if sensor.kind == "traffic")
PATIENCE_S = 60.0
MEGABYTE_KB = 1000
WAITING = """
select count(*) from pg_stat_activity
where application_name like 'vigie ingest %' and (wait_event = 'advisory') is true"""
HELD = "select count(*) from pg_locks where locktype = 'advisory' and granted"


@pytest.fixture
async def place(program_cache: Path) -> AsyncIterator[Scratch]:
    sites = sorted({sensor.site for sensor in SENSORS})
    async with scratch(KINDS, program_cache, [sites[::2], sites[1::2]], ingestors=2, say=print) as running:
        yield running


def load(messages: int) -> Numbered:
    return Numbered(KINDS["traffic"], SENSORS, messages, datetime.now(UTC) - timedelta(hours=2), boot=1)


def ask(place: Scratch, query: str) -> Any:
    with psycopg.connect(place.endpoints.database_url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchone()[0]  # type: ignore[index]


async def until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {patience_s:.0f} s: {what}")
        await asyncio.sleep(0.05)


async def publish(place: Scratch, messages: Numbered, rate: float, meanwhile: Awaitable[object]) -> None:
    async with Publisher(place.endpoints.broker_url, "test-failure") as publisher, asyncio.TaskGroup() as group:
        group.create_task(publisher.publish_all(messages.messages(), rate=rate), name="publish")
        await meanwhile


async def all_stored(place: Scratch, messages: Numbered) -> None:
    await until(lambda: ask(place, "select count(*) from traffic") >= messages.count, "everything is stored")
    assert ask(place, "select count(*) from traffic") == messages.count
    assert ask(place, "select coalesce(sum(conflicts + quarantined), 0) from account") == 0
    assert ask(place, "select count(*) from sequence_gap") == 0


async def test_when_an_ingestor_is_killed_in_mid_flow_another_holds_its_slots_within_ten_seconds(
    place: Scratch,
) -> None:
    holder, heir = place.ingestors
    await heir.kill()
    await until(lambda: ask(place, HELD) == 2 and not ask(place, WAITING), "one ingestor holds both slots")
    await heir.start()
    await until(lambda: ask(place, WAITING) == 2, "the other one waits for both")
    messages = load(30_000)

    async def kill() -> None:
        await until(lambda: ask(place, "select count(*) from traffic") > 8_000, "readings flow")
        await holder.kill()
        killed_at = datetime.now(UTC)
        query = f"select count(distinct slot) from batch where committed_at > '{killed_at.isoformat()}'"  # noqa: S608
        await until(lambda: ask(place, query) == 2, "both slots go on", patience_s=10)

    await publish(place, messages, 5_000, kill())
    await all_stored(place, messages)


def peak_kb(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1))


@pytest.mark.parametrize(
    "seconds", [10, pytest.param(120, marks=[pytest.mark.prove, pytest.mark.timeout(900)])], ids=lambda s: f"{s} s"
)
async def test_while_the_database_is_stopped_memory_stays_small_and_afterwards_everything_arrives(
    place: Scratch, seconds: int
) -> None:
    messages = load(5_000 * (seconds + 2))

    async def stop() -> None:
        await until(lambda: ask(place, "select count(*) from traffic") > 2_000, "readings flow")
        await place.database.stop()
        await asyncio.sleep(seconds)
        await place.database.start()

    await publish(place, messages, 5_000, stop())
    await all_stored(place, messages)
    assert max(peak_kb(ingestor.pid) for ingestor in place.ingestors) < 200 * MEGABYTE_KB


def chaos(run_vigie, messages: int, kills: int, seed: int, publisher: str) -> dict[str, Any]:
    arguments = ("--messages", str(messages), "--kills", str(kills), "--seed", str(seed), "--publisher", publisher)
    done = run_vigie("chaos", *arguments, "--json", timeout=3000)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert (told["sent"], told["kills"]) == (messages, kills), told
    assert (told["altered"], told["stored_twice"], told["conflicts"], told["quarantined"]) == (0, 0, 0, 0), told
    assert (told["fsync"], told["synchronous_commit"]) == ("on", "on")
    assert 3 * told["broker_kills_in_backlog"] >= told["killed"]["broker"], told
    return told


def test_with_a_publisher_that_honours_receipts_nothing_is_lost(run_vigie) -> None:
    assert chaos(run_vigie, 50_000, 5, 1, "receipts")["lost"] == 0


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_a_million_readings_none_is_lost_over_twenty_kills(run_vigie, seed: int) -> None:
    assert chaos(run_vigie, 1_000_000, 20, seed, "receipts")["lost"] == 0


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_a_million_readings_every_lost_one_is_named_over_twenty_kills(run_vigie, seed: int) -> None:
    told = chaos(run_vigie, 1_000_000, 20, seed, "plain")
    assert told["lost"] == told["missing_named"], told


@pytest.mark.prove
def test_with_a_publisher_that_believes_the_broker_every_lost_reading_is_named(run_vigie) -> None:
    told = chaos(run_vigie, 50_000, 5, 2, "plain")
    assert told["lost"] == told["missing_named"], told
