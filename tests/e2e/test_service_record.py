"""What is stored comes out again: as a recording, and played once more into a site of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from sensors.errors import OperatorError
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec
from sensors.topics import reading_topic
from service.endpoints import Endpoints
from service.recorder import Wanted, record
from service.rerunning import Past, replay_past
from simulators.publish import Publisher
from simulators.recording import Recording, load_recording, save_recording

NAB = Path(__file__).parents[1] / "data" / "nab-realtraffic.npz"
START = datetime(2026, 3, 2, 6, 10, tzinfo=UTC)
STEPS = 24
SPEEDS = ("speed_kmh", "flow_veh_h", "occupancy_pct")


def span(start: datetime, end: datetime) -> list[str]:
    return ["--from", start.isoformat(), "--to", end.isoformat()]


def made(rng: np.random.Generator) -> Recording:
    """Two hours at 5 min of four stations, with holes and everything that a database knows of stations."""
    speed, flow, occupancy = (rng.uniform(0, 100, (STEPS, 4)).astype(np.float32) for _ in range(3))
    for array in (speed, flow, occupancy):
        array[rng.random(array.shape) < 0.2] = np.nan
    near = rng.uniform(0, 1, (4, 4)).astype(np.float32)
    near[near < 0.4] = 0
    np.fill_diagonal(near, 1)
    return Recording(
        time=int(START.timestamp()) + 300 * np.arange(STEPS, dtype=np.int64),
        station=np.array(["773869", "a/b", "W12-F1", "zeta"]),  # one cannot be a topic, one is the port's own
        free_speed_kmh=np.array([101.25, 90, 80.5, 70.1], np.float32),
        speed_kmh=speed,
        flow_veh_h=flow,
        occupancy_pct=occupancy,
        usual_speed_kmh=rng.uniform(20, 120, (STEPS, 4)).astype(np.float32),
        adjacency=near,
        position_km=rng.uniform(0, 9, 4),
        latitude=rng.uniform(43, 44, 4),
        longitude=rng.uniform(4, 5, 4),
    )


def by_station(recording: Recording) -> dict[str, np.ndarray]:
    """Its arrays with the stations in the order of their names."""
    order = np.argsort(recording.station)
    axes = {"time": (), "adjacency": (0, 1), "speed_kmh": (1,), "flow_veh_h": (1,), "occupancy_pct": (1,)}
    sorted_: dict[str, np.ndarray] = {}
    for name, array in recording.arrays().items():
        for axis in axes.get(name, (array.ndim - 1,)):
            array = np.take(array, order, axis)  # noqa: PLW2901  one axis after the other
        sorted_[name] = array
    return sorted_


@pytest.fixture(scope="module")
def quiet(new_home, start_vigie) -> Iterator[Any]:
    """Without simulators, with receipts at once: a replay ends with them."""
    running = start_vigie(new_home(), "--no-simulators", VIGIE_INGEST_RECEIPT_S="0.1")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def original(quiet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recording]:
    path = tmp_path_factory.mktemp("recordings") / "monday.npz"
    save_recording(path, recording := made(np.random.default_rng(7)))
    done = quiet.vigie("replay", path)
    assert done.returncode == 0, done.stderr
    return recording


def recorded(quiet, out: Path, *words: str) -> tuple[Recording, dict[str, int]]:
    done = quiet.vigie("record", *words, "--json", out)
    assert done.returncode == 0, done.stderr
    return load_recording(out), json.loads(done.stdout)


def test_a_recording_replayed_and_recorded_is_the_same_to_the_bit(quiet, original, tmp_path) -> None:
    words = ["--site", "monday", *span(START, START + timedelta(minutes=5 * STEPS))]
    again, counts = recorded(quiet, tmp_path / "again.npz", *words)
    present = np.logical_or.reduce([np.isfinite(array) for array in original.measured().values()])
    assert counts == {"times": STEPS, "stations": 4, "readings": int(present.sum()), "step_s": 300}
    expected, found = by_station(original), by_station(again)
    assert set(found.pop("free_speed_origin")) == {"configured"}
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype.kind == array.dtype.kind
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert [path.name for path in tmp_path.iterdir()] == ["again.npz"], "nothing half written is left"


def test_a_longer_step_gives_means_and_what_lies_between_is_not_lost(quiet, original, tmp_path) -> None:
    words = ["--site", "monday", "--step", "900", *span(START + timedelta(minutes=10), START + timedelta(minutes=120))]
    again, _ = recorded(quiet, tmp_path / "coarse.npz", *words)
    assert again.interval_s == 900
    expected, found = by_station(original)["occupancy_pct"], by_station(again)["occupancy_pct"]
    steps = expected.astype(np.float64).reshape(-1, 3, 4)
    with np.errstate(invalid="ignore"):
        means = np.nansum(steps, axis=1) / np.isfinite(steps).sum(axis=1)
    np.testing.assert_allclose(found, means, rtol=1e-6)


def test_irregular_times_lie_on_a_finer_grid(quiet, tmp_path) -> None:
    assert quiet.vigie("replay", NAB).returncode == 0
    shipped = load_recording(NAB)
    first, last = (datetime.fromtimestamp(int(second), UTC) for second in shipped.time[[0, -1]])
    words = ["--site", "nab-realtraffic", "--step", "60", *span(first, last + timedelta(seconds=1))]
    again, _ = recorded(quiet, tmp_path / "nab.npz", *words)
    here = np.isin(again.time, shipped.time)
    assert here.sum() == len(shipped.time)
    assert again.measured().keys() == shipped.measured().keys()
    for name, array in shipped.measured().items():
        np.testing.assert_array_equal(again.measured()[name][here], array)
        assert np.isnan(again.measured()[name][~here]).all()


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted(START, START), "is not before"),
        (Wanted(START - 9 * HOUR, START - 8 * HOUR), "no readings of 46 sensors"),
        (
            Wanted(START - 9 * HOUR, START - 8 * HOUR, ("monday",)),
            "there are some from 2026-03-02T06:10:00Z to 2026-03-02T08:05:00Z",
        ),
        (Wanted(START, START + HOUR, ("mondai",)), "there is no site 'mondai'; did you mean"),
        (Wanted(START, START + HOUR, ("W07",)), "no sensor of the kind traffic at W07"),
        (Wanted(START, START + HOUR, sensors=("W07-G1",)), "W07-G1 is of the kind gate"),
        (Wanted(START, START + HOUR, kind="gate"), "a recording holds road traffic, and gate"),
        (Wanted(START, START + 200_000 * HOUR, ("monday",), step_s=1), "take a shorter range"),
    ],
)
async def test_what_cannot_be_recorded_is_said_in_one_line(database, original, tmp_path, wanted, told: str) -> None:
    with pytest.raises(OperatorError, match=told) as caught:
        await record(database, load_kinds(), wanted, tmp_path / "x.npz", say=pytest.fail)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


async def published(quiet) -> int:
    """Readings of a gate, its passages, a crane and a corridor of the port, as sensors would send them."""
    kinds, messages = load_kinds(), []
    for minute in range(30):
        time = START + timedelta(minutes=minute)
        for site, thing, kind, values in (
            ("W07", "W07-G1", "gate", {"queue_trucks": minute, "wait_s": 60.5 * minute, "lanes_open": 4}),
            ("W07", "W07-G1", "passage", {"lane": 1, "direction": "in", "container": "CSQU3054383", "duration_s": 70}),
            ("W08", "W08-S1", "crane", {"moves_h": 25.25, "state": "working"}),
            ("W15", "W17-W15", "travel_time", {"median_s": 300 + minute, "p85_s": 400, "matches": 12}),
        ):
            payload = PayloadCodec(kinds[kind]).encode(time, values, boot=1, seq=2 * minute + (kind == "passage"))
            messages.append((reading_topic(site, thing, kind), payload))
    async with Publisher(quiet.vigie("broker", "url").stdout.strip(), "test-record", receipts=True) as publisher:
        return await publisher.publish_all(messages)


@pytest.fixture(scope="module")
def database(quiet) -> str:
    return str(quiet.database_url)


@pytest.fixture(scope="module")
def rows(database) -> Callable[[str], list[tuple[Any, ...]]]:
    """Ask the database."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(database) as conn:
            return conn.execute(query).fetchall()

    return ask


