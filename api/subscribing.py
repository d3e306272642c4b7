"""What the routes of receivers share: finding one, its version, its documentation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from api.actions import Act
from api.context import Context
from api.documented import LISTED, Responses, problem
from api.problems import Problem
from store.database import Connection
from store.subscriptions import Subscription, find

_MAX_ID = 2**63 - 1

ONE: Responses = LISTED | {404: problem("No subscription has this id")}
SubscriptionId = Annotated[int, Path(ge=1, le=_MAX_ID, description="id of a subscription", examples=[3])]
EventId = Annotated[int, Path(ge=1, le=_MAX_ID, description="id of an event of the feed", examples=[1042])]


async def found(context: Context, number: int) -> Subscription:
    """One receiver, if the caller may see it."""
    return _known(await context.operations.read(lambda conn: find(conn, number)), number, context.terminal)


async def locked(conn: Connection, act: Act, number: int) -> Subscription:
    """One receiver for the rest of the transaction, in the version that the caller expects."""
    one = _known(await find(conn, number, lock=True), number, act.context.terminal)
    if act.expected is not None and act.expected != one.version:
        detail = f"Subscription {number} has changed since version {act.expected}; look at it again before you act."
        raise Problem(412, "version-differs", detail)
    return one


def etag(one: Subscription) -> str:
    return f'"{one.version}"'


def _known(one: Subscription | None, number: int, terminal: str | None) -> Subscription:
    if one is None or (terminal is not None and one.terminal != terminal):
        detail = f"There is no subscription {number}; /v1/subscriptions lists those there are."
        raise Problem(404, "unknown-subscription", detail)
    return one
