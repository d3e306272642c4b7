"""A system to be measured against: plain thresholds, nothing else. It takes readings and gives CloudEvents like any.

A road sensor alarms while its speed is under 60 % of its free speed; a gate, a yard block, a lorry park and a rack
while they are at the limit of their kind; a crane while it says that it is stopped. It knows no health, no smoothing
and no neighbours, and believes every number. It shares no code with what it is measured against, but for the catalogue
and the limits. `python -m service.score.baseline` reads SCORE_BROKER_URL and SCORE_CATALOGUE, and says on standard
output where it answers.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import aiomqtt
import msgspec
import uvicorn
from fastapi import FastAPI, Query

from sensors.broker_url import parse_broker_url
from sensors.catalogue import Catalogue, Sensor
from sensors.kind import Kind, load_kinds
from sensors.payload import UNREADABLE
from sensors.rule import Cooling, LevelRule, Limits, SpeedRatio, Work
from sensors.topics import READINGS, parse_reading_topic

THRESHOLD: Final = 0.60
"""Share of free speed below which a road is congested, as the truth has it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a sensor alarms: its value, divided by `whole`, at `limit` or beyond; or a text that is one of `words`."""

    kind: str
    field: str
    limit: float = 0.0
    whole: float = 1.0
    below: bool = False
    words: tuple[str, ...] = ()

    def congested(self, reading: Mapping[str, Any]) -> bool | None:
        """Whether a reading is congestion; None where it has no number."""
        value = reading.get(self.field)
        if self.words:
            return value in self.words
        if not isinstance(value, int | float):
            return None
        share = value / self.whole
        return share < self.limit if self.below else share >= self.limit


@dataclass(slots=True)
class Baseline:
    """All that it knows: rules by sensor, which of them alarm, what it has told, and how many messages it has taken."""

    rules: Mapping[str, Rule]
    alarming: set[str] = field(default_factory=set)
    told: list[dict[str, Any]] = field(default_factory=list)
    taken: int = 0

    def take(self, topic: str, payload: bytes) -> None:
        """Take one message; what cannot be read is passed over."""
        self.taken += 1
        place = parse_reading_topic(topic)
        rule = self.rules.get(place.thing) if place else None
        if place and rule and place.kind == rule.kind:
            for reading in _readings(payload):
                self._judge(place.thing, reading, rule)

    def _judge(self, sensor: str, reading: Mapping[str, Any], rule: Rule) -> None:
        congested, time = rule.congested(reading), reading.get("time")
        if congested is None or not isinstance(time, str) or congested == (sensor in self.alarming):
            return
        self.alarming ^= {sensor}
        what = "began" if congested else "ended"
        self.told.append(
            {
                "specversion": "1.0",
                "id": str(len(self.told) + 1),
                "source": "/baseline",
                "type": f"vigie.congestion.{what}.v1",
                "subject": sensor,
                "time": time,
                "data": {},
            }
        )

    def page(self, after: int, limit: int) -> dict[str, Any]:
        """One page of what it has told."""
        items = self.told[after : after + limit]
        reached = after + len(items)
        return {"items": items, "next": str(reached), "more": reached < len(self.told)}


def rules_of(catalogue: Catalogue, kinds: Mapping[str, Kind]) -> dict[str, Rule]:
    """A rule for each sensor that says itself how bad it is."""
    found = {sensor.id: _rule(sensor, kinds[sensor.kind].level) for sensor in catalogue.sensors}
    return {name: rule for name, rule in found.items() if rule is not None}


def _rule(sensor: Sensor, level: LevelRule | None) -> Rule | None:
    match level:
        case SpeedRatio(speed=speed) if sensor.free_speed_kmh:
            return Rule(sensor.kind, speed, THRESHOLD, sensor.free_speed_kmh, below=True)
        case Limits(field=field, congested=limit, of=of):
            return Rule(sensor.kind, field, limit, (sensor.capacity or 1.0) if of else 1.0)
        case Cooling(failed=failed, congested=limit):
            return Rule(sensor.kind, failed, limit)
        case Work(state=state, stopped=words):
            return Rule(sensor.kind, state, words=words)
        case _:
            return None


def _readings(payload: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        found = msgspec.json.decode(payload)
    except UNREADABLE:
        return
    yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict))


def app_of(baseline: Baseline) -> FastAPI:
    """Its two routes."""
    app = FastAPI(openapi_url=None)

    @app.get("/v1/alerts")
    async def alerts(
        after: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> dict[str, Any]:
        return baseline.page(after, limit)

    @app.get("/v1/taken")
    async def taken() -> dict[str, int]:
        return {"messages": baseline.taken}

    return app


async def run(broker_url: str, catalogue: Catalogue, say: Callable[[str], None]) -> None:
    """Take and answer until ended by a signal; says its URL once it is subscribed."""
    baseline, broker = Baseline(rules_of(catalogue, load_kinds())), parse_broker_url(broker_url)
    server = uvicorn.Server(uvicorn.Config(app_of(baseline), lifespan="off", log_level="warning"))
    async with aiomqtt.Client(broker.host, broker.port, username=broker.user, password=broker.password) as client:
        await client.subscribe(f"{READINGS}/#", qos=1)
        taking = asyncio.create_task(_take(client, baseline), name="take")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            say(f"http://127.0.0.1:{listener.getsockname()[1]}")
            await server.serve(sockets=[listener])
        taking.cancel()


async def _take(client: aiomqtt.Client, baseline: Baseline) -> None:
    async for message in client.messages:
        if isinstance(message.payload, bytes):
            baseline.take(message.topic.value, message.payload)


def main() -> None:
    """Run with what the environment says."""
    catalogue = msgspec.json.decode(Path(os.environ["SCORE_CATALOGUE"]).read_bytes(), type=Catalogue)
    asyncio.run(run(os.environ["SCORE_BROKER_URL"], catalogue, lambda url: print(url, flush=True)))  # noqa: T201


if __name__ == "__main__":
    main()
