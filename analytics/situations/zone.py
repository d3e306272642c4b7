"""One zone: things whose situations must not be cut, their clock, and the steps in event time.

A step is taken every 30 s of event time at which readings came, once no late one can come any more: when the newest
reading is more than the window ahead. So the same readings give the same steps in any batches and, within the window,
in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from analytics.settings import Thing
from analytics.situations.aftermath import Aftermath
from analytics.situations.book import Book, Scene
from analytics.situations.cause import judge, kept_apart
from analytics.situations.ending import Ending
from analytics.situations.graph import build
from analytics.situations.ground import Ground, ground
from analytics.situations.groups import Ties
from analytics.situations.habits import Habits
from analytics.situations.kin import parents
from analytics.situations.losses import Losses
from analytics.situations.memory import FORMAT, ThingMemory, ZoneMemory
from analytics.situations.record import MOST_WEIGHED, STEP_US
from analytics.situations.roads import crowded_alone
from analytics.situations.settle import Seen, Settling
from analytics.situations.sight import Sight
from analytics.situations.situation import Notice, Situation
from analytics.situations.spillback import spillback
from analytics.situations.usually import Usually
from analytics.situations.why import hints, joining
from analytics.state import NEVER
from analytics.table import Float32, Index, Int64
from analytics.window import WINDOW_US
from sensors.catalogue import Catalogue
from sensors.level import Level

IDLE_US = 300 * 1_000_000
"""Microseconds after which a step is taken without readings, for what time alone brings about."""

AHEAD_SHARE = 0.1
"""Share of the things whose newest readings may lie ahead of the zone's clock: a sensor whose clock is hours ahead must
not turn time forward for all. Too low: one wrong clock does; too high: most must speak for time to pass."""


class Zone:
    """n things as of the last step."""

    def __init__(self, width: int) -> None:
        self.settling = Settling(width)
        self._sight = Sight((), self.settling)
        self._book = Book()
        self._ending = Ending()
        self._losses = Losses((), None)
        self._ground: Ground | None = None
        self._aftermath = Aftermath()
        self._newest_us: Int64 = np.zeros(0, np.int64)
        self.step_us = -NEVER

    def refresh(
        self,
        catalogue: Catalogue,
        things: Sequence[Thing],
        silence_us: Int64,
        neighbours: Iterable[tuple[str, str, float]] = (),
    ) -> None:
        """Take over a new catalogue; things known keep their numbers."""
        known = self._ground.graph.places if self._ground else ()
        graph = build(catalogue, [(thing.id, thing.kind.name, thing.site) for thing in things], neighbours, known)
        self._ground, self._sight.things = ground(catalogue, things, graph), things
        self._losses = Losses(things, self._ground, self._losses)
        self.settling.grow(silence_us)
        missing = len(things) - len(self._newest_us)
        self._newest_us = np.append(self._newest_us, np.full(missing, -NEVER, np.int64))
        self._book.refresh(graph, tuple(thing.id for thing in things), tuple(thing.site for thing in things))

    def use(self, habits: Habits) -> None:
        """Compare with what is usual from now on."""
        self._sight.habits = habits

    def expect(self, usually: Usually) -> None:
        """Expect ends by these usual speeds from now on."""
        self._ending.usually = usually

    def offer(self, thing: Index, rows: Seen, values: Float32) -> None:
        """Take new readings; they wait for the watermark."""
        np.maximum.at(self._newest_us, thing, rows.time_us)
        self.settling.offer(thing, rows, values)

    def run(self, wall_us: int = -NEVER) -> list[Notice]:
        """Take all steps that the watermark has passed; `wall_us` lets time pass where nothing is heard any more."""
        mark_us = max(self._heard_us(), wall_us - WINDOW_US) - WINDOW_US
        notices: list[Notice] = []
        while (next_us := self._next_us()) < mark_us:
            notices += self._step(next_us)
        return notices

    def _step(self, at_us: int) -> list[Notice]:
        assert self._ground is not None
        settled, here, before_us = self.settling, self._ground, self.step_us
        settled.settle(at_us)
        self.step_us = self._sight.at_us = at_us
        tracked = self._book.follow(self._scene(here, at_us))
        waiting = [record for record in self._book.open if record.due(at_us)]
        due = sorted(waiting, key=lambda record: (record.weighed_us, record.identity.age))[:MOST_WEIGHED]
        before = self._aftermath.before(self._book.open) if due else []
        for record in due:
            record.weighed_us = at_us
            record.verdict = judge(record.verdict, hints(record, here, self._sight, before), at_us)
            record.identity.cause = kept_apart(record.verdict.named)
        kin = parents(due, self._book.open, here, self._sight)
        for record in due:
            record.parent = kin.get(record.identity.id, record.parent)
        self._losses.add(self._book.open, self._sight, before_us)
        self._ending.step(self._book.open, tracked, here, self._sight)
        self._aftermath.step(self._book.open, {one.id for one in tracked.ended}, at_us)
        notices = self._book.announce(tracked, at_us)
        return [replace(notice, situation=self._reaching(notice.situation)) for notice in notices]

    def _reaching(self, situation: Situation) -> Situation:
        """Add what it reaches next, as of the last step."""
        assert self._ground is not None
        found = spillback(situation, self._ground, self._sight)
        return situation if found is None else replace(situation, spillback=found)

    def _scene(self, here: Ground, at_us: int) -> Scene:
        """Look at everything; a closed lane is dense though nobody is slow yet, and no jam downstream is its own."""
        settled = self.settling
        alarm, slow_us = settled.seen.alarm, settled.slow_us
        here.closed = frozenset(here.lanes.loops[here.lanes.closed(self._sight)].tolist())
        closed = [*here.closed, *crowded_alone(here, self._sight)]
        if closed:
            alarm, slow_us = alarm.copy(), slow_us.copy()
            alarm[closed] = np.maximum(alarm[closed], Level.DENSE)
            slow_us[closed] = at_us
        sources = frozenset(here.graph.place[closed].tolist())
        return Scene(at_us, alarm, settled.slow_since_us, slow_us, Ties(joining(here, self._sight), sources))

    def situations(self) -> list[Situation]:
        """Return the open situations as of the last step, the eldest first."""
        return [self._reaching(situation) for situation in self._book.situations(self.step_us)]

    def memory(self) -> ZoneMemory:
        """Return what to persist after a step."""
        book, ends = self._book.memory(), self._ending.ends.memory()
        past = self._aftermath.memory(self._ground.graph) if self._ground else []
        return ZoneMemory(format=FORMAT, step_us=self.step_us, book=book, past=past, ends=ends)

    def recall(self, thing: int, memory: ThingMemory) -> None:
        """Take a thing back, before `restore`."""
        self.settling.restore(thing, memory)
        self._newest_us[thing] = max(self._newest_us[thing], self.settling.newest_us(thing))

    def restore(self, memory: ZoneMemory) -> None:
        """Go on from the last step: nothing is announced again."""
        assert self._ground is not None
        self.step_us = self._sight.at_us = memory["step_us"]
        self.settling.settle(self.step_us)
        self._book.restore(memory["book"])
        self._aftermath.restore(memory["past"], self._ground.graph)
        self._ending.ends.restore(memory["ends"])
        self._losses.resume(self._book.open)

    def _heard_us(self) -> int:
        """Return the zone's own time: that of its newest readings, without the few that are ahead of all others."""
        heard = self._newest_us[self._newest_us > -NEVER]
        if not len(heard):
            return -NEVER
        rank = len(heard) - 1 - int(AHEAD_SHARE * len(heard))
        return int(np.partition(heard, rank)[rank])

    def _next_us(self) -> int:
        """Return the instant of the next step: of the oldest reading that waits, or after a while without one."""
        waiting_us = max(_ceil(self.settling.next_us()), self.step_us + STEP_US)
        if self._book.empty:
            return waiting_us
        return min(waiting_us, self.step_us - self.step_us % IDLE_US + IDLE_US)


def _ceil(at_us: int) -> int:
    return at_us if at_us >= NEVER else -(-at_us // STEP_US) * STEP_US
