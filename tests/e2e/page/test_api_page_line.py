"""What the page says when its server is killed, hangs or comes back: an operator must never watch a dead picture."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_MS = 60_000
STALE_WITHIN_MS = 5000


async def test_a_killed_server_is_said_within_five_seconds_and_no_alarm_is_missed(
    visitor: Any, line: Any, alarm: Any, desk: Any, keep: Callable[[str], Path]
) -> None:
    page = await (await visitor.context(locale="en-GB")).new_page()
    alarms = desk(alarm(1))
    await page.route(re.compile(r"/v1/alarms"), alarms.answer)
    await page.goto(line.url)
    await page.wait_for_selector("body[data-ready][data-alarms]")
    await page.evaluate("window.notReloaded = true")
    await line.cut()
    alarms.alarms["2"] = alarm(2, level="congested")
    await expect(page.locator("#banner")).to_be_visible(timeout=STALE_WITHIN_MS)
    await page.screenshot(path=keep("stale"))
    await expect(page.locator('[data-alarm="2"]')).to_have_count(0)
    await line.mend()
    await expect(page.locator("#banner")).to_be_hidden(timeout=PATIENCE_MS)
    await expect(page.locator('[data-alarm="2"]')).to_be_visible(timeout=PATIENCE_MS)
    assert await page.evaluate("window.notReloaded")


async def test_a_server_that_hangs_is_said_within_five_seconds_and_asked_anew(visitor: Any, line: Any) -> None:
    visit = await visitor.visit()
    line.hang()
    await expect(visit.page.locator("#banner")).to_be_visible(timeout=STALE_WITHIN_MS)
    await line.mend()
    await expect(visit.page.locator("#banner")).to_be_hidden(timeout=PATIENCE_MS)
    await expect(visit.page.locator("#map [data-sensor]")).to_have_count(90)


@pytest.mark.prove
async def test_a_service_that_is_killed_and_started_again_is_followed_without_reload(
    visitor: Any, start_vigie: Callable[..., Any], new_home: Callable[[], Path]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    home = new_home()
    running = start_vigie(home, "--http", address)
    page = await (await visitor.context()).new_page()
    await page.context.add_cookies([running.session])
    await page.goto(running.url)
    await page.wait_for_selector("body[data-alarms]")
    await page.evaluate("window.notReloaded = true")
    os.kill(running.process.pid, signal.SIGKILL)
    await expect(page.locator("#banner")).to_be_visible(timeout=STALE_WITHIN_MS)
    running.stop()  # it is dead; this closes what it wrote to
    running = start_vigie(home, "--http", address)
    try:
        await expect(page.locator("#banner")).to_be_hidden(timeout=PATIENCE_MS)
        assert await page.evaluate("window.notReloaded")
    finally:
        running.stop()
