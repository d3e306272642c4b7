"""`vigie bench alerts`: from publishing the reading that completes a condition to its alarm in the event stream.

Something stands at one place or another of a port of a recording's clock, whose time is that of its readings: what is
published waits only for what was published before to be dealt with, so that a thousand alarms take minutes. A situation
is judged as of an instant once readings of more than the window after it have come from more sensors of its basin than
may run ahead. The reading that is one more than these completes it, and is published when nothing else is under way, as
that of a sensor is that reads twice a minute. The clock starts before it is handed to the publisher and stops when a
client of the stream has the alarm. On-delays are those of the rules: none as shipped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import httpcore
import msgspec
import numpy as np

from analytics.window import WINDOW_US
from sensors.kind import Kinds
from service import alarm_desk, analyst
from service.alert_stream import connection
from service.bench.jams import STEP, Jams, Reading
from service.bench.processes import BenchFailed
from service.bench.running import Client, key_for_bench, running_vigie
from service.clocks import now
from service.endpoints import cache_folder
from service.score.process import SystemProcess
from service.score.stage import Say, recorded_port
from service.scratch import own_environ, scratch_stack
from service.settings import Settings
from simulators.publish import Publisher
from store.catalogue import seed
from store.database import Connection, connected
from store.migrate import migrate
from store.progress import dealt_with

_RAISED: Final = "vigie.alarm.raised.v1"
_WINDOW: Final = timedelta(microseconds=WINDOW_US)
_PATIENCE_S: Final = 60.0
_POLL_S: Final = 0.01
"""Between two looks at how far the system is; each costs the database half a millisecond, which is measured with it."""
_STEPS_PER_ALARM, _STEPS_BEFORE = 4, 100
"""It takes 1.7, and some before the first; the readings begin so far in the past that these end before the present."""
_SAY_EVERY: Final = 100

Figures = dict[str, float]


@dataclass(slots=True)
class _Told:
    """The alarms as they came: arrival on the monotonic clock, and the event."""

    alarms: list[tuple[float, Any]] = field(default_factory=list)


async def bench_alerts(settings: Settings, kinds: Kinds, alarms: int, say: Say) -> Figures:
    """Let so many alarms be raised; milliseconds from publishing, and seconds from the onset."""
    async with scratch_stack("bench", cache_folder(settings), say) as place:
        url = place.endpoints.database_url
        await migrate(url, kinds)
        await seed(url, recorded_port())
        key = await key_for_bench(url, "operate")
        environ = own_environ(place.endpoints)
        async with (
            running_vigie(place.folder, environ, ["--no-simulators"]) as vigie,
            _listening(vigie, key) as told,
            connected(url, name="bench") as conn,
            Publisher(place.endpoints.broker_url, "bench-alerts") as publisher,
        ):
            start = now().replace(microsecond=0) - _most_steps(alarms) * STEP
            jams = Jams(recorded_port(), kinds, seed=1)
            published = await _play(jams, start, alarms, told, publisher, _Progress(conn, vigie), say)
    return {"alarms": alarms, "steps": len(published), **_figures(told.alarms[:alarms], start, published)}


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far the system is."""

    conn: Connection
    vigie: SystemProcess

    async def through(self, sent: int) -> None:
        """Return when all that was sent is committed and analysed, and every event has become the alarm that it is."""
        deadline = time.monotonic() + _PATIENCE_S
        while not await dealt_with(self.conn, sent, reader=analyst.READER, follower=alarm_desk.READER):
            self.vigie.check()
            if time.monotonic() > deadline:
                raise BenchFailed(f"{sent} readings were not dealt with within {_PATIENCE_S:.0f} s")
            await asyncio.sleep(_POLL_S)


def _most_steps(alarms: int) -> int:
    return _STEPS_BEFORE + _STEPS_PER_ALARM * alarms


async def _play(  # noqa: PLR0917  each of another type
    jams: Jams, start: datetime, alarms: int, told: _Told, publisher: Publisher, progress: _Progress, say: Say
) -> list[float]:
    """Publish step after step until so many alarms came; when each was completed, on the monotonic clock."""
    published: list[float] = []
    rest: list[Reading] = []
    sent = said = 0
    while len(told.alarms) < alarms:
        if len(published) > _most_steps(alarms):
            raise BenchFailed(f"only {len(told.alarms)} alarms came in {len(published)} steps")
        ahead, completing, after = jams.step(len(published), start + len(published) * STEP)
        sent += await publisher.publish_all([*rest, *ahead])
        await progress.through(sent)
        published.append(time.monotonic())
        sent += await publisher.publish_all(completing)
        await progress.through(sent)
        rest = after
        if len(told.alarms) >= said + _SAY_EVERY:
            said += _SAY_EVERY
            say(f"{said} alarms after {len(published)} steps")
    return published


@asynccontextmanager
async def _listening(vigie: SystemProcess, key: str) -> AsyncIterator[_Told]:
    """Follow the stream, and answer every alarm as an operator would: what nobody answers stands for ever."""
    told, opened = _Told(), asyncio.Event()

    async def listen(client: Client, answering: asyncio.TaskGroup) -> None:
        async for sent in connection(f"{vigie.url}/v1/alerts/stream", key, None):
            arrived = time.monotonic()
            opened.set()
            if sent.event != "alert":
                continue
            alert = msgspec.json.decode(sent.data)
            if alert["type"] == _RAISED:
                told.alarms.append((arrived, alert))
                answering.create_task(client.post(f"/v1/alarms/{alert['data']['alarm']}/acknowledge", {}))

    async with httpcore.AsyncConnectionPool() as pool, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen(Client(pool, vigie.url, key), tasks), name="bench stream")
        await opened.wait()
        yield told
        listening.cancel()


def _figures(alarms: Sequence[tuple[float, Any]], start: datetime, published: Sequence[float]) -> Figures:
    latency_ms, onset_s = [], []
    for arrived, alert in alarms:
        at, onset = datetime.fromisoformat(alert["time"]), datetime.fromisoformat(alert["data"]["onset"])
        step = (at + _WINDOW - start) // STEP + 1
        waited_s = arrived - published[step]
        if waited_s < 0:
            raise BenchFailed(f"alarm {alert['id']} came before the reading that completes it: its instant is {at}")
        latency_ms.append(1000 * waited_s)
        onset_s.append((start + step * STEP - onset).total_seconds() + waited_s)
    p50, p99, most = np.percentile(latency_ms, [50, 99, 100]).tolist()
    from_onset = np.percentile(onset_s, [50, 99]).tolist()
    return {
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "max_ms": round(most, 1),
        "onset_p50_s": round(from_onset[0], 1),
        "onset_p99_s": round(from_onset[1], 1),
    }
