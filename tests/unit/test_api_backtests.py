"""Backtests over HTTP: asked for, followed, refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.backtests import Asked, BacktestRunningError, Job

ASK = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
LIVED = {
    "situation": "20260302T071200Z-W07-G1",
    "kind": "gate",
    "level": "congested",
    "cause": "gate_outage",
    "sites": ["W07"],
    "sensors": ["W07-G1"],
    "onset": "2026-03-02T07:12:00Z",
    "end": None,
}
CALLS = {"alarms": 3, "per_10min": 0.02, "busiest_10min": 1, "floods": 0}
RESULT = {
    "readings": 9,
    "same": ["a"],
    "moved": [{"live": LIVED, "trial": LIVED, "onset_min": -4.0, "end_min": None}],
    "came": [],
    "gone": [LIVED],
    "load": {"operators": 2, "live": CALLS, "trial": CALLS},
}


class Runner:
    """Runs nothing; what comes out is put there."""

    def __init__(self) -> None:
        self.job: Job | None = None

    def start(self, asked: Asked, at: datetime) -> Job:
        if self.job is not None and self.job.state == "running":
            raise BacktestRunningError
        self.job = Job("b1", asked, at)
        return self.job

    def find(self, name: str) -> Job | None:
        return self.job if self.job is not None and self.job.id == name else None


@pytest.fixture
def runner() -> Runner:
    return Runner()


@pytest.fixture
def app(source: Any, kinds: Any, runner: Runner) -> Any:
    return create_app(source, kinds, backtester=runner)


async def test_one_is_begun_and_followed_to_its_result(client: httpx.AsyncClient, runner: Runner) -> None:
    settings = {"detection": {"confirm_on": 6}, "without": ["W01-F2"]}
    begun = await client.post("/v1/backtests", json=ASK | {"operators": 2, "settings": settings})
    assert (begun.status_code, begun.headers["location"]) == (202, "/v1/backtests/b1")
    assert (begun.json()["state"], begun.json()["result"]) == ("running", None)
    assert runner.job is not None
    assert runner.job.asked == Asked(
        datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC), settings, operators=2
    )
    runner.job = replace(runner.job, state="done", result=RESULT)
    shown = (await client.get("/v1/backtests/b1")).json()
    assert (shown["state"], shown["result"]) == ("done", RESULT)


async def test_second_one_waits_until_the_first_is_done(client: httpx.AsyncClient) -> None:
    await client.post("/v1/backtests", json=ASK)
    refused = await client.post("/v1/backtests", json=ASK)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:vigie:problem:backtest-running")


async def test_unknown_one_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/backtests/b7")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:vigie:problem:unknown-backtest")


@pytest.mark.parametrize(
    "wrong",
    [
        {"to": "2026-03-02T00:00:00Z"},
        {"to": "2026-03-10T00:00:00Z"},
        {"from": "2026-03-02T00:00:00"},
        {"operators": 0},
        {"settings": {"detektion": {}}},
        {"settings": {"detection": {"weight": 2}}},
        {"settings": {"limits": {"gate": {"dense": 3, "congested": 2, "jammed": 1}}}},
        {"settings": {"without": ["W01/F1"]}},
    ],
)
async def test_what_cannot_be_tried_is_refused(client: httpx.AsyncClient, runner: Runner, wrong: Any) -> None:
    assert (await client.post("/v1/backtests", json=ASK | wrong)).status_code == 422
    assert runner.job is None
