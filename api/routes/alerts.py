"""The one feed of events, as pages and as a stream, with the same ids as cursor in both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.broadcast import PAGE_ROWS, End, Subscription
from api.context import Context, InContext
from api.documented import LISTED, STREAM
from api.models.alerts import Alerts
from api.models.base import ID_PATTERN
from api.problems import bad_parameter
from api.shapes import alert_json, state_outs
from api.streams import RETRY_MS, refuse_too_many
from store.api_rows import EventRow
from store.database import DatabaseUnavailable

router = APIRouter(prefix="/v1", tags=["alerts"])

_MAX_ID = 2**63 - 1
Subject = Annotated[
    str | None,
    Query(pattern=ID_PATTERN, description="only this sensor or corridor", examples=["W07-G1"]),
]
After = Annotated[int | None, Query(ge=0, le=_MAX_ID, description="only later than this id", examples=[1042])]
Limit = Annotated[int, Query(ge=1, le=PAGE_ROWS, description="at most so many")]
Newest = Annotated[int | None, Query(ge=1, le=PAGE_ROWS, description="the last so many, instead of `after`")]
LastEventId = Annotated[int | None, Header(ge=0, le=_MAX_ID, description="sent by browsers that reconnect")]


@router.get("/alerts", response_model=Alerts, responses=LISTED, summary="Read the feed")
async def list_alerts(
    context: InContext, after: After = None, limit: Limit = 100, subject: Subject = None, newest: Newest = None
) -> Response:
    """Events, oldest first, each a CloudEvent. Ask again with `after` = `next`: nothing is missed or repeated."""
    if newest is not None and after is not None:
        raise bad_parameter("newest", newest, "either `newest` or `after`, not both")
    if newest is not None:
        rows, more = await context.source.newest_events(limit=newest, subject=subject), False
    else:
        rows = await context.source.events_after(after or 0, limit=limit + 1, subject=subject)
        rows, more = rows[:limit], len(rows) > limit
    cursor = rows[-1].id if rows else after or 0
    items = ",".join(map(alert_json, rows))
    body = f'{{"items":[{items}],"next":"{cursor}","more":{"true" if more else "false"}}}'
    return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})


@dataclass(slots=True)
class _Opened:
    """A stream that has begun to listen: everything after `cursor` is still to be sent."""

    context: Context
    subscription: Subscription
    cursor: int
    snapshot: str | None
    subject: str | None


async def _opened(
    context: InContext, after: After = None, last_event_id: LastEventId = None, subject: Subject = None
) -> AsyncIterator[_Opened]:
    """Listen first, then read what was before: nothing can fall in between. Fails while there is a status to send."""
    refuse_too_many(context)
    start = last_event_id if last_event_id is not None else after
    latest = await context.source.latest_event_id()
    with context.feed.subscribe() as subscription:
        await context.feed.positioned()
        if start is None or start > latest:
            snapshot = await _snapshot(context, latest)
            yield _Opened(context, subscription, latest, snapshot, subject)
        else:
            yield _Opened(context, subscription, start, None, subject)


async def _snapshot(context: Context, latest: int) -> str:
    """The present states, at least as new as event `latest`; later events repeat rather than miss."""
    catalogue = await context.installed.catalogue()
    states = state_outs(await context.source.states(), catalogue, context.kinds)
    items = ",".join(state.model_dump_json() for state in states)
    return f'{{"after":"{latest}","items":[{items}]}}'


@router.get(
    "/alerts/stream",
    responses=LISTED | {200: STREAM},
    response_class=EventSourceResponse,
    summary="Follow the feed",
)
async def stream_alerts(opened: Annotated[_Opened, Depends(_opened)]) -> AsyncIterator[ServerSentEvent]:
    """`alert` for each event, with the event's id as the id to resume from.

    With `Last-Event-ID` or `after` it continues after that id. Without, or with an id that this feed never gave, it
    begins with `snapshot`: all present states and the id after which the alerts follow. A client that is too slow is
    sent `resume` and disconnected; what it missed is there when it resumes.
    """
    if opened.snapshot is not None:
        yield ServerSentEvent(event="snapshot", id=str(opened.cursor), raw_data=opened.snapshot, retry=RETRY_MS)
    else:
        yield ServerSentEvent(comment="resumed", retry=RETRY_MS)
    try:
        async for row in _rows(opened):
            yield ServerSentEvent(event="alert", id=str(row.id), raw_data=alert_json(row))
    except DatabaseUnavailable:
        return  # the status is long sent; the client reconnects and is told 503 until the database is back
    if opened.subscription.end is End.BEHIND:
        yield ServerSentEvent(event="resume", raw_data=f'{{"after":"{opened.cursor}"}}')


async def _rows(opened: _Opened) -> AsyncIterator[EventRow]:
    """What was committed before the stream listened, then what came since, each once."""
    source, subject = opened.context.source, opened.subject
    while rows := await source.events_after(opened.cursor, limit=PAGE_ROWS, subject=subject):
        for row in rows:
            opened.cursor = row.id
            yield row
    async for row in opened.subscription:
        if row.id > opened.cursor and subject in (None, row.subject):
            opened.cursor = row.id
            yield row
