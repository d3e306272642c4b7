"""What is sent to a receiver at once: challenges, tests, one event again; and the log of every try."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.actions import ACTED, Act, InAct, answered
from api.context import InContext
from api.delivery.audiences import shown_to
from api.delivery.engine import tried_of
from api.delivery.post import Outcome
from api.documented import Responses
from api.models.subscriptions import Tries, TryOut, Verification
from api.problems import Problem
from api.routes.alarms import Before, Limit
from api.subscribing import ONE, EventId, SubscriptionId, found, locked
from api.subscription_shapes import try_out
from store.database import Connection
from store.feed import feed_after
from store.operations import Answer
from store.subscriptions import State, Subscription, What, change, find, log, tries

router = APIRouter(prefix="/v1", tags=["subscriptions"])

CODE_FOR = timedelta(minutes=30)
"""How long a code is good: longer leaves it lying in a mailbox, shorter fails with a slow mail server."""
_CODE_DIGITS = 8
_UNSERVED: frozenset[State] = frozenset({"pending", "disabled"})

Delivered = Annotated[bool | None, Query(description="only what was delivered, or only what was not")]
Message = Annotated[
    str | None, Query(pattern=r"^[a-z0-9-]{1,80}$", description="only tries of this message", examples=["1042"])
]
_TRIED: Responses = ONE | ACTED | {200: {"model": TryOut, "description": "What became of it"}}


@router.post("/subscriptions/{subscription}/verify", responses=_TRIED, summary="Verify a receiver")
async def verify_subscription(act: InAct, subscription: SubscriptionId, body: Verification | None = None) -> Response:
    """Sends a challenge, which a webhook must send back, or a code to a mail address, which you give here.

    Then it is active, also one that was given up: it goes on where it was. A challenge that does not come back is
    no error of this call: the answer says what went wrong.
    """
    courier, code = act.context.courier, body.code if body else None
    message = f"challenge-{secrets.token_hex(8)}"

    async def ask(one: Subscription) -> Outcome:
        if one.kind == "webhook":
            return await courier.challenge(one, message, act.at)
        return await _code_given(act, one, code) if code else await _send_code(act, one)

    async def activate(conn: Connection, outcome: Outcome) -> None:
        one = await locked(conn, act, subscription)
        if outcome.delivered and (one.kind == "webhook" or code) and one.state in _UNSERVED:
            served = replace(one, state="active", why="", failures=0, failing_since=None, next_at=None, code=None)
            await change(conn, served, one.state, act.at)

    return await _sent(act, subscription, _Message(message, "challenge"), ask, activate)


@router.post("/subscriptions/{subscription}/test", responses=_TRIED, summary="Send a test")
async def test_subscription(act: InAct, subscription: SubscriptionId) -> Response:
    """A message that means nothing, now, to see whether it arrives; the answer says what became of it."""
    courier, message = act.context.courier, f"test-{secrets.token_hex(8)}"

    async def send(one: Subscription) -> Outcome:
        if one.kind == "email" and one.state == "pending":
            raise Problem(409, "action-not-possible", "Verify the address first: strangers get no mail from us.")
        return await courier.test(one, message, act.at)

    return await _sent(act, subscription, _Message(message, "test"), send)


@router.get("/subscriptions/{subscription}/deliveries", responses=ONE, summary="Show the log of a receiver")
async def list_deliveries(
    context: InContext,
    subscription: SubscriptionId,
    *,
    delivered: Delivered = None,
    message: Message = None,
    before: Before = None,
    limit: Limit = 100,
) -> Tries:
    """Every try with its answer, the newest first."""
    await found(context, subscription)
    find_tries = partial(tries, subscription=subscription, before=before, delivered=delivered, message=message)
    rows = await context.operations.read(lambda conn: find_tries(conn, limit=limit + 1))
    items = [try_out(one) for one in rows[:limit]]
    return Tries(items=items, next=items[-1].id if len(rows) > limit else None)


@router.post(
    "/subscriptions/{subscription}/deliveries/{event}/redeliver", responses=_TRIED, summary="Deliver one event again"
)
async def redeliver_event(act: InAct, subscription: SubscriptionId, event: EventId) -> Response:
    """Now and out of turn, with the id it always had; the cursor stays."""
    rows = await act.context.operations.read(lambda conn: feed_after(conn, event - 1, 1))

    async def send(one: Subscription) -> Outcome:
        if one.state == "pending":
            raise Problem(409, "action-not-possible", "Verify the receiver first: it has not asked for alerts.")
        shown = await shown_to(one, act.context.installed, rows)
        if not shown or shown[0].id != event:
            raise Problem(404, "unknown-event", f"The feed has no event {event}, or no longer.")
        return await act.context.courier.alerts(one, shown, act.at)

    return await _sent(act, subscription, _Message(str(event), "again"), send)


class _Message(NamedTuple):
    id: str
    what: What


async def _nothing(_conn: Connection, _outcome: Outcome) -> None:
    """Nothing follows from it."""


async def _sent(
    act: Act,
    number: int,
    message: _Message,
    send: Callable[[Subscription], Awaitable[Outcome]],
    then: Callable[[Connection, Outcome], Awaitable[None]] = _nothing,
) -> Response:
    """Send while no transaction waits, then log it with what follows from it."""
    if (given := await act.given()) is not None:
        return given
    one = await found(act.context, number)
    outcome = await send(one)

    async def work(conn: Connection) -> Answer:
        await then(conn, outcome)
        return answered(try_out(await log(conn, tried_of(one, message.id, message.what, outcome, act.at))))

    return await act.answer(work)


async def _send_code(act: Act, one: Subscription) -> Outcome:
    """Mail a code; it is not shown to whoever asked for it."""
    code = f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
    outcome = await act.context.courier.code(one, code)
    if outcome.delivered:
        await _keep_code(act, one, code)
    return outcome


async def _code_given(act: Act, one: Subscription, code: str) -> Outcome:
    """Compare a code; a wrong one costs the right one, so that nobody can try them all."""
    fresh = one.code is not None and one.code_until is not None and act.at < one.code_until
    if not fresh or not hmac.compare_digest(code.encode(), (one.code or "").encode()):
        await _keep_code(act, one, None)
        raise Problem(409, "wrong-code", "This is not the code that was sent, or it is too old; ask for another one.")
    return Outcome(delivered=True, status=None, error=None, duration_ms=0.0)


async def _keep_code(act: Act, one: Subscription, code: str | None) -> None:
    async def work(conn: Connection) -> Answer:
        now = _known_still(await find(conn, one.id, lock=True), one)
        await change(conn, replace(now, code=code, code_until=act.at + CODE_FOR), now.state, act.at)
        return Answer(204, b"")

    await act.context.operations.act(None, work)


def _known_still(now: Subscription | None, one: Subscription) -> Subscription:
    if now is None:
        raise Problem(404, "unknown-subscription", f"Subscription {one.id} was deleted meanwhile.")
    return now
