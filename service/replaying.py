"""`vigie replay FILE`: a recording registered, published, and waited for until it is stored and analysed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from sensors.errors import OperatorError
from sensors.kind import Kinds
from sensors.payload import PayloadCodec
from service.endpoints import Endpoints
from service.waiting import until, until_analysed
from simulators.message import Message
from simulators.publish import Publisher
from simulators.recording import load_recording
from simulators.replay import KIND, Plan, count_readings, plan_replay, replay_messages, site_id
from simulators.stream import each, paced
from store.catalogue import load_catalogue, register_recording
from store.database import Connection, connected
from store.leadership import Lock, try_lock, zone_number
from store.ledger import Account
from store.progress import account_of

_NOBODY_STORES = "no reading was stored for a minute: is 'vigie ingest' running, with a slot for this site?"
_NOBODY_ANALYSES = "nothing was analysed for a minute: is 'vigie analyse' running?"


class ReplayError(OperatorError):
    """A replay that cannot start."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a recording: every reading published is counted in one of the other four."""

    published: int
    committed: int
    duplicates: int
    conflicts: int
    quarantined: int


async def replay(
    endpoints: Endpoints, kinds: Kinds, path: Path, *, speed: float | None, say: Callable[[str], None]
) -> Replayed:
    """Replay a recording, `speed` times as fast as it was or as fast as possible; return what became of it.

    Raises `RecordingError`, `ReplayError`, `StuckError`, `PublishError`, `DatabaseUnavailable` or `CatalogueRefused`.
    """
    recording = await asyncio.to_thread(load_recording, path)
    async with connected(endpoints.database_url, name="replay") as conn:
        site = site_id(path)
        await claim(conn, site, f"{path}: site {site} is being replayed already: wait for its end, or rename the file")
        catalogue = await load_catalogue(conn)
        plan = plan_replay(recording, site, taken={s.id for s in catalogue.sensors if s.site != site})
        say(f"{path.name}: {count_readings(recording)} readings of {len(plan.sensors)} stations as site {site}")
        messages = replay_messages(recording, plan, PayloadCodec(kinds[KIND]))
        return await play(conn, endpoints, plan, messages, speed=speed, say=say)


async def claim(conn: Connection, site: str, busy: str) -> None:
    """Be the only one who replays into a site for the life of a connection; raises `ReplayError` where one is."""
    if not await try_lock(conn, Lock.REPLAY, await zone_number(conn, site)):
        raise ReplayError(busy)


async def play(
    conn: Connection,
    endpoints: Endpoints,
    plan: Plan,
    messages: Iterable[Message] | AsyncIterable[Message],
    *,
    speed: float | None,
    say: Callable[[str], None],
) -> Replayed:
    """Register a plan, publish its messages, and wait until each is accounted for and analysed."""
    site = plan.site.id
    await register_recording(
        conn,
        plan.site,
        plan.sensors,
        corridors=plan.corridors,
        neighbours=plan.neighbours,
        usual_speeds=plan.usual_speeds,
    )
    before = await account_of(conn, site)
    async with Publisher(endpoints.broker_url, f"vigie-replay-{site}", receipts=True) as publisher:
        published = await _vouched(publisher, _timed(messages, speed), say)
    account = await _stored(conn, site, before, published)
    say(f"{published} stored, waiting for the analysis")
    await until_analysed(conn, _NOBODY_ANALYSES)
    others = account.committed + account.conflicts + account.quarantined
    # Not as counted: what the broker forgot was sent twice, and what an interrupted replay left there came beside ours.
    return Replayed(published, account.committed, max(0, published - others), account.conflicts, account.quarantined)


async def _timed(
    messages: Iterable[Message] | AsyncIterable[Message], speed: float | None
) -> AsyncIterator[tuple[str, bytes]]:
    timed = each(messages) if speed is None else paced(messages, speed, time.monotonic, asyncio.sleep)
    async for message in timed:
        yield message.topic, message.payload


async def _vouched(publisher: Publisher, messages: AsyncIterator[tuple[str, bytes]], say: Callable[[str], None]) -> int:
    """Publish everything and wait until receipts cover it; raises `StuckError` when none come."""
    publishing = asyncio.create_task(
        publisher.publish_all(messages, progress=lambda count: say(f"{count} published")), name="replay"
    )

    async def moved() -> tuple[bool, int]:
        # With nothing kept, what takes its time is the recording.
        return publishing.done(), publisher.kept or time.monotonic_ns()

    try:
        await until(moved, _NOBODY_STORES)
        return await publishing
    finally:
        publishing.cancel()


async def _stored(conn: Connection, site: str, before: Account, published: int) -> Account:
    """Wait until as many readings of the site are accounted for as were published."""

    async def moved() -> tuple[bool, int]:
        total = _total(await account_of(conn, site)) - _total(before)
        return total >= published, total

    await until(moved, _NOBODY_STORES)
    after = await account_of(conn, site)
    return Account(*(late - early for late, early in zip(astuple(after), astuple(before), strict=True)))


def _total(account: Account) -> int:
    return sum(astuple(account))
