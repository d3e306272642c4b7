"""Parts of the running service: each is kept running, named when it stops, and given up on when it cannot be kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from sensors.errors import OperatorError
from store.database import DatabaseLost, DatabaseUnavailable, away_is_unavailable

FAILURES = 6
"""Stops within `WINDOW_S` after which a part is given up: fewer gives up on a slow restart, more spins in the log."""
WINDOW_S = 60.0
BACKOFF_S = 0.2
"""Pause before the second start, doubled with every further one within the window."""

WORKED_S = 2.0
"""A part that ran so long had its database. Shorter believes one that was never there; longer gives up on a restart."""
LONGEST_WAIT_S = 5.0
"""Between two looks at a database that is away: longer makes its return unnoticed for that long."""

_log = structlog.get_logger("parts")


class PartFailedError(OperatorError):
    """A part that stops again and again; everything ends with this."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something that should run until it is cancelled, or until `run` raises what a person must mend."""

    name: str
    run: Callable[[], Awaitable[object]]


async def keep_running(part: Part) -> None:
    """Run a part again whenever it stops; raises `PartFailedError` once it stops too often.

    A database that goes away under a part that had worked with it does not count: it is waited for.
    """
    loop = asyncio.get_running_loop()
    stops: deque[float] = deque(maxlen=FAILURES)
    worked, waits = False, 0
    while True:
        started = loop.time()
        stop = await _run_once(part)
        now = loop.time()
        lasted = now - started >= WORKED_S
        worked, waits = worked or lasted or stop.lost, 0 if lasted else waits
        if stop.away and worked:
            if not waits:
                _log.error("part waits for the database", part=part.name, reason=stop.reason)
            await asyncio.sleep(min(LONGEST_WAIT_S, BACKOFF_S * 2**waits))
            waits += 1
            continue
        stops.append(now)
        recent = [time for time in stops if now - time < WINDOW_S]
        if len(recent) == FAILURES:
            raise PartFailedError(f"{part.name} stopped {FAILURES} times within {WINDOW_S:.0f} s: {stop.reason}")
        _log.error("part stopped, starting it again", part=part.name, reason=stop.reason, stops_last_minute=len(recent))
        await asyncio.sleep(BACKOFF_S * 2 ** (len(recent) - 1))


@dataclass(frozen=True, slots=True)
class _Stop:
    """Why a part stopped. away: the database is; lost: the part had it until then."""

    reason: str
    away: bool = False
    lost: bool = False


async def _run_once(part: Part) -> _Stop:
    try:
        with away_is_unavailable():
            await part.run()
    except asyncio.CancelledError:
        raise
    except DatabaseUnavailable as exc:
        return _Stop(str(exc), away=True, lost=isinstance(exc, DatabaseLost))
    except OperatorError as exc:
        return _Stop(str(exc))
    except Exception as exc:  # noqa: BLE001  a part may fail in any way; it is logged with its trace and restarted
        _log.exception("part failed", part=part.name)
        return _Stop(f"{type(exc).__name__}: {exc}")
    return _Stop("it ended by itself")


async def stop_in_order(tasks: Sequence[asyncio.Task[None]], deadline_s: float) -> None:
    """Cancel tasks one after the other, waiting for each, all within a deadline."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    for task in tasks:
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=max(0.1, end - loop.time()))
        if not done:
            _log.warning("part did not stop in time", part=task.get_name())


async def keep_all_running(parts: Sequence[Part]) -> None:
    """Keep several parts running until cancelled; one that cannot be kept ends them all."""
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(keep_running(part), name=part.name)
