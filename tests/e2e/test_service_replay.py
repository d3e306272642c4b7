"""Recorded traffic through the whole chain: broker, ingest, database, analytics, API.

The recording is made of the Numenta Anomaly Benchmark's traffic series; `VIGIE_TEST_RECORDING` names a larger one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import psycopg
import pytest

from sensors.kind import load_kinds
from service.evaluate.drive import drive
from simulators.recording import load_recording

RECORDING = Path(os.environ.get("VIGIE_TEST_RECORDING") or Path(__file__).parents[1] / "data" / "nab-realtraffic.npz")
TRUTH_SLACK_S = 15 * 60
"""How far an alert may be from congestion by the recording's truth: the widening that its scoring uses."""
FIELDS = ("speed_kmh", "flow_veh_h", "occupancy_pct")


@pytest.fixture(scope="module")
def recording() -> dict[str, np.ndarray]:
    with np.load(RECORDING) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def counts(quiet) -> dict[str, int]:
    done = quiet.vigie("replay", RECORDING, "--speed", "max", "--json", timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def measured(recording: dict[str, np.ndarray]) -> np.ndarray:
    """T,N: where the recording has any finite value."""
    return np.logical_or.reduce([np.isfinite(recording[name]) for name in FIELDS if name in recording])


def feed(quiet) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    after = "0"
    while True:
        page = quiet.get(f"/v1/alerts?after={after}&limit=1000")
        events, after = events + page["items"], page["next"]
        if not page["more"]:
            return events


def test_every_reading_is_committed_once(counts, recording) -> None:
    number = int(measured(recording).sum())
    assert counts == {"published": number, "committed": number, "duplicates": 0, "conflicts": 0, "quarantined": 0}


def test_the_hypertable_holds_exactly_the_finite_values(quiet, counts, recording) -> None:
    steps = {int(time): step for step, time in enumerate(recording["time"])}
    stations = {str(name): column for column, name in enumerate(recording["station"])}
    with psycopg.connect(quiet.database_url) as conn:
        rows = conn.execute(
            "select extract(epoch from time)::bigint, sensor, speed_kmh, flow_veh_h, occupancy_pct from traffic"
        ).fetchall()
    for place, name in enumerate(FIELDS):
        stored = np.full(measured(recording).shape, np.nan, np.float32)
        for time, station, *values in rows:
            if values[place] is not None:
                stored[steps[time], stations[station]] = np.float32(values[place])
        expected = recording.get(name, np.full_like(stored, np.nan))
        assert np.array_equal(stored, expected, equal_nan=True), name
    assert len(rows) == measured(recording).sum(), "a hole of the recording stays a hole"


def test_alerts_carry_the_recordings_times_where_it_was_congested(quiet, counts, recording) -> None:
    stations = {str(name): column for column, name in enumerate(recording["station"])}
    began = [event for event in feed(quiet) if event["type"] == "vigie.congestion.began.v1"]
    near = 0
    for event in began:
        at = datetime.fromisoformat(event["time"]).timestamp()
        column = stations[event["subject"]]
        assert at in recording["time"], "an alert's time is the time of a reading"
        assert event["data"]["level"] in {"congested", "jammed"}
        within = np.abs(recording["time"] - at) <= TRUTH_SLACK_S
        near += bool((recording["truth"][within, column] == 1).any())
    assert began
    assert near >= 0.5 * len(began), f"{near} of {len(began)} alerts are near congestion"


def test_most_congestion_is_alerted(quiet, counts, recording) -> None:
    stations = [str(name) for name in recording["station"]]
    began = [(e["subject"], datetime.fromisoformat(e["time"]).timestamp()) for e in feed(quiet) if "began" in e["type"]]
    found = total = 0
    for column, station in enumerate(stations):
        congested = np.flatnonzero(np.diff(np.concatenate(([0], recording["truth"][:, column] == 1, [0]))))
        for first, last in congested.reshape(-1, 2):
            total += 1
            start, end = recording["time"][first] - TRUTH_SLACK_S, recording["time"][last - 1] + TRUTH_SLACK_S
            found += any(subject == station and start <= time <= end for subject, time in began)
    assert total
    assert found >= 0.5 * total, f"{found} of {total} events"


@pytest.mark.prove
def test_the_feed_tells_what_an_evaluation_finds(quiet, counts) -> None:
    recording = load_recording(RECORDING)
    shown = drive(recording, recording.measured(), load_kinds())
    turns = np.diff(shown.alarm.astype(np.int8), axis=0, prepend=0)
    began, over = (
        {(shown.names[column], int(recording.time[step])) for step, column in np.argwhere(turns == sign)}
        for sign in (1, -1)
    )
    told: dict[str, set[tuple[str, int]]] = {name: set() for name in ("began", "ended", "lost")}
    for event in feed(quiet):
        _, what, name, _ = event["type"].split(".")
        if what == "congestion" and name in told:
            told[name].add((event["subject"], int(datetime.fromisoformat(event["time"]).timestamp())))
    assert told["began"] == began
    assert told["ended"] <= over
    # Who is lost is so between two readings; after the last of all the evaluation looks no more.
    assert len(over - told["ended"]) <= len(told["lost"])
    assert len(told["ended"]) + len(told["lost"]) >= len(over)


def test_repeating_it_changes_nothing(quiet, counts) -> None:
    events = feed(quiet)
    again = json.loads(quiet.vigie("replay", RECORDING, "--json", timeout=900).stdout)
    assert again == {**counts, "committed": 0, "duplicates": counts["published"]}
    assert feed(quiet) == events
    with psycopg.connect(quiet.database_url) as conn:
        assert conn.execute("select count(*) from traffic").fetchone() == (counts["published"],)


@pytest.mark.parametrize("end", ["Ctrl-C while nobody takes any more", "who takes it goes"])
def test_alerts_are_followed_on_a_terminal(quiet, counts, vigie_command, vigie_environ, end: str) -> None:
    tail = [*vigie_command, "alerts", "tail", "--home", str(quiet.home), "--url", quiet.url, "--after", "0", "--json"]
    pipe = subprocess.PIPE
    with subprocess.Popen(tail, env=vigie_environ({}), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = [json.loads(process.stdout.readline()) for _ in range(3)]
        if end == "who takes it goes":
            process.stdout.close()
        else:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""
    assert told == quiet.get("/v1/alerts?limit=3")["items"]


def backtest(quiet, span: dict[str, str]) -> dict[str, Any]:
    signed_in = {"origin": quiet.url, "cookie": f"vigie_session={quiet.session['value']}"}
    asked = httpx.post(f"{quiet.url}/v1/backtests", json=span, headers=signed_in)
    assert asked.status_code == 202, asked.text
    deadline = monotonic() + 120
    while (found := quiet.get(asked.headers["location"]))["state"] == "running":
        assert monotonic() < deadline
        sleep(0.1)
    assert found["state"] == "done", found["error"]
    return found["result"]


def test_backtest_that_changes_nothing_finds_the_same_situations(quiet, counts) -> None:
    newest = quiet.get("/v1/situations?state=all&limit=1")["items"][0]
    start = datetime.fromisoformat(newest["onset"]) - timedelta(hours=12)
    span = {"from": start.isoformat(), "to": (start + timedelta(days=1)).isoformat()}

    def stood() -> list[str]:
        items = quiet.get("/v1/situations?state=all&limit=1000&" + urlencode(span))["items"]
        return sorted(one["situation"] for one in items)

    def settled() -> dict[str, Any] | None:
        """The service takes its last steps when no reading has come for a while: then both have seen the same."""
        before, found = stood(), backtest(quiet, span)
        return found if sorted(found["same"]) == before == stood() else None

    found = quiet.until(settled, "a backtest finds the situations that stood")
    assert [found[name] for name in ("moved", "came", "gone")] == [[], [], []]
    assert found["load"]["live"] == found["load"]["trial"]


def test_its_states_live_by_its_own_clock(quiet, counts, recording) -> None:
    station, step = str(recording["station"][0]), np.flatnonzero(np.isfinite(recording["speed_kmh"][:, 0]))[-1]
    state = next(state for state in quiet.get("/v1/states")["items"] if state["sensor"] == station)
    assert datetime.fromisoformat(state["time"]).timestamp() == recording["time"][step]
