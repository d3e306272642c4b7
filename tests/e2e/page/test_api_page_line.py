"""What the page says when its service hangs, is killed and comes back: an operator must never watch a dead picture."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from sensors.kind import load_kinds
from service.bench.jams import STEP, Jams
from service.score.stage import recorded_port
from service.scratch import ScratchStack, scratch_stack
from simulators.publish import Publisher
from store.catalogue import seed
from store.migrate import migrate

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_MS = 60_000
STALE_WITHIN_MS = 5000
TURN_STEPS = 10
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
SHOWN = "[...document.querySelectorAll('#alarms-list .alarm')].map((card) => card.dataset.alarm)"


@dataclass
class Port:
    """A port whose broker and database outlive its service; something else begins to stand in each turn."""

    place: ScratchStack
    jams: Jams
    turn: int = 0

    async def play_a_turn(self) -> None:
        async with Publisher(self.place.endpoints.broker_url, "line") as publisher:
            for number in range(self.turn * TURN_STEPS, (self.turn + 1) * TURN_STEPS):
                for readings in self.jams.step(number, START + number * STEP):
                    await publisher.publish_all(readings)
        self.turn += 1

    def turn_of(self, alarm: dict[str, Any]) -> int:
        return int((datetime.fromisoformat(alarm["onset"]) - START) / (TURN_STEPS * STEP))


@pytest_asyncio.fixture(loop_scope="session")
async def port(program_cache: Path) -> AsyncIterator[Port]:
    async with scratch_stack("line", program_cache, print, durable=False) as place:
        await migrate(place.endpoints.database_url, load_kinds())
        await seed(place.endpoints.database_url, recorded_port())
        yield Port(place, Jams(recorded_port(), load_kinds(), seed=1))


@pytest.fixture
def service(port: Port, start_vigie: Callable[..., Any], new_home: Callable[[], Path]) -> Callable[[], Any]:
    """Start a service of the port, each time at the same address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    servers = {
        "VIGIE_DATABASE_URL": port.place.endpoints.database_url,
        "VIGIE_BROKER_URL": port.place.endpoints.broker_url,
    }
    home = new_home()
    return lambda: start_vigie(home, "--no-simulators", "--http", address, **servers)


async def _all_are_shown(page: Page, port: Port, running: Any) -> None:
    """Each turn has its alarm, and the page has every alarm that the service knows."""

    async def known() -> dict[str, int]:
        alarms = (await asyncio.to_thread(running.get, "/v1/alarms?open=true&limit=200"))["items"]
        return {alarm["id"]: port.turn_of(alarm) for alarm in alarms}

    turns = set(range(port.turn))
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not turns <= set((alarms := await known()).values()) or set(await page.evaluate(SHOWN)) != set(alarms):
            await asyncio.sleep(0.1)


async def test_a_service_that_hangs_or_is_killed_is_said_within_five_seconds_and_no_alarm_is_missed(
    visitor: Any, port: Port, service: Callable[[], Any], keep: Callable[[str], Path]
) -> None:
    running = await asyncio.to_thread(service)
    page = await (await visitor.context(locale="en-GB")).new_page()
    await page.context.add_cookies([running.session])
    await page.goto(running.url)
    await port.play_a_turn()
    await _all_are_shown(page, port, running)
    await page.evaluate("window.notReloaded = true")
    banner = page.locator("#banner")

    running.process.send_signal(signal.SIGSTOP)
    await expect(banner).to_be_visible(timeout=STALE_WITHIN_MS)
    running.process.send_signal(signal.SIGCONT)
    await expect(banner).to_be_hidden(timeout=PATIENCE_MS)

    os.kill(running.process.pid, signal.SIGKILL)
    await expect(banner).to_have_text(re.compile(r" is [1-9]\d* s old"), timeout=STALE_WITHIN_MS)
    await page.screenshot(path=keep("stale"))
    await port.play_a_turn()
    running.stop()  # it is dead; this closes what it wrote to
    running = await asyncio.to_thread(service)
    try:
        await expect(banner).to_be_hidden(timeout=PATIENCE_MS)
        await _all_are_shown(page, port, running)
        await port.play_a_turn()
        await _all_are_shown(page, port, running)
        assert await page.evaluate("window.notReloaded")
        await expect(page.locator("#map [data-sensor]")).to_have_count(90)
    finally:
        await asyncio.to_thread(running.stop)
