"""The receiver in docs/integrating.md is 30 lines or fewer, verifies what Vigie really sends, and refuses the rest."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from api.delivery import backoff, post
from api.delivery.courier import Courier
from api.delivery.guard import AddressGuard, networks
from api.delivery.post import Poster
from api.delivery.signing import SigningKey, new_salt, shown
from store.api_rows import EventRow
from store.subscriptions import LOG_FOR, Subscription, Wanted

DOCS = (Path(__file__).parents[2] / "docs" / "integrating.md").read_text("utf-8")
(CODE,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
NOW = datetime(2026, 3, 2, 7, 14, tzinfo=UTC)
WAIT_S = 20.0


@dataclass
class Running:
    """The receiver of the guide as a process, and how Vigie reaches it."""

    process: asyncio.subprocess.Process
    to: Subscription
    courier: Courier

    async def line(self) -> str:
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), WAIT_S)).decode()


def subscription(target: str, salt: bytes) -> Subscription:
    none = dict.fromkeys(("old_salt", "old_until", "code", "code_until", "failing_since", "next_at", "delivered_at"))
    return Subscription(
        id=3,
        version=1,
        kind="webhook",
        name="city",
        target=target,
        wanted=Wanted(),
        heartbeat=False,
        language="fr",
        state="active",
        why="",
        cursor=0,
        salt=salt,
        failures=0,
        created_by="operator",
        created_at=NOW,
        **none,  # type: ignore[arg-type]  all of them may be None
    )


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key, salt = SigningKey(Random(1).randbytes(32)), new_salt()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CODE, shown(key.secret(salt)), str(port)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with Poster(AddressGuard(networks(["127.0.0.0/8"]))) as poster:
        courier = Courier(key, poster, None, ZoneInfo("Europe/Paris"))
        one = Running(process, subscription(f"http://127.0.0.1:{port}/", salt), courier)
        async with asyncio.timeout(WAIT_S):
            while not (await courier.challenge(one.to, "challenge-1", datetime.now(UTC))).delivered:
                await asyncio.sleep(0.05)
        yield one
    process.kill()
    await process.wait()


def row(number: int) -> EventRow:
    data = {"valid_until": "2026-03-02T07:44:00Z"}
    return EventRow(number, NOW, "vigie.alarm.raised.v1", "W07-G1", data)


async def test_it_takes_what_is_signed_each_once_and_refuses_the_rest(running: Running) -> None:
    courier, to, now = running.courier, running.to, datetime.now(UTC)
    for number in (7, 7, 8):
        assert (await courier.alerts(to, [row(number)], now)).delivered
    forged = Courier(SigningKey(b"x" * 32), courier.poster, None, courier.zone)
    assert (await forged.alerts(to, [row(9)], now)).status == 401
    assert (await courier.alerts(to, [row(9)], NOW)).status == 401, "sent long ago"
    assert (await courier.alerts(to, [row(9)], now)).delivered
    lines = [await running.line() for _ in range(3)]
    assert lines == [f"{number} vigie.alarm.raised.v1 W07-G1 2026-03-02T07:44:00Z\n" for number in (7, 8, 9)]


def test_it_has_at_most_30_lines() -> None:
    assert len(CODE.splitlines()) <= 30


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"within {post.ANSWER_S:.0f} seconds" in DOCS
    assert f"more than {post.ANSWER_BYTES // 1024} KiB" in DOCS
    assert f"every {backoff.LONGEST_S / 60:.0f} minutes" in DOCS
    assert f"kept for {LOG_FOR.days} days" in DOCS
