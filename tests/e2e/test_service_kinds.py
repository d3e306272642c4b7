"""The tutorial of docs/adding-a-kind.md: one file adds a kind, and its readings go through to a chart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from simulators.publish import Publisher

TUTORIAL = (Path(__file__).parents[2] / "docs" / "adding-a-kind.md").read_text("utf-8")


@pytest.fixture(scope="module")
def bins(new_home, start_vigie, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    folder = tmp_path_factory.mktemp("kinds")
    definition = re.search(r"```toml\n(.*?)```", TUTORIAL, flags=re.DOTALL)
    assert definition
    (folder / "waste_bin.toml").write_text(definition.group(1))
    running = start_vigie(new_home(), "--no-simulators", VIGIE_KINDS_DIR=str(folder))
    running.kinds = folder
    yield running
    running.stop()


def publish(url: str, topic: str, payload: bytes) -> None:
    async def send() -> None:
        async with Publisher(url, "test-bins") as publisher:
            await publisher.publish_all([(topic, payload)])

    asyncio.run(send())


def test_a_waste_bin_goes_from_its_definition_to_its_chart(bins, run_vigie) -> None:
    added = run_vigie(
        *("sensors", "add", "--id", "W07-T1", "--site", "W07", "--kind", "waste_bin", "--home", bins.home),
        VIGIE_KINDS_DIR=str(bins.kinds),
    )
    assert added.returncode == 0, added.stderr
    now = datetime.now(UTC).isoformat()
    payload = f'{{"time": "{now}", "seq": 1, "fill_pct": 88.5, "temperature_c": 19}}'.encode()
    publish(bins.vigie("broker", "url").stdout.strip(), "vigie/1/readings/W07/W07-T1/waste_bin", payload)

    readings = bins.until(
        lambda: bins.get("/v1/sensors/W07-T1/readings")["values"]["fill_pct"], "the reading is in the chart's data"
    )
    assert readings == [88.5]
    state = bins.until(
        lambda: next((s for s in bins.get("/v1/states")["items"] if s["sensor"] == "W07-T1" and s["value"]), None),
        "a state of this reading",
    )
    assert (state["level"], state["value"]["field"]) == ("congested", "fill_pct")
    (alert,) = bins.get("/v1/alerts?subject=W07-T1")["items"]
    assert alert["type"] == "vigie.congestion.began.v1"
    with psycopg.connect(bins.database_url) as conn:
        assert conn.execute("select sensor, fill_pct, temperature_c from waste_bin").fetchone() == (
            "W07-T1",
            88.5,
            19.0,
        )
    kind = next(kind for kind in bins.get("/v1/kinds")["items"] if kind["name"] == "waste_bin")
    assert kind["chart"] == "fill_pct"
