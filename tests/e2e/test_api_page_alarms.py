"""What an operator does with alarms on the page, by keyboard, in a browser of its own against a running Vigie."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, async_playwright, expect

PATIENCE_MS = 60_000
STALE_WITHIN_MS = 5000
FLAGS = ["--no-sandbox", "--headless=new", "--disable-gpu", "--disable-background-networking"]
HOSTILE = """Porte <b>"Nord"</b> & l'Estaque"""


def alarm(number: int, **changes: Any) -> dict[str, Any]:
    """An alarm in the shape of the API; the contract itself is tested where it is served."""
    label = {"en": HOSTILE, "fr": HOSTILE}
    return {
        "id": str(number),
        "version": 1,
        "state": "unacknowledged",
        "active": True,
        "level": "jammed",
        "priority": "high",
        "rule": "gate_outage",
        "kind": "gate",
        "subject": "W07-G1",
        "title": label,
        "headline": None,
        "consequence": label,
        "cause": "gate_outage",
        "sites": ["W07"],
        "places": ["W07-G1"],
        "sensors": ["W07-G1"],
        "situation": None,
        "onset": "2026-03-02T07:12:00Z",
        "escalated": False,
        "shelved_until": None,
        "respond_by": None,
        "recording": None,
        "closed": None,
        "actions": ["acknowledge", "shelve", "comment", "respond", "confirm"],
        "response": {"do": label, "call": label, "within_min": 10},
        "arithmetic": None,
        "evidence": {},
        "history": [],
        **changes,
    }


class Desk:
    """Stands in for the alarms of a server, and remembers what was done."""

    def __init__(self, alarms: list[dict[str, Any]]) -> None:
        self.alarms = {one["id"]: one for one in alarms}
        self.done: list[tuple[str, str, dict[str, Any]]] = []

    async def answer(self, route: Route) -> None:
        path = route.request.url.split("?")[0].split("/v1/alarms")[1].strip("/").split("/")
        if path == [""]:
            await route.fulfill(json={"items": list(self.alarms.values()), "next": None})
            return
        if len(path) > 1:
            self.done.append((path[0], path[1], json.loads(route.request.post_data or "{}")))
            state = {"acknowledge": "acknowledged", "shelve": "shelved"}.get(path[1], self.alarms[path[0]]["state"])
            old = self.alarms[path[0]]
            self.alarms[path[0]] = {**old, "state": state, "version": old["version"] + 1}
        await route.fulfill(json=self.alarms[path[0]])


@pytest.fixture
async def page(chromium: str, live: Any) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = await browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
        await context.add_cookies([live.session])
        yield await context.new_page()
        await browser.close()


async def _shown(page: Page, url: str, *alarms: dict[str, Any]) -> Desk:
    desk = Desk(list(alarms))
    await page.route(re.compile(r"/v1/alarms"), desk.answer)
    await page.goto(url)
    await page.wait_for_selector("body[data-alarms]", timeout=PATIENCE_MS)
    return desk


async def test_alarms_are_answered_by_keyboard_alone(page: Page, live_url: str) -> None:
    desk = await _shown(page, live_url, alarm(1), alarm(2, level="dense", priority="low"))
    cards = page.locator("#alarms-list .alarm")
    await expect(cards.first).to_contain_text(HOSTILE)
    assert await page.locator("#alarms-list b").count() == 0
    await page.keyboard.press("a")
    await expect(page.locator('[data-alarm="1"]')).to_have_class(re.compile("seen"))
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("s")
    await page.keyboard.type("works")
    await page.keyboard.press("Enter")
    await expect(page.locator("#alarms-hidden li")).to_have_count(1)
    await page.keyboard.press("n")
    await page.keyboard.press("c")
    await page.keyboard.type("called")
    await page.keyboard.press("Escape")
    await expect(page.locator("form.asking")).to_have_count(0)
    actions = [(action, body) for _, action, body in desk.done]
    assert ("acknowledge", {}) in actions
    assert ("shelve", {"reason": "works", "minutes": 30}) in actions
    assert ("confirm", {"right": False}) in actions
    assert "comment" not in dict(actions)


async def test_who_is_on_duty_changes_in_one_action(page: Page, live_url: str) -> None:
    await _shown(page, live_url)
    await page.locator("#duty").press("Enter")
    await page.keyboard.type(HOSTILE)
    await page.keyboard.press("Enter")
    await expect(page.locator("#duty")).to_have_text(f"on duty: {HOSTILE}")
    await expect(page.locator("#shift")).to_be_hidden()


async def test_the_wall_has_nothing_to_press(page: Page, live_url: str) -> None:
    await _shown(page, live_url + "/?wall", alarm(1))
    await expect(page.locator("#alarms-list .alarm")).to_be_visible()
    await expect(page.locator(".actions button:visible, .switches button:visible")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.locator(".actions button").first).to_be_visible()


async def test_the_map_zooms_by_keyboard_and_shows_all_again(page: Page, live_url: str) -> None:
    await _shown(page, live_url)
    await page.locator('.mark[tabindex="0"]').focus()
    box = "document.activeElement.closest('svg').getAttribute('viewBox')"
    whole = await page.evaluate(box)
    await page.keyboard.press("+")
    assert await page.evaluate(box) != whole
    await page.keyboard.press("0")
    assert await page.evaluate(box) == whole


async def test_a_terminal_has_a_page_of_its_own(page: Page, live_url: str) -> None:
    await _shown(page, live_url)
    await page.locator("#terminals a", has_text="Seayard").press("Enter")
    await expect(page.locator("#story-title")).to_have_text("Seayard", timeout=PATIENCE_MS)
    await expect(page.locator("#story tr", has_text="W07-G1")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#map")).to_be_visible()


@pytest.mark.prove
async def test_a_killed_server_is_said_within_five_seconds_and_comes_back_without_reload(
    page: Page, start_vigie: Callable[..., Any], new_home: Callable[[], Path]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    home = new_home()
    running = start_vigie(home, "--http", address)
    await page.context.add_cookies([running.session])
    await page.goto(running.url)
    await page.wait_for_selector("body[data-alarms]", timeout=PATIENCE_MS)
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