async def test_a_range_is_played_into_a_site_of_its_own_with_all_kinds(quiet, rows, original) -> None:
    count = await published(quiet)
    # Without since and level: what was measured months ago falls silent with the next tick.
    states = "select sensor, time, value from state where sensor not like 'again.%' order by sensor"
    newest = (
        "select count(*) from state where time = '2026-03-02T06:39:00Z' and sensor in ('W07-G1', 'W08-S1', 'W17-W15')"
    )
    quiet.until(lambda: rows(newest) == [(3,)], "the gate, the crane and the corridor are analysed")
    before = rows(states)
    words = ["replay", "--as", "again", "--json", *span(START, START + timedelta(minutes=30))]
    done = quiet.vigie(*words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "published": count,
        "committed": count,
        "duplicates": 0,
        "conflicts": 0,
        "quarantined": 0,
    }
    for table, subject, fields in (
        ("gate", "sensor", "queue_trucks, queue_m, wait_s, lanes_open"),
        ("passage", "sensor", "lane, direction, duration_s"),
        ("crane", "sensor", "moves_h, state"),
        ("travel_time", "corridor", "median_s, p85_s, matches"),
    ):
        query = f"select {{}}, time, {fields} from {table} where {subject} {{}} like 'again.%%' order by time, 1"  # noqa: S608
        copies = rows(query.format(f"substr({subject}, 7)", "").replace("%%", "%"))
        assert copies == rows(query.format(subject, "not").replace("%%", "%"))
        assert len(copies) == 30
    assert rows("select distinct container from passage where sensor like 'again.%'") == [(None,)]
    assert rows("select distinct clock from site where id = 'again'") == [("recording",)]
    assert rows(states) == before, "the port's own states are untouched"
    assert rows("select level from state where sensor = 'again.W07-G1'") == [(1,)], "its own are judged"
    again = json.loads(quiet.vigie(*words).stdout)
    assert again == {"published": count, "committed": 0, "duplicates": count, "conflicts": 0, "quarantined": 0}


