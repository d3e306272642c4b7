"""Pictures of the page for people to look at, kept as artefacts: `make pictures`. They prove nothing by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]

PATIENCE_MS = 600_000
DESKTOP, SMALL, WALL, TELEPHONE = (1440, 900), (1280, 800), (1920, 1080), (390, 844)
REACHED = "(time) => /^\\d/.test(clock.textContent) && clock.textContent >= time"
ALARMS = 40


class Album:
    """Takes pictures of one running Vigie."""

    def __init__(self, visitor: Any, running: Any, keep: Callable[[str], Path]) -> None:
        self._visitor = visitor
        self._running = running
        self._keep = keep

    async def opened(self, where: str = "", size: tuple[int, int] = DESKTOP, theme: str = "light") -> Page:
        context = await self._visitor.context(size, theme=theme, locale="fr-FR")
        await context.add_cookies([self._running.session])
        page = await context.new_page()
        await page.goto(f"{self._running.url}/{where}")
        await page.wait_for_selector("body[data-ready][data-alarms]")
        return page

    async def take(self, name: str, *where: Any) -> None:
        page = await self.opened(*where)
        if "#" in page.url:
            await expect(page.locator("#story section").last).to_be_visible(timeout=60_000)
        await page.screenshot(path=self._keep(name), animations="disabled")
        await page.context.close()

    async def at(self, clock: Page, time: str) -> None:
        """Wait until the port's clock says so."""
        await clock.wait_for_function(REACHED, arg=time, timeout=PATIENCE_MS)


@pytest.fixture
def played(start_vigie: Callable[..., Any], new_home: Callable[[], Path]) -> Iterator[Callable[..., Any]]:
    """Play a scenario in so many minutes."""
    running = []

    def play(scenario: str, minutes: int) -> Any:
        words = ("--scenario", scenario, "--minutes", str(minutes), "--stay")
        running.append(start_vigie(new_home(), *words, command="demo"))
        return running[-1]

    yield play
    for one in running:
        one.stop()


async def test_monday_0730(visitor: Any, played: Any, keep: Callable[[str], Path]) -> None:
    album = Album(visitor, played("monday-0730", 6), keep)
    clock = await album.opened()
    await album.at(clock, "06:50")
    await album.take("quiet-morning")
    await album.at(clock, "08:30")
    await album.take("monday")
    await album.take("monday-small", "", SMALL)
    await album.take("monday-night", "", DESKTOP, "dark")
    await album.take("monday-wall", "?wall", WALL, "dark")
    await album.take("monday-telephone", "", TELEPHONE)
    situations = await clock.evaluate("fetch('/v1/situations').then((answer) => answer.json())")
    await album.take("situation", f"#situation/{situations['items'][0]['situation']}")
    await album.take("terminal", "#terminal/SEYA")
    await album.take("sensor-of-a-road", "#sensor/W03-F1")


async def test_sensors_that_are_silent(visitor: Any, played: Any, keep: Callable[[str], Path]) -> None:
    album = Album(visitor, played("network-outage-west", 4), keep)
    await album.at(await album.opened(), "08:02")
    await album.take("silent-basin")
    await album.take("silent-sensor", "#sensor/W07-G1", DESKTOP, "dark")


def _now() -> str:
    return datetime.now(UTC).isoformat()


async def test_an_avalanche(visitor: Any, live: Any, keep: Callable[[str], Path], desk: Any, alarm: Any) -> None:
    page = await (await visitor.context(locale="fr-FR")).new_page()
    told = {"title": {"fr": "Portique à l'arrêt", "en": "Crane stopped"}, "onset": _now(), "cause": "wind_stop"}
    what = {"fr": "Prévenir le terminal ; vérifier l'amarrage.", "en": "Tell the terminal; check the moorings."}
    told["response"] = {"do": what, "call": {"fr": "Le terminal", "en": "The terminal"}, "within_min": 10}
    kinds = [("jammed", "high"), ("congested", "medium"), ("dense", "low")]
    levels = [dict(zip(("level", "priority"), kinds[n % 3], strict=True)) for n in range(ALARMS)]
    alarms = [alarm(n, sites=[f"W{1 + n % 20:02}"], **told, **levels[n]) for n in range(ALARMS)]
    await page.route(re.compile("/v1/alarms"), desk(*alarms).answer)
    load = {"flood": {"began": _now(), "most": ALARMS}}
    await page.route("**/v1/kpi", lambda route: route.fulfill(json=load))
    await page.goto(live.url)
    await expect(page.locator(".flood")).to_be_visible()
    await page.screenshot(path=keep("flood"), animations="disabled")
