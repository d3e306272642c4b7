"""The page in an avalanche: sixty updates a second must neither pile up nor keep it from answering to a hand."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from statistics import median
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, Route, expect

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUND_S = 20
UPDATES_HZ = 60
ALARMS_HZ = 3
ALARMS = 80
LEVELS = ["fluid", "dense", "congested", "jammed"]
TASK_MS = 50
"""From here on a press of a key feels late (the W3C's long task). Of the processor's time: a machine that runs other
tests meanwhile takes as long as it likes by the clock."""
HEAP_BYTES = 1_000_000
NODES_SHARE = 0.1
"""Of the least of eight instants. Four minutes gave 3.3 to 3.7 MB, 4,277 to 4,354 nodes and 484 to 498 listeners; one
node that stays at every update would be a quarter more after twenty seconds."""
WARM_INSTANTS = 20
INSTANTS = 8
"""A collection that comes amid one of the browser's own leaves what was thrown away since that one began: up to 2 MB
and 1,600 nodes more than a moment later. What piles up is in all of them, and so in the least."""
# A tenth of a second, and what was under way is done.
NEXT_INSTANT = "new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestIdleCallback(done)), 100))"
SIZES: list[Any] = [{"width": 1440, "height": 860}, {"width": 1440, "height": 900}]


class Avalanche:
    """States and alarms that change all the time, of one seed."""

    def __init__(self, states: list[dict[str, Any]], alarms: list[dict[str, Any]]) -> None:
        self.alarms = alarms
        self._states = states
        self._random = random.Random(8)
        self._ids = itertools.count(1)

    async def states(self) -> AsyncIterator[bytes]:
        yield _event("snapshot", {"items": self._states})
        async for _ in self._beats(UPDATES_HZ):
            yield _event("states", {"items": [self._changed(self._random.choice(self._states))]})

    def _changed(self, state: dict[str, Any]) -> dict[str, Any]:
        level = self._random.choice(LEVELS) if state["level"] is not None else None
        reading = {name: self._moved(value) for name, value in state["reading"].items()}
        return state | {"level": level, "verdict": "traffic", "reading": reading, "time": datetime.now(UTC).isoformat()}

    def _moved(self, value: Any) -> Any:
        return value * self._random.uniform(0.8, 1.2) if isinstance(value, float) else value

    async def feed(self) -> AsyncIterator[bytes]:
        async for _ in self._beats(ALARMS_HZ):
            told = {"id": str(next(self._ids)), "type": "vigie.alarm.changed.v1", "subject": "1", "data": {}}
            yield _event("alert", told)

    async def _beats(self, hertz: float) -> AsyncIterator[None]:
        """On time on average: what is late is caught up with."""
        loop = asyncio.get_running_loop()
        for due in itertools.count(loop.time(), 1 / hertz):
            await asyncio.sleep(due - loop.time())
            yield

    async def list_alarms(self, route: Route) -> None:
        """Each time some are at another level, some over, some gone."""
        if path := route.request.url.partition("/v1/alarms/")[2]:
            await route.fulfill(json=self.alarms[int(path) - 1])
            return
        for number in self._random.sample(range(ALARMS), 8):
            old = self.alarms[number]
            fresh = {"level": self._random.choice(LEVELS[1:]), "active": self._random.random() < 0.8}
            self.alarms[number] = old | fresh | {"version": old["version"] + 1}
        shown = [alarm for alarm in self.alarms if self._random.random() < 0.95]
        await route.fulfill(json={"items": shown, "next": None})

    async def kpi(self, route: Route) -> None:
        await route.fulfill(json={"flood": {"began": "2026-03-02T07:10:00Z", "most": ALARMS}})


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


async def _flooded(visitor: Any, line: Any, alarm: Any) -> Page:
    """The page as an avalanche comes over it, with a sensor opened and the list of all beside."""
    async with httpx.AsyncClient(headers=visitor.live.bearer) as client:
        states = (await client.get(visitor.url + "/v1/states")).json()["items"]
    rest = {"situation": None, "actions": ["acknowledge", "shelve"]}
    avalanche = Avalanche(states, [alarm(n, **rest, priority="high" if n % 3 else "low") for n in range(1, ALARMS + 1)])
    line.streams = {b"/v1/states/stream": avalanche.states, b"/v1/alerts/stream": avalanche.feed}
    page = await (await visitor.context()).new_page()
    await page.route(re.compile(r"/v1/alarms"), avalanche.list_alarms)
    await page.route("**/v1/kpi", avalanche.kpi)
    await page.goto(line.url)
    await expect(page.locator("#alarms-flood .flood")).to_be_visible()
    await page.locator('[data-sensor="W01-F1"]').click()
    await expect(page.locator("#detail")).to_be_visible()
    return page


async def _held(page: Page) -> tuple[int, ...]:
    """The least bytes of scripts, nodes and listeners of some instants, each after what can be was collected."""
    cdp = await page.context.new_cdp_session(page)
    found = []
    for _ in range(INSTANTS):
        await cdp.send("HeapProfiler.collectGarbage")
        heap = await cdp.send("Runtime.getHeapUsage")
        counted = await cdp.send("Memory.getDOMCounters")
        found.append((heap["usedSize"], counted["nodes"], counted["jsEventListeners"]))
        await page.evaluate(NEXT_INSTANT)
    await cdp.detach()
    return tuple(map(min, zip(*found, strict=True)))


async def _tasks(page: Page, seconds: float) -> list[tuple[float, str]]:
    """Each task of the page's main thread for so many seconds, its window resized meanwhile: ms of processor, name."""
    browser = page.context.browser
    assert browser is not None
    await browser.start_tracing(page=page, categories=["toplevel"])
    for size in SIZES:
        await asyncio.sleep(seconds / len(SIZES))  # the measurement itself
        await page.set_viewport_size(size)
    events = json.loads(await browser.stop_tracing())["traceEvents"]
    return list(_main_thread(events))


def _main_thread(events: list[dict[str, Any]]) -> Iterator[tuple[float, str]]:
    named = [event for event in events if event["name"] == "thread_name"]
    main = {(e["pid"], e["tid"]) for e in named if e["args"]["name"] == "CrRendererMain"}
    for event in events:
        if event.get("ph") == "X" and (event["pid"], event["tid"]) in main:
            yield event.get("tdur", 0) / 1000, f"{event['name']} {event.get('args')}"


async def _rounds(page: Page, seconds: float) -> None:
    """Rounds until so much time has passed; what each of them found is said at the end, good or bad."""
    loop = asyncio.get_running_loop()
    for _ in range(WARM_INSTANTS):  # what is made once: every card, fonts, caches of formats
        await page.evaluate(NEXT_INSTANT)
    held, longest = [await _held(page)], []
    end = loop.time() + seconds
    while loop.time() < end:
        tasks = await _tasks(page, ROUND_S)
        assert len(tasks) > ROUND_S * UPDATES_HZ
        longest.append(max(tasks))
        held.append(await _held(page))
    sys.stdout.write(f"\nlongest tasks, ms: {[round(ms) for ms, _ in longest]}; bytes, nodes, listeners: {held}\n")
    assert max(longest)[0] < TASK_MS, max(longest)
    _assert_nothing_piles_up(held)


def _assert_nothing_piles_up(held: list[tuple[int, ...]]) -> None:
    """The middle of the last quarter beside that of the first: in the first minute there is code to compile."""
    quarter = max(1, len(held) // 4)
    heap, nodes, listeners = (median(values) for values in zip(*held[:quarter], strict=True))
    after = [median(values) for values in zip(*held[-quarter:], strict=True)]
    assert after[0] - heap < HEAP_BYTES
    assert after[1] - nodes < NODES_SHARE * nodes
    assert after[2] - listeners < NODES_SHARE * listeners


async def test_in_an_avalanche_of_twenty_seconds_no_task_is_long_and_nothing_piles_up(
    visitor: Any, line: Any, alarm: Any
) -> None:
    page = await _flooded(visitor, line, alarm)
    await _rounds(page, ROUND_S)
    await page.keyboard.press("Escape")
    await expect(page.locator("#detail")).to_be_hidden()


@pytest.mark.prove
@pytest.mark.timeout(4800)
@pytest.mark.parametrize("minutes", [10, 60])
async def test_in_a_long_avalanche_no_task_is_long_and_nothing_piles_up(
    visitor: Any, line: Any, alarm: Any, minutes: int
) -> None:
    await _rounds(await _flooded(visitor, line, alarm), 60 * minutes)
