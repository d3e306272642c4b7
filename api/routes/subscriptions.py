"""Receivers of alerts: registered, verified, watched, and told again what they missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from fastapi import APIRouter
from fastapi.responses import Response

from api.actions import ACTED, Act, InAct, answered
from api.context import Context, InContext
from api.delivery.guard import TargetRefused, check_url
from api.delivery.mail import is_address
from api.delivery.signing import new_salt, shown
from api.documented import LISTED, UNCHANGED, Responses
from api.models.subscriptions import (
    Change,
    Replay,
    Rotation,
    Subscribe,
    SubscriptionMade,
    SubscriptionOut,
    Subscriptions,
)
from api.problems import Problem, bad_parameter
from api.routes.alarms import Before, IfNoneMatch, Limit
from api.subscribing import ONE, SubscriptionId, etag, found, locked
from api.subscription_shapes import subscription_made, subscription_out, wanted_of
from store.database import Connection
from store.feed import latest_event
from store.operations import Answer
from store.subscriptions import State, Subscription, change, count, create, delete, find_all, same_key

router = APIRouter(prefix="/v1", tags=["subscriptions"])

MOST_SUBSCRIPTIONS = 200
"""Each is a task and a few queries an event: more are a message broker's work, not this service's."""
MOST_OF_A_TERMINAL = 20
"""So that one terminal does not take the places of all."""


_MADE: Responses = LISTED | ACTED | {201: {"model": SubscriptionMade, "description": "The receiver with its secret"}}
_ROTATED: Responses = ONE | ACTED | {200: {"model": SubscriptionMade, "description": "The receiver, its new secret"}}
_CHANGED: Responses = ONE | ACTED | {200: {"model": SubscriptionOut, "description": "The receiver afterwards"}}
_GONE: Responses = ONE | ACTED | {204: {"description": "It is gone"}}


@router.get("/subscriptions", responses=LISTED, summary="List receivers")
async def list_subscriptions(context: InContext, before: Before = None, limit: Limit = 100) -> Subscriptions:
    """Who gets alerts, and how each fares; the newest first."""
    chosen = partial(find_all, terminal=context.terminal, before=before, limit=limit + 1)
    found = await context.operations.read(chosen)
    items = [subscription_out(one) for one in found[:limit]]
    return Subscriptions(items=items, next=items[-1].id if len(found) > limit else None)


@router.post("/subscriptions", responses=_MADE, status_code=201, summary="Register a receiver")
async def make_subscription(act: InAct, body: Subscribe) -> Response:
    """It gets nothing before it is verified. The secret of a webhook is shown in this answer and never again."""
    _check_target(body, act.context)
    salt = new_salt()

    async def work(conn: Connection) -> Answer:
        await _require_room(conn, act.context.terminal)
        latest = await latest_event(conn)
        values = body.model_dump(include={"kind", "name", "target", "heartbeat", "language"})
        values |= {"cursor": _cursor(body.after, latest), "salt": salt, "created_by": act.actor.name}
        values |= {"terminal": act.context.terminal}
        one = await create(conn, values, wanted_of(body.choice))
        secret = await _secret(conn, act.context, one) if one.kind == "webhook" else None
        return answered(subscription_made(one, secret), status=201, etag=etag(one))

    return await act.answer(work)


@router.get(
    "/subscriptions/{subscription}",
    response_model=SubscriptionOut,
    responses=ONE | UNCHANGED,
    summary="Show a receiver",
)
async def show_subscription(
    context: InContext, subscription: SubscriptionId, if_none_match: IfNoneMatch = None
) -> Response:
    """One receiver: what it wants, how far it is, since when it fails."""
    one = await found(context, subscription)
    headers = {"etag": etag(one), "cache-control": "no-cache"}
    if if_none_match == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(subscription_out(one).model_dump_json(), media_type="application/json", headers=headers)


@router.patch("/subscriptions/{subscription}", responses=_CHANGED, summary="Change what a receiver gets")
async def change_subscription(act: InAct, subscription: SubscriptionId, body: Change) -> Response:
    """Name, choice, heartbeat or language. Another target is another receiver: register it anew."""

    def changed(one: Subscription, _latest: int) -> Subscription:
        given = body.model_dump(exclude_none=True, include={"name", "heartbeat", "language"})
        wanted = one.wanted if body.choice is None else wanted_of(body.choice)
        return replace(one, **given, wanted=wanted)

    return await _change(act, subscription, changed)


@router.delete("/subscriptions/{subscription}", responses=_GONE, status_code=204, summary="Delete a receiver")
async def delete_subscription(act: InAct, subscription: SubscriptionId) -> Response:
    """With its log."""

    async def work(conn: Connection) -> Answer:
        await delete(conn, await locked(conn, act, subscription), act.at)
        return Answer(204, b"")

    return await act.answer(work)


@router.post("/subscriptions/{subscription}/rotate", responses=_ROTATED, summary="Change the secret of a webhook")
async def rotate_secret(act: InAct, subscription: SubscriptionId, body: Rotation | None = None) -> Response:
    """Both secrets sign until the overlap is over, so the receiver may change when it likes. Shown this once."""
    overlap = timedelta(hours=(body or Rotation()).overlap_h)

    async def work(conn: Connection) -> Answer:
        one = await locked(conn, act, subscription)
        if one.kind != "webhook":
            raise Problem(409, "action-not-possible", "Mail is not signed: there is no secret to change.")
        changed = replace(one, salt=new_salt(), old_salt=one.salt, old_until=act.at + overlap)
        stored = await change(conn, changed, one.state, act.at)
        return answered(subscription_made(stored, await _secret(conn, act.context, stored)), etag=etag(stored))

    return await act.answer(work)


@router.post("/subscriptions/{subscription}/pause", responses=_CHANGED, summary="Pause a receiver")
async def pause_subscription(act: InAct, subscription: SubscriptionId) -> Response:
    """Nothing is sent and nothing is lost: resume goes on where it was."""
    return await _change(act, subscription, partial(_moved, source="active", target="paused"))


@router.post("/subscriptions/{subscription}/resume", responses=_CHANGED, summary="Resume a paused receiver")
async def resume_subscription(act: InAct, subscription: SubscriptionId) -> Response:
    """What came meanwhile is delivered first. One that was given up is verified instead."""
    return await _change(act, subscription, partial(_moved, source="paused", target="active"))


@router.post("/subscriptions/{subscription}/replay", responses=_CHANGED, summary="Deliver again from an event on")
async def replay_subscription(act: InAct, subscription: SubscriptionId, body: Replay) -> Response:
    """Sets the cursor: back, and what came after is delivered again with its ids; forward, and it is passed over."""

    def moved(one: Subscription, latest: int) -> Subscription:
        return replace(one, cursor=_cursor(body.after, latest), failures=0, failing_since=None, next_at=None)

    return await _change(act, subscription, moved)


async def _change(act: Act, number: int, move: Callable[[Subscription, int], Subscription]) -> Response:
    async def work(conn: Connection) -> Answer:
        one = await locked(conn, act, number)
        stored = await change(conn, move(one, await latest_event(conn)), one.state, act.at)
        return answered(subscription_out(stored), etag=etag(stored))

    return await act.answer(work)


def _moved(one: Subscription, _latest: int, *, source: State, target: State) -> Subscription:
    if one.state != source:
        detail = f"A receiver that is {one.state} cannot become {target}; it must be {source}."
        raise Problem(409, "action-not-possible", detail)
    return replace(one, state=target, next_at=None)


async def _require_room(conn: Connection, terminal: str | None) -> None:
    limits = {None: MOST_SUBSCRIPTIONS} | ({} if terminal is None else {terminal: MOST_OF_A_TERMINAL})
    for whose, most in limits.items():
        if await count(conn, whose) >= most:
            detail = f"{most} receivers are registered, the most there may be; delete one first."
            raise Problem(409, "too-many-subscriptions", detail)


def _check_target(body: Subscribe, context: Context) -> None:
    if body.kind == "webhook":
        try:
            check_url(body.target)
        except TargetRefused as exc:
            raise bad_parameter("target", body.target, str(exc)) from exc
    elif context.courier.server is None:
        raise Problem(409, "no-mail-server", "No mail can be sent: set smtp_url and mail_from.")
    elif not is_address(body.target):
        raise bad_parameter("target", body.target, "one mail address such as chef.de.poste@port.example")


def _cursor(after: int | None, latest: int) -> int:
    if after is not None and after > latest:
        raise bad_parameter("after", after, f"an event of the feed; the last one is {latest}")
    return latest if after is None else after


async def _secret(conn: Connection, context: Context, one: Subscription) -> str:
    """The secret to be shown; never one that the deliveries would not sign with."""
    key = context.courier.key
    if not await same_key(conn, key.fingerprint):
        detail = "This process has another key of webhooks than the one in use; restore the file webhook.key."
        raise Problem(503, "other-signing-key", detail)
    return shown(key.secret(one.salt))
