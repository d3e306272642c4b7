from __future__ import annotations

import asyncio

import pytest

from service import parts
from service.parts import Part, PartFailedError, keep_running, stop_in_order
from store.database import DatabaseLost, DatabaseUnavailable


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "BACKOFF_S", 0.0)


async def test_a_part_that_fails_runs_again() -> None:
    runs = asyncio.Queue[int]()
    count = 0

    async def flaky() -> None:
        nonlocal count
        count += 1
        runs.put_nowait(count)
        if count < 3:
            raise RuntimeError("once more")
        await asyncio.Event().wait()

    task = asyncio.create_task(keep_running(Part("flaky", flaky)))
    async with asyncio.timeout(10):
        assert [await runs.get() for _ in range(3)] == [1, 2, 3]
    await stop_in_order([task], deadline_s=5)
    assert task.cancelled()


async def test_a_part_that_cannot_be_kept_ends_with_its_name_and_reason() -> None:
    async def broken() -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(PartFailedError, match=r"keeper stopped 6 times .*the disk is full"):
        await keep_running(Part("keeper", broken))


@pytest.mark.parametrize("lasted", [True, False], ids=["after working", "while connecting anew"])
async def test_a_database_that_goes_away_is_waited_for_however_long(
    monkeypatch: pytest.MonkeyPatch, *, lasted: bool
) -> None:
    """Whoever ran for a while had a database; and so had whose connection was lost, however soon."""
    monkeypatch.setattr(parts, "WORKED_S", 0.0 if lasted else 60.0)
    back, tries = asyncio.Event(), 0

    async def reader() -> None:
        nonlocal tries
        tries += 1
        if tries == 1 and not lasted:
            raise DatabaseLost("the database went away")
        if tries <= 3 * parts.FAILURES:
            raise DatabaseUnavailable("cannot use the database: it is starting up")
        back.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(keep_running(Part("reader", reader)))
    async with asyncio.timeout(10):
        await back.wait()
    await stop_in_order([task], deadline_s=5)


async def test_a_database_that_was_never_there_is_given_up() -> None:
    async def reader() -> None:
        raise DatabaseUnavailable("cannot use the database")

    with pytest.raises(PartFailedError, match="cannot use the database"):
        await keep_running(Part("reader", reader))


async def test_parts_stop_one_after_the_other_in_the_order_given() -> None:
    stopped: list[str] = []

    async def run(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            stopped.append(name)

    tasks = [asyncio.create_task(run(name), name=name) for name in ("simulators", "ingest", "analyse")]
    await asyncio.sleep(0)
    await stop_in_order(tasks, deadline_s=5)
    assert stopped == ["simulators", "ingest", "analyse"]
