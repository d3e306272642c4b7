"""`vigie chaos`: kill ingestors, broker and database at random while numbered readings flow, and count what is missing.

The director kills and restarts by plan; the publisher knows nothing of it. At the end what was sent is compared with
what is stored, value by value.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import assert_never

from deploy.embedded.stack import Child
from sensors.catalogue import shipped_catalogue
from sensors.errors import OperatorError
from sensors.kind import Kinds
from service.chaos.plan import BACKLOG, Strike, plan
from service.chaos.scratch import RECEIPT_S, IngestorProcess, Scratch, ScratchError, kill_server, scratch
from service.chaos.verdict import Run, Verdict, compare
from simulators.numbered import STEP_US, Numbered
from simulators.publish import Publisher
from store.database import DatabaseUnavailable, patient
from store.ledger import Account
from store.numbered import accounts, durability, settled

KIND = "traffic"
UNREAD_S = 2.0
"""How long nobody has read before a broker is killed in a backlog."""
DOWN_S = (0.1, 2.0)
"""Shortest and longest time that a killed part stays down."""
QUIET_S = 10.0
"""When nothing more has been stored for so long, nothing more will come; longer than any pause between retries."""
PATIENCE_S = 180.0
"""How long nothing may move at all while there is something to come."""
RATE = 6_000.0
"""Readings a second: a third of what the machine takes at least, so that what waited is caught up with."""
_AHEAD = 5_000
"""How many readings may flow while a strike lasts: kills belong into the flow, and not all behind its end."""
REPEAT_AFTER_RECEIPTS = 3
"""How many receipts may stay away before the publisher asks; the sender that ships waits for two."""
_POLL_S = 0.1
_SAY_EVERY_S = 5.0


class ChaosLostError(OperatorError):
    """Something is not stored as it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`receipts` says whether the publisher keeps readings until they are receipted."""

    messages: int
    kills: int
    seed: int
    receipts: bool
    cache: Path
    say: Callable[[str], None]


@dataclass(slots=True)
class Killed:
    """What was killed, and how many of the broker's kills met a backlog that nobody read."""

    parts: Counter[str] = field(default_factory=Counter)
    broker_in_backlog: int = 0


async def run_chaos(kinds: Kinds, options: Options) -> Verdict:
    """Run once; raises `ScratchError` where a part ends by itself or nothing moves any more."""
    load = _load(kinds, options)
    slots = _halves(sorted({sensor.site for sensor in load.sensors}))
    async with scratch(kinds, options.cache, slots, ingestors=2, say=options.say) as place:
        async with patient(place.endpoints.database_url, name="chaos") as conn:
            shown = await durability(conn)
        started = time.monotonic()
        director = _Director(place, options, load)
        await director.run()
        seconds = round(time.monotonic() - started, 1)
        run = Run(options.seed, seconds, dict(director.killed.parts), director.killed.broker_in_backlog)
        async with patient(place.endpoints.database_url, name="chaos") as conn:
            return await compare(conn, load, run, shown)


