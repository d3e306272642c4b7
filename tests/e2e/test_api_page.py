"""The operator's page as an operator's browser shows it: Debian's chromium against a running Vigie."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, async_playwright, expect

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
BUDGET_BYTES = 150_000
PATIENCE_MS = 60_000
DESKTOP = (1440, 900)
TELEPHONE = (390, 844)
MOST_SPEAK = re.compile(r"^([6-8]\d|90)/90")
# Started by root there is no sandbox; the rest keeps the browser from asking anybody else for anything.
FLAGS = [
    "--no-sandbox",
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Visit:
    """A page and what it did behind the scenes."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    transferred: float = 0.0


class Visitor:
    """Opens the page in fresh contexts of one browser."""

    def __init__(self, browser: Browser, live: Any) -> None:
        self.browser = browser
        self.live = live
        self.url = live.url

    async def visit(
        self, size: tuple[int, int] = DESKTOP, *, theme: str = "light", locale: str = "fr-FR", ready: bool = True
    ) -> Visit:
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            locale=locale,
        )
        await context.add_cookies([self.live.session])
        visit = Visit(await context.new_page())
        await _listen(context, visit)
        await visit.page.goto(self.url, wait_until="domcontentloaded")
        if ready:
            await visit.page.wait_for_selector("body[data-ready]", timeout=PATIENCE_MS)
        return visit


async def _listen(context: BrowserContext, visit: Visit) -> None:
    page = visit.page
    page.on("request", lambda request: visit.hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("console", lambda line: visit.complaints.append(line.text) if line.type in {"error", "warning"} else None)
    network = await context.new_cdp_session(page)
    await network.send("Network.enable")
    # Event streams never finish loading, so bytes are counted as they come; headers come with the answers.
    network.on("Network.dataReceived", lambda event: _count(visit, event["encodedDataLength"]))
    network.on("Network.responseReceived", lambda event: _count(visit, event["response"]["encodedDataLength"]))


def _count(visit: Visit, size: float) -> None:
    visit.transferred += max(0.0, size)


@pytest.fixture
async def visitor(chromium: str, live: Any) -> AsyncIterator[Visitor]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield Visitor(browser, live)
        await browser.close()


def _keep(name: str) -> Path:
    ARTEFACTS.mkdir(exist_ok=True)
    return ARTEFACTS / f"page-{name}.png"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, TELEPHONE], ids=["desktop", "telephone"])
async def test_the_page_shows_ninety_sensors_quietly(visitor: Visitor, size: tuple[int, int], theme: str) -> None:
    visit = await visitor.visit(size, theme=theme)
    await expect(visit.page.locator("#map [data-sensor][data-level]")).to_have_count(90)
    await expect(visit.page.locator("#speaking")).to_have_text(MOST_SPEAK, timeout=PATIENCE_MS)
    await visit.page.screenshot(path=_keep(f"{size[0]}-{theme}"), full_page=size == TELEPHONE)
    assert visit.complaints == []
    assert visit.hosts == {urlsplit(visitor.url).netloc}
    assert await visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_link_signs_a_browser_in_once(visitor: Visitor) -> None:
    context = await visitor.browser.new_context()
    page = await context.new_page()
    await page.goto(visitor.url)
    await expect(page.locator("h1")).to_have_text("Vigie")
    await expect(page.locator("code").first).to_have_text("vigie up")
    made = ["keys", "link", "--name", "M. Durand", "--scope", "operate", "--url", visitor.url]
    link = (await asyncio.to_thread(visitor.live.vigie, *made)).stdout.strip()
    await page.goto(link)
    await page.wait_for_selector("body[data-ready]", timeout=PATIENCE_MS)
    assert page.url == f"{visitor.url}/"
    answer = await (await visitor.browser.new_context()).request.get(link)
    assert answer.status == 401


async def test_the_page_weighs_less_than_its_budget(visitor: Visitor) -> None:
    visit = await visitor.visit()
    assert 20_000 < visit.transferred < BUDGET_BYTES


async def test_a_sensor_opens_by_keyboard_and_escape_gives_the_focus_back(visitor: Visitor) -> None:
    page = (await visitor.visit()).page
    await page.locator('.mark[tabindex="0"]').focus()
    await page.keyboard.press("ArrowRight")
    chosen = await page.evaluate("document.activeElement.dataset.sensor")
    await page.keyboard.press("Enter")
    await expect(page.locator("#detail-title")).to_contain_text(chosen)
    await page.keyboard.press("Escape")
    await expect(page.locator("#detail")).to_be_hidden()
    assert await page.evaluate("document.activeElement.dataset.sensor") == chosen


async def test_a_sensor_shows_its_last_hours_as_a_line(visitor: Visitor) -> None:
    page = (await visitor.visit()).page
    await expect(page.locator("#speaking")).to_have_text(MOST_SPEAK, timeout=PATIENCE_MS)
    await page.locator('[data-sensor="W06-W1"]').click()  # the wind always has a value; a road at night has none
    await expect(page.locator("#detail .chart")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator("#detail output")).to_contain_text("m/s")
    assert await page.locator("#detail .curve").get_attribute("d")
    await page.screenshot(path=_keep("sensor"))


async def test_language_and_theme_are_chosen_and_kept(visitor: Visitor) -> None:
    page = (await visitor.visit(locale="en-GB")).page
    await expect(page.locator("#tab-alerts")).to_have_text("Alarms")
    await page.locator('[data-language="fr"]').click()
    await expect(page.locator("#tab-alerts")).to_have_text("Alarmes")
    await page.locator("#theme").click()
    await page.reload()
    await page.wait_for_selector("body[data-ready]", timeout=PATIENCE_MS)
    await expect(page.locator("#tab-alerts")).to_have_text("Alarmes")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert await page.evaluate("document.documentElement.lang") == "fr"


async def test_both_catalogues_have_the_same_messages(visitor: Visitor) -> None:
    page = (await visitor.visit()).page
    load = "(file) => import(`/js/${file}.js`).then((module) => Object.keys(module.default).sort())"
    french = await page.evaluate(load, "messages-fr")
    assert french == await page.evaluate(load, "messages-en")
    assert len(french) > 50


async def test_names_with_markup_show_as_text(visitor: Visitor) -> None:
    visit = await visitor.visit(ready=False)
    hostile = """<img src=x onerror="document.title='owned'"> "L'Estaque" & fils"""
    async with httpx.AsyncClient(headers=visitor.live.bearer) as client:
        sites = (await client.get(visitor.url + "/v1/sites")).json()
    sites["items"][0]["name"] = hostile

    async def answer(route: Route) -> None:
        await route.fulfill(json=sites)

    await visit.page.route("**/v1/sites", answer)
    await visit.page.reload()
    await visit.page.wait_for_selector("body[data-ready]", timeout=PATIENCE_MS)
    await visit.page.locator("#tab-sensors").click()
    await expect(visit.page.locator("#sensors-list")).to_contain_text(hostile)
    assert await visit.page.locator("img").count() == 0
    assert await visit.page.title() != "owned"


async def test_a_lost_stream_is_said_and_comes_back_without_reload(visitor: Visitor) -> None:
    visit = await visitor.visit(ready=False)
    await visit.page.route("**/v1/states/stream", lambda route: route.abort())
    await visit.page.reload()
    await expect(visit.page.locator("#banner")).to_be_visible(timeout=15_000)
    await visit.page.screenshot(path=_keep("stale"))
    await visit.page.unroute("**/v1/states/stream")
    await expect(visit.page.locator("#banner")).to_be_hidden(timeout=15_000)
    await expect(visit.page.locator("#map [data-sensor]")).to_have_count(90)
