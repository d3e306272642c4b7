"""Every operation of the OpenAPI document, asked with what its schema allows and with what it does not.

Whatever is asked, nothing fails inside, every answer is as the document says, nothing that the document forbids is
accepted, and a terminal's key is shown no other terminal's rows. Streams are left out: they do not end.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import schemathesis
from making import some_situation
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import NonFatalError, ScenarioFinished

from analytics.alarms.conditions import CONGESTION, Happening
from analytics.alarms.desk import Desk
from analytics.alarms.rulebook import shipped_rules
from analytics.alarms.standing import Clocks
from analytics.situations.headline import Headlines
from analytics.situations.situation import Span
from api.app import create_app
from api.server import serve
from ingest.columns import Batch, Quarantined
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from sensors.level import Level, Verdict
from sensors.payload import Reason
from service.access import give
from service.situating import situation_rows
from store.alarms.standing import save_standing
from store.api_queries import DatabaseSource
from store.catalogue import seed
from store.database import Pool, connected
from store.events import append_events
from store.migrate import migrate
from store.states import State, StepResult, commit_step
from store.writer import SlotSink

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
US = int(NOW.timestamp()) * 1_000_000
JAMMED = ("W07-G1", "W05-G1", "W12-F1")
SITUATION = "20260302T071200Z-W03-F1"
TERMINAL = "SEYA"

PLACES = {
    "numbers": [1, 2, 3],
    "things": ["W07-G1", "W05-G1", "W12-F1", "W01-F1"],
    "terminals": ["SEYA", "EURFO"],
    "sites": ["W07", "W05"],
    "situations": [SITUATION],
    "types": ["vigie.alarm.raised.v1"],
}
"""What there is, so that an operation finds something to work on more often than not."""
BOUND = {
    "numbers": ("path.alarm", "path.subscription", "path.maintenance", "path.entry", "path.event", "query.after"),
    "things": ("path.sensor",),
    "terminals": ("path.terminal", "query.terminal"),
    "sites": ("query.site",),
    "situations": ("path.situation",),
    "types": ("path.type",),
}


@pytest.fixture
async def url(database_url: str, make_batch: Callable[..., Batch]) -> AsyncIterator[str]:
    """A port with an alarm, a situation, readings, a quarantine, a shift, maintenance and a receiver; served."""
    await migrate(database_url, load_kinds())
    await fill(database_url, make_batch([0, 30, 60], things=("W12-F1",), site="W12"))
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with Pool(database_url, name="api", size=4) as pool:
        app = create_app(DatabaseSource(pool, database_url), load_kinds())
        serving = asyncio.create_task(serve(app, "127.0.0.1", 0, ready.set_result), name="serve")
        async with asyncio.timeout(10):
            yield (await ready).rstrip("/")
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def fill(url: str, readings: Batch) -> None:
    await seed(url)
    state = State("W07-G1", NOW, Level.JAMMED, NOW, Verdict.TRAFFIC, {"queue_trucks": 34.0, "wait_s": None})
    spans = (Span("W03-F1", US, None),)
    situation = some_situation(id=SITUATION, sites=("W03",), at_us=US, onset_us=US, spans=spans)
    told = situation_rows([], [situation], Headlines(shipped_catalogue(), load_kinds()))
    async with connected(url, name="fill") as conn:
        await commit_step(conn, StepResult("analytics", {0: 1}, [state], situations=told), now=NOW)
        desk = Desk(shipped_rules(), shipped_catalogue(), CONGESTION, standing=(), maintenance=())
        for thing in JAMMED:
            data = {"kind": "gate" if "G" in thing else "traffic", "site": thing[:3], "level": "jammed"}
            desk.take(Happening(NOW, "vigie.congestion.began.v1", thing, {**data, "evidence": {}}), NOW)
        desk.settle(Clocks(NOW))
        async with conn.transaction():
            await append_events(conn, await save_standing(conn, desk.changed(), now=NOW))
    spoilt = Quarantined(
        "vigie/1/readings/W12/W12-F9/traffic", b"{", Reason.MALFORMED, "no JSON", US, "W12", "W12-F9", 1
    )
    async with SlotSink.open(url, 0, load_kinds()) as sink:
        await sink.write(replace(readings, quarantined=(spoilt,)))


async def key_of(url: str, **rest: Any) -> str:
    async with connected(url, name="test") as conn:
        return (await give(conn, "key", "fuzz", scopes=["admin"], per_minute=10_000_000, **rest))[0]


async def act(url: str, key: str) -> None:
    """What only people and systems make."""
    acts = (
        ("POST", "shift", {"operator": "M. Durand"}),
        ("POST", "maintenance", {"range": "site", "target": "E01", "reason": "works", "ends": "2199-01-01T00:00:00Z"}),
        ("POST", "subscriptions", {"kind": "webhook", "name": "city", "target": "https://receiver.example/"}),
        ("PUT", f"terminals/{TERMINAL}/appointments", {"slots": []}),
    )
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}) as client:
        for method, path, body in acts:
            await client.request(method, f"{url}/v1/{path}", json=body)


@dataclass
class Found:
    """What a run asked, was answered, and found."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    shown: list[tuple[str, str]] = field(default_factory=list)
    """Operation and body of what was not refused."""
    failures: list[str] = field(default_factory=list)


