"""The operator's page as an operator's browser shows it: Debian's chromium against a running Vigie."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Route, expect

pytestmark = pytest.mark.asyncio(loop_scope="session")

BUDGET_BYTES = 150_000
PATIENCE_MS = 60_000
SIZES = [(1440, 900), (390, 844)]
MOST_SPEAK = re.compile(r"^([6-8]\d|90)/90")


async def test_the_page_shows_ninety_sensors_quietly(visitor: Any, keep: Callable[[str], Path]) -> None:
    visit = await visitor.visit()
    page = visit.page
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme=theme)
            await expect(page.locator(f':root[data-theme="{theme}"] #map [data-sensor][data-level]')).to_have_count(90)
            await expect(page.locator("#speaking")).to_have_text(MOST_SPEAK, timeout=PATIENCE_MS)
            await page.screenshot(path=keep(f"{width}-{theme}"), full_page=width < height)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visit.complaints == []
    assert visit.hosts == {urlsplit(visitor.url).netloc}


async def test_a_link_signs_a_browser_in_once(visitor: Any) -> None:
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


async def test_the_page_weighs_less_than_its_budget(visitor: Any) -> None:
    visit = await visitor.visit()
    assert 20_000 < visit.transferred < BUDGET_BYTES


async def test_a_sensor_opens_by_keyboard_and_escape_gives_the_focus_back(visitor: Any) -> None:
    page = (await visitor.visit()).page
    await page.locator('.mark[tabindex="0"]').focus()
    await page.keyboard.press("ArrowRight")
    chosen = await page.evaluate("document.activeElement.dataset.sensor")
    await page.keyboard.press("Enter")
    await expect(page.locator("#detail-title")).to_contain_text(chosen)
    await page.keyboard.press("Escape")
    await expect(page.locator("#detail")).to_be_hidden()
    assert await page.evaluate("document.activeElement.dataset.sensor") == chosen


async def test_a_sensor_shows_its_last_hours_as_a_line(visitor: Any, keep: Callable[[str], Path]) -> None:
    page = (await visitor.visit()).page
    await expect(page.locator("#speaking")).to_have_text(MOST_SPEAK, timeout=PATIENCE_MS)
    await page.locator('[data-sensor="W06-W1"]').click()  # the wind always has a value; a road at night has none
    await expect(page.locator("#detail .chart")).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator("#detail output")).to_contain_text("m/s")
    assert await page.locator("#detail .curve").get_attribute("d")
    await page.screenshot(path=keep("sensor"))


async def test_a_sensor_has_a_page_with_its_health_and_its_last_messages(
    visitor: Any, keep: Callable[[str], Path]
) -> None:
    page = (await visitor.visit(locale="en-GB")).page
    await page.goto(f"{visitor.url}/#sensor/W01-F1")
    await expect(page.locator("#story-title")).to_contain_text("W01-F1", timeout=PATIENCE_MS)
    await expect(page.get_by_text("No fault is known.")).to_be_visible()
    await expect(page.locator("#story tbody tr")).to_have_count(1)
    await expect(page.locator("#story .raw code").first).to_contain_text('"seq"')
    await page.screenshot(path=keep("sensor-page"))


async def test_language_and_theme_are_chosen_and_kept(visitor: Any) -> None:
    page = (await visitor.visit(locale="en-GB")).page
    await expect(page.locator("#tab-alerts")).to_have_text("Alarms")
    await page.locator('[data-language="fr"]').click()
    await expect(page.locator("#tab-alerts")).to_have_text("Alarmes")
    await page.locator("#theme").click()
    await page.reload()
    await page.wait_for_selector("body[data-ready]")
    await expect(page.locator("#tab-alerts")).to_have_text("Alarmes")
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert await page.evaluate("document.documentElement.lang") == "fr"


async def test_names_with_markup_show_as_text(visitor: Any) -> None:
    page = await (await visitor.context()).new_page()
    hostile = """<img src=x onerror="document.title='owned'"> "L'Estaque" & fils"""
    async with httpx.AsyncClient(headers=visitor.live.bearer) as client:
        sites = (await client.get(visitor.url + "/v1/sites")).json()
    sites["items"][0]["name"] = hostile

    async def answer(route: Route) -> None:
        await route.fulfill(json=sites)

    await page.route("**/v1/sites", answer)
    await page.goto(visitor.url)
    await page.wait_for_selector("body[data-ready]")
    await page.locator("#tab-sensors").click()
    await expect(page.locator("#sensors-list")).to_contain_text(hostile)
    assert await page.locator("img").count() == 0
    assert await page.title() != "owned"
