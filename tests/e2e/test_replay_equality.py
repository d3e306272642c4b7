"""Through broker, ingest, database and analysis the same states as an evaluation: any speed, shuffled, restarted.

The recording is 30 s apart and made by `vigie record`, of what was replayed before.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sensors.kind import load_kinds
from sensors.level import Level
from sensors.payload import PayloadCodec
from service.endpoints import Endpoints
from service.evaluate.drive import Shown, drive
from service.replaying import play
from simulators.message import Message
from simulators.recording import Recording, load_recording, save_recording
from simulators.replay import plan_replay, replay_messages
from store.database import connected

pytestmark = pytest.mark.prove
KINDS = load_kinds()
START = datetime(2026, 3, 2, 4, tzinfo=UTC)
STEP_S, STEPS, STATIONS = 30, 720, 12
PARTS = 6
"""States are compared after each of so many parts."""

JAMMED, STUCK, LOCKED, LOST = slice(150, 420), slice(300, 520), slice(100, 160), slice(430, 470)


def made(generator: np.random.Generator) -> Recording:
    """Six hours of a road: two queues that grow upstream; a station sticks, one is covered, one falls silent."""
    speed = generator.normal(88, 5, (STEPS, STATIONS))
    for station in range(4):
        queue = slice(JAMMED.start + 12 * station, JAMMED.stop - 9 * station)
        speed[queue, 5 - station] = np.clip(generator.normal(24, 12, queue.stop - queue.start), 3, 70)
    speed[STUCK, 8] = speed[STUCK.start, 8]
    flow = np.where(speed < 50, 700.0, 1100.0) + generator.normal(0, 40, speed.shape)
    flow[STUCK, 8] = flow[STUCK.start, 8]
    occupancy = 100 * flow / np.maximum(speed, 1) * 8 / 1000
    flow[LOCKED, 10], occupancy[LOCKED, 10], speed[LOCKED, 10] = 0, 100, np.nan
    for values in (speed, flow, occupancy):
        values[LOST, 6] = np.nan
        values[generator.random(values.shape) < 0.01] = np.nan
    return Recording(
        time=int(START.timestamp()) + STEP_S * np.arange(STEPS, dtype=np.int64),
        station=np.array([f"K{number:02}" for number in range(STATIONS)]),
        free_speed_kmh=np.full(STATIONS, 90, np.float32),
        speed_kmh=speed.astype(np.float32),
        flow_veh_h=flow.astype(np.float32),
        occupancy_pct=occupancy.astype(np.float32),
        position_km=np.arange(STATIONS, dtype=np.float64),
    )


@pytest.fixture(scope="module")
def home(new_home: Callable[[], Path]) -> Path:
    return new_home()


@pytest.fixture(scope="module")
def running(home, start_vigie) -> Iterator[list[Any]]:
    """The one that runs; a test may stop it and put another one in its place."""
    found = [start_vigie(home, "--no-simulators", VIGIE_INGEST_RECEIPT_S="0.1")]
    yield found
    found[-1].stop()


@pytest.fixture(scope="module")
def recording(running, tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("recordings")
    save_recording(folder / "first.npz", made(np.random.default_rng(4)))
    assert running[-1].vigie("replay", folder / "first.npz").returncode == 0
    span = ["--from", START.isoformat(), "--to", (START + timedelta(seconds=STEP_S * STEPS)).isoformat()]
    done = running[-1].vigie("record", "--site", "first", *span, folder / "recorded.npz")
    assert done.returncode == 0, done.stderr
    return load_recording(folder / "recorded.npz")


@pytest.fixture(scope="module")
def shown(recording: Recording) -> Shown:
    return drive(recording, recording.measured(), KINDS)


class Site:
    """The recording as a site of its own, published part by part; what is told of it, by its station."""

    def __init__(self, running: list[Any], recording: Recording, name: str) -> None:
        self._running, self._name = running, name
        self._stations = [str(station) for station in recording.station]
        self._plan = plan_replay(recording, name, taken=self._stations)
        sent = list(replay_messages(recording, self._plan, PayloadCodec(KINDS["traffic"])))
        edges = [int(recording.time[0]) + part * STEPS // PARTS * STEP_S for part in range(PARTS + 1)]
        self.parts = [[m for m in sent if low <= m.time_s < high] for low, high in itertools.pairwise(edges)]

    async def publish(self, messages: Sequence[Message], speed: float | None = None) -> None:
        broker = self._running[-1].vigie("broker", "url").stdout.strip()
        endpoints = Endpoints(self._running[-1].database_url, broker)
        async with connected(endpoints.database_url, name="test") as conn:
            await play(conn, endpoints, self._plan, messages, speed=speed, say=lambda _: None)

    def levels(self) -> list[Level]:
        return self._running[-1].until(self._levels, "the stations are in the catalogue of the API")

    def _levels(self) -> list[Level] | None:
        states = {one["sensor"]: one for one in self._running[-1].get("/v1/states")["items"]}
        mine = [states.get(f"{self._name}.{station}") for station in self._stations]
        return [Level[one["level"].upper()] for one in mine if one is not None] if all(mine) else None

    def told(self) -> dict[str, set[tuple[str, int]]]:
        found: dict[str, set[tuple[str, int]]] = {"began": set(), "ended": set()}
        after, more = "0", True
        while more:
            page = self._running[-1].get(f"/v1/alerts?after={after}&limit=1000")
            after, more = page["next"], page["more"]
            for event in page["items"]:
                _, what, name, _ = event["type"].split(".")
                site, _, station = event["subject"].partition(".")
                if what == "congestion" and name in found and site == self._name:
                    found[name].add((station, int(datetime.fromisoformat(event["time"]).timestamp())))
        return found


def expected(shown: Shown, part: int) -> list[Level]:
    return [Level(level) for level in shown.level[(part + 1) * STEPS // PARTS - 1]]


def turns(shown: Shown, recording: Recording) -> dict[str, set[tuple[str, int]]]:
    steps = np.diff(shown.alarm.astype(np.int8), axis=0, prepend=0)
    return {
        name: {(shown.names[at], int(recording.time[step])) for step, at in np.argwhere(steps == sign)}
        for name, sign in (("began", 1), ("ended", -1))
    }


def test_the_morning_has_alarms_that_end(shown: Shown, recording: Recording) -> None:
    found = turns(shown, recording)
    assert len(found["began"]) >= 4
    assert len(found["ended"]) >= 4


@pytest.mark.parametrize("speed", [None, 900.0])
async def test_at_any_speed(running, recording: Recording, shown: Shown, speed: float | None) -> None:
    site = Site(running, recording, f"speed-{speed or 'max'}".replace(".", "-"))
    for part, messages in enumerate(site.parts):
        await site.publish(messages, speed)
        assert site.levels() == expected(shown, part), part
    assert site.told() == turns(shown, recording)


async def test_shuffled_within_a_minute(running, recording: Recording, shown: Shown) -> None:
    site, generator = Site(running, recording, "shuffled"), np.random.default_rng(8)
    start = int(recording.time[0])
    for part, messages in enumerate(site.parts):
        # The first and the last of three readings of a station are a minute apart.
        minute = {m: (m.time_s - start) // (3 * STEP_S) for m in messages}
        drawn = dict(zip(messages, generator.random(len(messages)).tolist(), strict=True))
        await site.publish(sorted(messages, key=lambda m: (minute[m], drawn[m])))
        assert site.levels() == expected(shown, part), part


async def test_with_a_restart_in_the_middle(running, home, start_vigie, recording: Recording, shown: Shown) -> None:
    site = Site(running, recording, "restarted")
    for part, messages in enumerate(site.parts):
        if part in {2, 3}:
            running[-1].stop()
            running.append(start_vigie(home, "--no-simulators", VIGIE_INGEST_RECEIPT_S="0.1"))
        await site.publish(messages)
        assert site.levels() == expected(shown, part), part
    assert site.told() == turns(shown, recording)
