"""Delivers the feed to every verified receiver: each in order, none held up by another, again until it has it.

One process at a time does it. The cursor of a receiver moves in the transaction that logs the success, so what is under
way when anything dies is sent again, with the same id. While a receiver fails nothing overtakes: its next alert waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

import structlog

from api.delivery.audiences import choice_of, shown_to
from api.delivery.backoff import given_up, pause_s
from api.delivery.courier import Courier
from api.delivery.post import Outcome
from api.heartbeat import heartbeat
from api.installed import Installed
from api.source import Source
from store.api_rows import EventRow
from store.database import Connection, DatabaseUnavailable, listen, patient, wait_for_notices
from store.feed import EVENT_CHANNEL, feed_after, latest_event
from store.leadership import Lock, wait_for_lock
from store.operations import Operations
from store.subscriptions import (
    CHANNEL,
    Subscription,
    Try,
    What,
    active,
    disable,
    find,
    note_delivered,
    note_failed,
    note_passed,
    same_key,
)

TICK_S = 5.0
"""How late a lost notification is made good; every receiver looks then."""
PASS_EVENTS = 500
"""So many unwanted events and the cursor of an idle receiver moves: fewer write often, more are read again."""
MAIL_PAUSE = timedelta(seconds=60)
"""Between two mails to one address: shorter fills a mailbox in a flood, longer delays the second alert."""

_DEFECT_S = 30.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivering:
    """What the engine needs."""

    url: str
    source: Source
    courier: Courier
    now: Callable[[], datetime]
    rng: Random
    heartbeat_s: float


async def deliver(parts: Delivering) -> None:
    """Deliver until cancelled; waits while another process does. Raises `DatabaseUnavailable`."""
    try:
        async with patient(parts.url, name="deliver") as conn, asyncio.TaskGroup() as group:
            await wait_for_lock(conn, Lock.DELIVERY)
            await _same_key(conn, parts.courier)
            await listen(conn, EVENT_CHANNEL)
            await listen(conn, CHANNEL)
            rounds = _Rounds(parts, group)
            while True:
                rounds.serve(await active(conn))
                rounds.wake()
                await wait_for_notices(conn, TICK_S)
    except BaseExceptionGroup as exc:
        raise _first_cause(exc) from exc


async def _same_key(conn: Connection, courier: Courier) -> None:
    """Sign nothing with a key that receivers do not know: wait for somebody who restores it and starts us again."""
    if not await same_key(conn, courier.key.fingerprint):
        _log.error("nothing is delivered: the key of webhooks is not the one in use; restore the file webhook.key")
        await asyncio.Event().wait()


def _first_cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended the group, without the wrapping: whoever keeps us running knows it by its type."""
    first = group.exceptions[0]
    return _first_cause(first) if isinstance(first, BaseExceptionGroup) else first


class _Rounds:
    """The receivers that are served, a task each."""

    def __init__(self, parts: Delivering, group: asyncio.TaskGroup) -> None:
        self._parts = parts
        self._group = group
        self._installed = Installed(parts.source)
        self._served: dict[int, _Served] = {}

    def serve(self, wanted: Sequence[Subscription]) -> None:
        """Begin with who is new and end with who is no longer active."""
        ids = {one.id for one in wanted}
        for number in set(self._served) - ids:
            self._served.pop(number).task.cancel()
        for number in ids - set(self._served):
            wake = asyncio.Event()
            receiver = _Receiver(self._parts, self._installed, number, wake)
            self._served[number] = _Served(self._group.create_task(receiver.run(), name=f"receiver {number}"), wake)

    def wake(self) -> None:
        for served in self._served.values():
            served.wake.set()


@dataclass(frozen=True, slots=True)
class _Served:
    task: asyncio.Task[None]
    wake: asyncio.Event


class _Receiver:
    """One receiver: what comes next, sent until it has it."""

    def __init__(self, parts: Delivering, installed: Installed, number: int, wake: asyncio.Event) -> None:
        self._parts = parts
        self._operations: Operations = parts.source.operations
        self._installed = installed
        self._number = number
        self._wake = wake
        self._beats_at = 0.0

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._turn()
            except DatabaseUnavailable:
                raise
            except Exception:  # noqa: BLE001  a defect that one receiver shows must not stop the alerts of all others
                _log.exception("delivery failed", subscription=self._number)
                await asyncio.sleep(_DEFECT_S)

    async def _turn(self) -> None:
        one = await self._operations.read(lambda conn: find(conn, self._number))
        if one is None or one.state != "active":
            await self._wake.wait()
        elif one.next_at is not None and one.next_at > self._parts.now():
            await self._sleep((one.next_at - self._parts.now()).total_seconds())
        elif not await self._send_next(one):
            await self._beat(one)
            await self._sleep(self._parts.heartbeat_s)

    async def _send_next(self, one: Subscription) -> bool:
        """Send what comes next, once; False when there is nothing."""
        choice, limit = await choice_of(one, self._installed), self._parts.courier.batch(one)
        latest = await self._operations.read(latest_event)
        rows = await self._operations.read(lambda conn: feed_after(conn, one.cursor, limit, choice))
        if not rows:
            if latest >= one.cursor + PASS_EVENTS:
                await self._operations.read(lambda conn: note_passed(conn, one.id, before=one.cursor, to=latest))
            return False
        now = self._parts.now()
        shown = await shown_to(one, self._installed, rows)
        outcome = await self._parts.courier.alerts(one, shown, now)
        await self._note(one, rows, outcome, now)
        return True

    async def _note(self, one: Subscription, rows: Sequence[EventRow], outcome: Outcome, now: datetime) -> None:
        tried = tried_of(one, self._parts.courier.message_of(rows), "alert", outcome, now)
        if outcome.delivered:
            next_at = self._parts.now() + MAIL_PAUSE if one.kind == "email" else None
            await self._operations.read(
                lambda conn: note_delivered(conn, tried, before=one.cursor, to=rows[-1].id, next_at=next_at)
            )
        elif outcome.gone or given_up(one.failing_since or now, now):
            why = "it answered 410: it wants nothing more" if outcome.gone else f"it failed for a day: {outcome.error}"
            _log.warning("receiver given up", subscription=one.id, why=why)
            await self._operations.read(lambda conn: disable(conn, tried, why))
        else:
            seconds = pause_s(one.failures + 1, self._parts.rng, outcome.retry_after_s)
            next_at = self._parts.now() + timedelta(seconds=seconds)
            await self._operations.read(lambda conn: note_failed(conn, tried, before=one.cursor, next_at=next_at))

    async def _beat(self, one: Subscription) -> None:
        """A heartbeat for who asked for it and is up to date; one that is not heard is not repeated."""
        clock = asyncio.get_running_loop().time()
        if not one.heartbeat or one.kind != "webhook" or clock < self._beats_at:
            return
        self._beats_at = clock + self._parts.heartbeat_s
        beat = heartbeat(await self._parts.source.progress(), one.cursor, self._parts.heartbeat_s)
        await self._parts.courier.heartbeat(one, beat, self._parts.now())

    async def _sleep(self, seconds: float) -> None:
        """Until then, or until there may be something new."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._wake.wait()


def tried_of(one: Subscription, message: str, what: What, outcome: Outcome, at: datetime) -> Try:
    """A try as the log has it."""
    return Try(
        subscription=one.id,
        message=message,
        what=what,
        at=at,
        delivered=outcome.delivered,
        status=outcome.status,
        error=outcome.error,
        duration_ms=outcome.duration_ms,
        answer=outcome.excerpt,
    )
