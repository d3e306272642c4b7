"""What an operator does with alarms on the page, by keyboard, in a browser of its own against a running Vigie."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATIENCE_MS = 60_000


@pytest_asyncio.fixture(loop_scope="session")
async def page(visitor: Any) -> Page:
    return await (await visitor.context(locale="en-GB")).new_page()


@pytest.fixture
def shown(page: Page, desk: Any) -> Callable[..., Any]:
    """Open the page at an address with these alarms on its desk, which is returned."""

    async def show(url: str, *alarms: dict[str, Any]) -> Any:
        at = desk(*alarms)
        await page.route(re.compile(r"/v1/alarms"), at.answer)
        await page.goto(url)
        await page.wait_for_selector("body[data-alarms]")
        return at

    return show


async def test_alarms_are_answered_by_keyboard_alone(
    page: Page, live_url: str, shown: Any, alarm: Any, hostile: str
) -> None:
    desk = await shown(live_url, alarm(1), alarm(2, level="dense", priority="low"))
    cards = page.locator("#alarms-list .alarm")
    await expect(cards.first).to_contain_text(hostile)
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


TOLD = """async (situations) => {
  const { alarmCause } = await import(new URL("js/alarm-words.js", document.baseURI));
  return situations.map((situation) => alarmCause({}, situation));
}"""


async def test_a_card_tells_the_cause_that_is_named_and_not_what_only_may_be_one(
    page: Page, live_url: str, shown: Any
) -> None:
    await shown(live_url)
    accident = {"what": "accident", "confidence": 0.9, "evidence": {}}
    situations = [{"cause": cause, "causes": [accident]} for cause in ("accident", "gate_outage", "unknown")]
    assert await page.evaluate(TOLD, situations) == ["Accident (90%)", "Gate outage", ""]


async def test_who_is_on_duty_changes_in_one_action(page: Page, live_url: str, shown: Any, hostile: str) -> None:
    await shown(live_url)
    await page.locator("#duty").press("Enter")
    await page.keyboard.type(hostile)
    await page.keyboard.press("Enter")
    await expect(page.locator("#duty")).to_have_text(f"on duty: {hostile}")
    await expect(page.locator("#shift")).to_be_hidden()


async def test_the_wall_has_nothing_to_press(page: Page, live_url: str, shown: Any, alarm: Any) -> None:
    await shown(live_url + "/?wall", alarm(1))
    await expect(page.locator("#alarms-list .alarm")).to_be_visible()
    await expect(page.locator(".actions button:visible, .switches button:visible")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.locator(".actions button").first).to_be_visible()


async def test_the_map_zooms_by_keyboard_and_shows_all_again(page: Page, live_url: str, shown: Any) -> None:
    await shown(live_url)
    await page.locator('.mark[tabindex="0"]').focus()
    box = "document.activeElement.closest('svg').getAttribute('viewBox')"
    whole = await page.evaluate(box)
    await page.keyboard.press("+")
    assert await page.evaluate(box) != whole
    await page.keyboard.press("0")
    assert await page.evaluate(box) == whole


async def test_a_terminal_has_a_page_of_its_own(page: Page, live_url: str, shown: Any) -> None:
    await shown(live_url)
    await page.locator("#terminals a", has_text="Seayard").press("Enter")
    await expect(page.locator("#story-title")).to_have_text("Seayard", timeout=PATIENCE_MS)
    await expect(page.locator("#story tr", has_text="W07-G1")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#map")).to_be_visible()
