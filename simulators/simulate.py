"""The simulated port on the wire, in real time or as fast as it can be made: the same senders, the same bytes.

Clock and sleep are arguments. Faults are put between the world and the wire and never reach into the world.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final

from sensors.kind import Kinds
from simulators.faults.injection import Injection
from simulators.manner import Manner
from simulators.message import Message
from simulators.senders import Observe, Senders
from simulators.world import World

CATCH_UP_S: Final = 300.0
"""How far behind readings are still sent, as a sensor's own buffer would; after a longer stop it starts anew."""


async def simulate(
    world: World,
    kinds: Kinds,
    *,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    seed: int,
    injections: Sequence[Injection] = (),
    observe: Observe | None = None,
    manner: Manner | None = None,
) -> AsyncIterator[tuple[str, bytes]]:
    """Topics and payloads of all things of the world, as they fall due, without end; `now` is Unix seconds.

    Raises `InjectionError`; `observe` sees the world after each of its steps. `manner` says who sends, and how.
    """
    senders = Senders(world, kinds, seed, injections, observe, manner=manner)
    while True:
        # A day of steps takes up to a second: not on the event loop.
        await asyncio.to_thread(senders.start, now())
        while (late := now() - senders.next_s) < CATCH_UP_S:
            if late < 0:
                await sleep(-late)
            for message in senders.send():
                yield message.topic, message.payload


async def play(
    senders: Senders,
    *,
    start_s: float,
    end_s: float,
    speed: float | None,
    now: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> AsyncIterator[Message]:
    """What reaches the broker from `start_s` until before `end_s`, at a speed, or (None) as fast as it is taken.

    `now` is monotonic. What is late is caught up with, however late: nothing is left out.
    """
    began_s = now()
    await asyncio.to_thread(senders.start, start_s)
    while (next_s := senders.next_s) < end_s:
        if speed is not None and (wait_s := began_s + (next_s - start_s) / speed - now()) > 0:
            await sleep(wait_s)
        for message in senders.send():
            yield message
    if math.isfinite(end_s):
        senders.advance(end_s)


def messages(
    world: World,
    kinds: Kinds,
    *,
    start_s: float,
    end_s: float,
    seed: int,
    injections: Sequence[Injection] = (),
    observe: Observe | None = None,
) -> Iterator[Message]:
    """Everything that reaches the broker from `start_s` until before `end_s`, in this order, as fast as possible.

    Raises `InjectionError` at once; `observe` sees the world after each of its steps.
    """
    senders = Senders(world, kinds, seed, injections, observe)
    return _until(senders, start_s, end_s)


def _until(senders: Senders, start_s: float, end_s: float) -> Iterator[Message]:
    senders.start(start_s)
    while senders.next_s < end_s:
        yield from senders.send()
    senders.advance(end_s)
