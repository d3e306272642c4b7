"""`vigie demo`: a scenario in minutes on a stack of its own, the page live, and what is true beside what Vigie says."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import msgspec

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from service.access import OPERATOR, new_link
from service.demo.board import LAG_S, Board
from service.demo.changes import Truly, Verdicts
from service.demo.table import table
from service.scenarios import phrase
from service.score.client import PAGE, get_json
from service.score.feed import Alert
from service.score.stage import stage
from service.score.systems import VIGIE, Running, System
from simulators.faults.injection import Injection
from simulators.interventions import Intervention
from simulators.publish import Publisher
from simulators.scenario import Drawn
from simulators.simulate import messages
from simulators.stream import paced
from simulators.truth import TruthRecorder
from simulators.view import View
from simulators.world import World

_POLL_S: Final = 0.2
"""Between two looks at the feed; at a hundred times the speed that is 20 s of the port."""


@dataclass(frozen=True, slots=True)
class Options:
    """A drawn scenario, in how many minutes it is played, where the page answers, and whether it stays."""

    drawn: Drawn
    minutes: float
    http: str
    stay: bool
    cache: Path
    out: TextIO
    say: Callable[[str], None]

    @property
    def speed(self) -> float:
        return (self.drawn.end_s - self.drawn.start_s) / (60 * self.minutes)


async def demo(kinds: Kinds, options: Options) -> None:
    """Play it to its end; nothing of the stack is left when this returns."""
    drawn = options.drawn
    async with (
        stage(kinds, options.cache, options.say, weeks=0) as built,
        built.season(drawn.seed, database=True) as season,
        season.place(drawn.start_s) as place,
        System(VIGIE).running(place, options.http) as vigie,
    ):
        link = await new_link(place.endpoints.database_url, vigie.url, OPERATOR, ["operate"])
        options.say(f"page   {link}   ({options.speed:.0f} times as fast as it was)")
        play = _Play(kinds, built.catalogue, options, vigie)
        sent = await play.through(place.endpoints.broker_url)
        await vigie.through(sent)
        play.end(await vigie.alerts())
        if options.stay:
            options.say(f"{vigie.url}/ stays until Ctrl-C")
            await asyncio.Event().wait()


class _Play:
    """One playing: the world, what is true in it, and what Vigie says meanwhile."""

    def __init__(self, kinds: Kinds, catalogue: Catalogue, options: Options, vigie: Running) -> None:
        drawn = options.drawn
        self._kinds, self._catalogue, self._options = kinds, catalogue, options
        self._url, self._key = vigie.url, vigie.key
        self._world = World(catalogue, kinds, drawn.seed, interventions=drawn.interventions)
        self._recorder = TruthRecorder(
            catalogue,
            drawn.interventions,
            drawn.injections,
            scenario=drawn.scenario,
            seed=drawn.seed,
            kinds=kinds,
            ordinary=self._world.ordinary(),
        )
        self._truly = Truly(catalogue, kinds)
        self._verdicts = Verdicts(catalogue, self._truly)
        self._board = Board(options.out, drawn.start_s)
        happens: list[Intervention | Injection] = [*drawn.interventions, *drawn.injections]
        for one in happens:
            self._board.note(one.start_s, phrase(one, catalogue))
        self._cursor = "0"
        self._port_s = drawn.start_s

    async def through(self, broker_url: str) -> int:
        """Publish everything in its time and tell it minute by minute; returns how many messages that were."""
        self._board.head()
        async with Publisher(broker_url, "vigie-demo") as publisher, asyncio.TaskGroup() as group:
            telling = group.create_task(self._tell(), name="tell")
            sent = await publisher.publish_all(self._timed())
            telling.cancel()
        return sent

    def end(self, alerts: Sequence[Alert]) -> None:
        """Tell what is left, and the table."""
        self._board.tell(self._options.drawn.end_s)
        self._board.clear()
        lines = table(self._recorder.finish(), alerts, self._catalogue)
        self._options.say("\n".join(["", *lines]))

    async def _timed(self) -> AsyncIterator[tuple[str, bytes]]:
        drawn = self._options.drawn
        made = messages(
            self._world,
            self._kinds,
            start_s=drawn.start_s,
            end_s=drawn.end_s,
            seed=drawn.seed,
            injections=drawn.injections,
            observe=lambda world: self._observe(world.view()),
        )
        # The first is made after the night before it, which takes seconds.
        first = await asyncio.to_thread(next, made)
        async for message in paced(itertools.chain([first], made), self._options.speed, time.monotonic, asyncio.sleep):
            self._port_s = message.time_s
            yield message.topic, message.payload

    def _observe(self, view: View) -> None:
        self._recorder.observe(view)
        self._board.truth(self._truly.observe(view))

    async def _tell(self) -> None:
        while True:
            await self._read_feed()
            self._board.tell(self._port_s - LAG_S)
            await asyncio.sleep(_POLL_S)

    async def _read_feed(self) -> None:
        page = msgspec.json.decode(
            await get_json(f"{self._url}/v1/alerts?after={self._cursor}&limit={PAGE}", key=self._key)
        )
        self._cursor = page["next"]
        for alert in page["items"]:
            self._board.verdicts(self._verdicts.read(alert))