def fuzz(url: str, key: str | None, examples: int, phases: tuple[str, ...], *, api_key: str) -> Found:
    """Ask everything; `key` None: as a stranger."""
    config = SchemathesisConfig.from_dict(configured(key, examples, phases))
    bearer = {"authorization": f"Bearer {api_key}"}
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config, headers=bearer)
    schema.validate()
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError):
            found.failures.append(f"{event.label}: {event.info.format()}")
        if isinstance(event, ScenarioFinished):
            note(event, found)
    return found


def note(event: ScenarioFinished, found: Found) -> None:
    recorder = event.recorder
    for checks in recorder.checks.values():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info
                found.failures.append(
                    f"{recorder.label}: {failure.failure.title}\n{failure.code_sample}\n{failure.failure}"
                )
    for name, interaction in recorder.interactions.items():
        if interaction.response is not None:
            operation = recorder.cases[name].value.operation.label
            found.statuses[operation, interaction.response.status_code] += 1
            if interaction.response.status_code < 400:
                found.shown.append((operation, interaction.response.text))


def configured(key: str | None, examples: int, phases: tuple[str, ...]) -> dict[str, Any]:
    every = ("examples", "coverage", "fuzzing", "stateful")
    return {
        "seed": 1,
        "headers": {"Authorization": f"Bearer {key}"} if key else {},
        "generation": {"max-examples": examples},
        "phases": {name: {"enabled": name in phases} for name in every},
        "dictionaries": {name: {"values": values} for name, values in PLACES.items()},
        "parameters": {one: {"dictionary": name, "probability": 0.7} for name, bound in BOUND.items() for one in bound},
        # What a schema cannot say is refused too: two times in the wrong order, another version than in If-Match.
        "checks": {"positive_data_acceptance": {"enabled": False}, **({} if key else STRANGER)},
        "operations": [
            {"include-path-regex": "/stream$", "enabled": False},
            {"include-path": "/readyz", "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "4xx", "503"]}}},
        ],
        "warnings": False,
    }


STRANGER = {
    name: {"enabled": False} for name in ("negative_data_rejection", "missing_required_header", "unsupported_method")
}
"""A stranger is told 401 whatever is asked, which is neither accepted nor refused for what it is."""

SHORT = (2, ("examples", "fuzzing"))
LONG = (50, ("examples", "coverage", "fuzzing", "stateful"))
RUNS = pytest.mark.parametrize(
    ("examples", "phases"), [SHORT, pytest.param(*LONG, marks=pytest.mark.prove)], ids=["short", "long"]
)


@RUNS
async def test_nothing_fails_inside_and_every_answer_is_as_the_document_says(
    url: str, database_url: str, examples: int, phases: tuple[str, ...]
) -> None:
    key = await key_of(database_url)
    await act(url, key)
    found = await asyncio.to_thread(fuzz, url, key, examples, phases, api_key=key)
    assert not found.failures, "\n\n".join(found.failures)
    reached = {operation for operation, status in found.statuses if status < 400}
    unreached = {operation for operation, _ in found.statuses} - reached
    assert len(reached) > 2 * len(unreached), sorted(unreached)


@RUNS
async def test_a_terminals_key_is_shown_no_other_terminals_rows_whatever_it_asks(
    url: str, database_url: str, examples: int, phases: tuple[str, ...]
) -> None:
    key = await key_of(database_url)
    await act(url, key)
    own = {site.id for site in shipped_catalogue().sites if site.terminal == TERMINAL}
    narrow = await key_of(database_url, terminal=TERMINAL)
    found = await asyncio.to_thread(fuzz, url, narrow, examples, phases, api_key=key)
    assert not found.failures, "\n\n".join(found.failures)
    foreign = {(what, id_) for what, body in found.shown for id_ in re.findall(r"\b[WE]\d\d", body) if id_ not in own}
    assert not foreign
    assert len({what for what, body in found.shown if "W07" in body}) > 5


@pytest.mark.prove
async def test_a_stranger_is_told_nothing_whatever_he_asks(url: str, database_url: str) -> None:
    found = await asyncio.to_thread(fuzz, url, None, *LONG, api_key=await key_of(database_url))
    assert not found.failures, "\n\n".join(found.failures)
    assert {what for what, _ in found.shown} == {"GET /healthz"}
    assert {status for _, status in found.statuses} <= {200, 401, 503}
