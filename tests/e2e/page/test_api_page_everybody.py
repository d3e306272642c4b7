"""The page for everybody: axe-core finds nothing to object to, and whoever has no mouse gets everywhere and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Route, expect

from api.models.situations import SituationShown

pytestmark = pytest.mark.asyncio(loop_scope="session")

TELEPHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
ALARMS = 24
PATIENCE_MS = 60_000
ASK = """([part, options]) =>
  axe.run(part ?? document, options).then(({ violations, passes }) => [violations, passes.length])"""


def _situation() -> dict[str, Any]:
    """A jam before a gate with everything that one can have, in the shape of the API."""
    now = datetime.now(UTC).replace(microsecond=0)
    ago = [(now - timedelta(minutes=n)).isoformat() for n in (0, 10, 20)]
    later = [(now + timedelta(minutes=n)).isoformat() for n in (10, 25, 60)]
    name = {"en": "Seayard gate jammed, 34 lorries wait", "fr": "Porte Seayard bloquée, 34 camions attendent"}
    told = {
        "situation": "20260302T071200Z-W07-G1",
        "time": ago[0],
        "kind": "gate",
        "state": "open",
        "level": "jammed",
        "sites": ["W07", "W03"],
        "places": ["W07-G1", "W03-W07"],
        "sensors": ["W07-G1"],
        "head": "W07-G1",
        "tail": "W03-W07",
        "length_m": 690.0,
        "trend": "growing",
        "onset": ago[2],
        "end": None,
        "cause": "gate_outage",
        "causes": [{"what": "gate_outage", "confidence": 0.97, "evidence": {"lanes_open": 0.0, "lanes_usual": 2.7}}],
        "headline": name,
        "sign": {"fr": ["ATTENTE SEAYARD", "35 MIN"], "en": ["WAIT SEAYARD", "35 MIN"]},
        "spillback": {
            "towards": "W02-W03",
            "site": "W03",
            "storage_m": 690.0,
            "filled": 0.62,
            "reaches_at": later[0],
        },
        "parent": None,
        "expected_end": later[1],
        "expected_end_low": later[0],
        "expected_end_high": later[2],
        "delay_s": 86400.0,
        "lorry_hours": 9.5,
        "stays": [{"sensor": "W07-G1", "from": ago[2], "to": None}],
    }
    return SituationShown.model_validate(told).model_dump(mode="json", by_alias=True)


SITUATION = _situation()


@pytest_asyncio.fixture(loop_scope="session")
async def desk_of(visitor: Any, desk: Any, alarm: Any) -> Any:
    """The alarms of an avalanche, the first of a situation."""
    kinds = [("jammed", "high"), ("congested", "medium"), ("dense", "low")]
    more = [alarm(n, level=kinds[n % 3][0], priority=kinds[n % 3][1]) for n in range(3, ALARMS)]
    hidden = alarm(2, state="shelved", actions=["unshelve"], shelved_until=SITUATION["expected_end"])
    return desk(alarm(1, situation=SITUATION["situation"], onset=SITUATION["onset"], escalated=True), hidden, *more)


@pytest_asyncio.fixture(loop_scope="session")
async def page(visitor: Any, desk_of: Any) -> Page:
    """The page in an avalanche, nothing opened yet."""
    page = await (await visitor.context()).new_page()
    await page.add_init_script(Axe().axe_script)  # once a document, whatever its policy says

    async def situations(route: Route) -> None:
        asked = route.request.url.partition("/v1/situations")[2].strip("/")
        await route.fulfill(json=SITUATION if asked else {"items": [SITUATION], "next": None})

    async def load(route: Route) -> None:
        await route.fulfill(json={"flood": {"began": SITUATION["onset"], "most": ALARMS}})

    await page.route(re.compile("/v1/alarms"), desk_of.answer)
    await page.route(re.compile("/v1/situations"), situations)
    await page.route("**/v1/kpi", load)
    return page


async def _start(page: Page, url: str, language: str) -> None:
    await page.goto(url)
    await page.wait_for_selector("body[data-ready][data-alarms]")
    if "wall" not in url:
        await page.locator(f'[data-language="{language}"]').click()


class Judge:
    """Asks axe-core about what is shown: by everything in both themes, or in less time.

    Then the dark is asked for its colours only, and beside a story nothing that was looked at before.
    """

    def __init__(self, page: Page, *, whole: bool) -> None:
        self.page = page
        self.whole = whole
        self.rules = {"light": None, "dark": None if whole else ["color-contrast"]}
        self.said: list[str] = []

    async def look(self, where: str, part: str | None = None) -> None:
        for theme, rules in self.rules.items():
            await self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            options = {"resultTypes": ["violations"]} | ({"runOnly": rules} if rules else {})
            violations, passes = await self.page.evaluate(ASK, [None if self.whole else part, options])
            assert passes
            found = [(one["id"], node) for one in violations for node in one["nodes"]]
            self.said += [
                f"{where}, {theme}: {name}: {node['target']} {node['failureSummary']}" for name, node in found
            ]


async def _walk(judge: Judge, url: str, language: str) -> list[str]:
    """Everything that the page can show, and what axe-core says of it."""
    page = judge.page
    await _start(page, url, language)
    await expect(page.locator(".flood")).to_be_visible()
    await page.locator("#tab-sensors").click()
    await page.set_viewport_size(TELEPHONE)  # type: ignore[arg-type]
    await judge.look("sensors on a telephone")
    await page.set_viewport_size(DESKTOP)  # type: ignore[arg-type]
    for kind, name in (("situation", SITUATION["situation"]), ("terminal", "SEYA"), ("sensor", "W01-F1")):
        await page.goto(f"{url}/#{kind}/{name}")
        await expect(page.locator("#story section").last).to_be_visible()
        await judge.look(kind, "#story")
    await page.locator("#story-close").click()
    await page.locator("#tab-alerts").click()
    await page.locator('[data-sensor="W06-W1"]').click()
    await expect(page.locator("#detail .chart")).to_be_visible(timeout=PATIENCE_MS)
    await page.locator("#alarms-list .alarm [data-action=shelve]").first.click()
    await judge.look("flood, a sensor, a form")
    await page.locator("#duty").click()
    await judge.look("change of shift", "#shift")
    await _start(page, f"{url}/?wall", language)
    await judge.look("wall")
    return judge.said


async def test_axe_finds_no_violation_on_any_page_in_flood(page: Page, visitor: Any) -> None:
    assert await _walk(Judge(page, whole=False), visitor.url, "fr") == []


@pytest.mark.prove
@pytest.mark.parametrize("language", ["fr", "en"])
async def test_axe_finds_no_violation_by_any_rule_in_any_theme_and_language(
    page: Page, visitor: Any, language: str
) -> None:
    assert await _walk(Judge(page, whole=True), visitor.url, language) == []


async def test_from_the_list_to_the_situation_and_back_by_keyboard_alone(
    page: Page, visitor: Any, desk_of: Any
) -> None:
    """Tab into the list, acknowledge, shelve, open the situation, go to a sensor of it, and come back to the list."""
    await _start(page, visitor.url, "en")
    press = page.keyboard.press
    await page.locator("#theme").focus()
    for _ in range(200):
        await press("Tab")
        if await page.evaluate("document.activeElement.closest('.alarm')?.dataset.alarm") == "1":
            break
    await press("a")
    await expect(page.locator('[data-alarm="1"]')).to_have_class(re.compile("seen"))
    await press("Enter")
    await expect(page.locator("#story-title")).to_be_focused()
    await expect(page.locator("#story-title")).to_contain_text("34 lorries wait")
    await press("Escape")
    await expect(page.locator("#map")).to_be_visible()
    await expect(page.locator('[data-alarm="1"] h3 button')).to_be_focused()
    await press("s")
    await page.keyboard.type("works")
    await press("Tab")
    await press("ArrowDown")
    await press("Tab")
    await press("Enter")
    await expect(page.locator("#alarms-hidden li")).to_have_count(2)
    assert ("1", "acknowledge", {}) in desk_of.done
    assert ("1", "shelve", {"reason": "works", "minutes": 60}) in desk_of.done
    assert await page.evaluate("document.activeElement.closest('#alarms-list') !== null")