def _load(kinds: Kinds, options: Options) -> Numbered:
    """Readings that end a minute ago, so that none is in the future and all are of today's chunk or yesterday's."""
    sensors = tuple(sensor for sensor in shipped_catalogue().sensors if sensor.kind == KIND)
    span = timedelta(microseconds=STEP_US * (options.messages // len(sensors) + 1))
    start = datetime.now(UTC).replace(microsecond=0) - span - timedelta(minutes=1)
    return Numbered(kinds[KIND], sensors, options.messages, start, boot=options.seed)


def _halves(sites: list[str]) -> list[list[str]]:
    return [sites[::2], sites[1::2]]


class _Director:
    """Publishes, strikes by plan, and waits until everything that can come has come."""

    def __init__(self, place: Scratch, options: Options, load: Numbered) -> None:
        self.killed = Killed()
        self._place = place
        self._options = options
        self._load = load
        self._rng = Random(options.seed)  # noqa: S311  a plan to repeat, not a secret
        self._publisher: Publisher
        self._settled = 0
        self._open_until = 0
        self._opened = asyncio.Event()
        self._seen: tuple[int, Account] | None = None
        self._moved_at = self._said_at = time.monotonic()

    async def run(self) -> None:
        last = len(self._load.sensors)
        # The last reading of each sensor comes after the storm: it is what makes a gap before it known.
        storm = max(0, self._load.count - last)
        url = self._place.endpoints.broker_url
        publisher = Publisher(
            url, "vigie-chaos", receipts=self._options.receipts, repeat_after_s=REPEAT_AFTER_RECEIPTS * RECEIPT_S
        )
        async with publisher as self._publisher:
            async with asyncio.TaskGroup() as group:
                messages = self._paced(self._load.messages(0, storm))
                sending = group.create_task(self._publisher.publish_all(messages, rate=RATE), name="send")
                group.create_task(self._strike(sending), name="strike")
            await self._quiet(storm)
            await self._publisher.publish_all(self._load.messages(storm))
            await self._quiet(self._load.count)

    async def _paced(self, messages: Iterator[tuple[str, bytes]]) -> AsyncIterator[tuple[str, bytes]]:
        """Hold back what is for after the next strike."""
        for number, message in enumerate(messages):
            while number > self._open_until:
                self._opened.clear()
                await self._opened.wait()
            yield message

    async def _strike(self, sending: asyncio.Task[int]) -> None:
        for planned in plan(self._load.count, self._options.kills, self._rng):
            self._open(planned.at)
            await self._look()
            while self._publisher.accepted < planned.at and not sending.done():
                await self._look()
            self._say(f"killing {planned.strike.value}")
            self._open(self._publisher.accepted + _AHEAD)
            await self._do(planned.strike, sending)
        self._open(self._load.count)
        while not sending.done():
            await self._look()

    def _open(self, until: int) -> None:
        self._open_until = until
        self._opened.set()

    async def _do(self, strike: Strike, sending: asyncio.Task[int]) -> None:
        place = self._place
        match strike:
            case Strike.INGESTOR:
                victim = self._rng.choice(place.ingestors)
                await self._kill_ingestors(victim)
                await self._pause()
                await victim.start()
            case Strike.DATABASE:
                await self._kill(place.database)
                await self._pause()
                await place.database.start()
            case Strike.BROKER:
                await self._kill(place.broker)
                await self._pause()
                await place.broker.start()
            case Strike.BROKER_WITHOUT_DATABASE:
                await self._kill(place.database)
                await self._kill_broker_in_backlog(sending)
                await place.database.start()
            case Strike.BROKER_WITHOUT_INGESTORS:
                await self._kill_ingestors(*place.ingestors)
                await self._kill_broker_in_backlog(sending)
                for ingestor in place.ingestors:
                    await ingestor.start()
            case _:
                assert_never(strike)

    async def _kill_broker_in_backlog(self, sending: asyncio.Task[int]) -> None:
        """Wait until nobody has read for a while and a backlog waits, kill the broker, and start it again."""
        since = time.monotonic()
        self._open(self._publisher.accepted + BACKLOG + _AHEAD)
        # The publisher tells nobody of each acceptance.
        while time.monotonic() - since < UNREAD_S or (self._backlog <= BACKLOG and not sending.done()):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        self.killed.broker_in_backlog += self._backlog > BACKLOG
        self._say(f"killing broker with {self._backlog} waiting")
        await self._kill(self._place.broker)
        await self._pause()
        await self._place.broker.start()
        await self._pause()

    async def _kill(self, server: Child) -> None:
        await kill_server(server)
        self.killed.parts[server.name] += 1

    async def _kill_ingestors(self, *victims: IngestorProcess) -> None:
        for victim in victims:
            await victim.kill()
            self.killed.parts["ingestor"] += 1

    async def _pause(self) -> None:
        await asyncio.sleep(self._rng.uniform(*DOWN_S))

    @property
    def _backlog(self) -> int:
        """Messages that wait in the broker, at least: repetitions may have been read already."""
        return self._publisher.accepted - self._publisher.repeated - self._settled

    async def _quiet(self, expected: int) -> None:
        """Return when everything expected is settled, or nothing has come for so long that nothing will."""
        self._moved_at = time.monotonic()
        while self._settled < expected and time.monotonic() - self._moved_at < QUIET_S:
            await self._look()

    async def _look(self) -> None:
        """See how far everything is; raises `ScratchError` where nothing moves or a part has ended by itself."""
        await asyncio.sleep(_POLL_S)
        for ingestor in self._place.ingestors:
            ingestor.check()
        with suppress(DatabaseUnavailable):
            async with patient(self._place.endpoints.database_url, name="chaos") as conn:
                account = await accounts(conn)
            self._settled = settled(account)
            self._note((self._publisher.accepted, account))
        if time.monotonic() - self._moved_at > PATIENCE_S:
            raise ScratchError(f"nothing has moved for {PATIENCE_S:.0f} s: {self._how_far()}")
        if time.monotonic() - self._said_at > _SAY_EVERY_S:
            self._say("")

    def _note(self, seen: tuple[int, Account]) -> None:
        if seen != self._seen:
            self._seen, self._moved_at = seen, time.monotonic()

    def _say(self, what: str) -> None:
        self._said_at = time.monotonic()
        self._options.say(": ".join(filter(None, (self._how_far(), what))))

    def _how_far(self) -> str:
        return f"{self._publisher.accepted} published, {self._settled} settled"


def require_nothing_lost(verdict: Verdict, options: Options) -> None:
    """Raise `ChaosLostError` where a reading is lost that may not be: without receipts, one not named as missing."""
    unexcused = verdict.lost if options.receipts else verdict.lost - verdict.missing_named
    wrong = {"lost": unexcused, "altered": verdict.altered, "stored twice": verdict.stored_twice}
    if told := ", ".join(f"{count} {name}" for name, count in wrong.items() if count > 0):
        raise ChaosLostError(f"{told}, of {verdict.sent} readings (seed {verdict.seed}, {verdict.kills} kills)")