def test_a_range_of_a_recording_is_played_again(quiet, rows, original) -> None:
    words = ["--site", "monday", *span(START, START + timedelta(minutes=10))]
    done = quiet.vigie("replay", *words, "--speed", "600")
    assert done.returncode == 0, done.stderr
    assert "as site replay-20260302t061000" in done.stderr
    near = "select site, count(*) from neighbour join sensor on id = neighbour.sensor group by site"
    pairs = dict(rows(near))
    assert pairs["replay-20260302t061000"] == pairs["monday"]


@pytest.mark.parametrize(
    ("past", "told"),
    [
        (Past(START, START), "is not before"),
        (Past(START - 9 * HOUR, START - 8 * HOUR), "the port has no readings .* there are some from"),
        (Past(START, START + HOUR, name="no spaces"), "--as 'no spaces' cannot name a site"),
        (Past(START, START + HOUR, name="W07"), "site W07 is one of the port's"),
        (Past(START, START + HOUR, ("monday",), "monday"), "into itself"),
    ],
)
async def test_what_cannot_be_replayed_is_said_in_one_line(database, rows, original, past: Past, told: str) -> None:
    sites = rows("select * from site order by id")
    with pytest.raises(OperatorError, match=told) as caught:
        await replay_past(Endpoints(database, "mqtt://127.0.0.1:1"), load_kinds(), past, speed=None, say=lambda _: None)
    assert "\n" not in str(caught.value)
    assert rows("select * from site order by id") == sites
