"""`vigie demo`: a day in minutes, truth beside verdict, and the page with it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import async_playwright, expect

SCENARIO = """
title = { en = "Lorries stand for a while", fr = "Des camions à l'arrêt" }
about = { en = "For a test.", fr = "Pour un essai." }
weekdays = ["tuesday"]
start = "12:30"
hours = 0.6
[[interventions]]
what = "standing_lorries"
where = "W02-W03"
start_min = 10
for_min = 20
"""


async def test_it_plays_tells_and_shows(tmp_path: Path, vigie_command, vigie_environ, chromium: str) -> None:
    (tmp_path / "short.toml").write_text(SCENARIO, "utf-8")
    words = ["demo", "--scenario", "short", "--minutes", "0.4", "--http", "127.0.0.1:0"]
    process = await asyncio.create_subprocess_exec(
        *vigie_command,
        *words,
        env=vigie_environ({"VIGIE_SCENARIOS_DIR": str(tmp_path)}),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said: list[str] = []
    try:
        while not (found := re.match(r"page +(http://\S+)", said[-1] if said else "")):
            said.append((await process.stdout.readline()).decode())
            assert said[-1], "".join(said)
        rest = asyncio.create_task(process.stdout.read())
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--headless=new"]
            )
            page = await browser.new_page(locale="en-GB")
            await page.goto(found[1])
            await expect(page.locator("#date")).to_have_text("Tue 4 Mar · played", timeout=60_000)
            await expect(page.locator("#speaking")).to_have_text("90/90 sensors", timeout=60_000)
            await browser.close()
        said.append((await rest).decode())
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
    text = "".join(said)
    assert re.search(r"^12:4\d +\+ W02-W03 \d+ % speed", text, re.MULTILINE)
    assert re.search(r"\+ W0\d-F\d (congested|jammed), \d+:\d\d after the onset", text)
    assert re.search(r"^W02-W03\b.* standing lorries +\d+:\d\d min$", text, re.MULTILINE)
    assert "alarms where nothing was congested: 0;" in text
