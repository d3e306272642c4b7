"""The one feed of events, as pages and as a stream, with the same ids as cursor in both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import Response

from api.audience import View
from api.broadcast import PAGE_ROWS, End, Subscription
from api.context import Context, InContext
from api.documented import LISTED, OTHER, SCHEMA, STREAM, problem
from api.feed_choice import Chosen
from api.frames import EventStream, alert_frame, frame, resumed
from api.models.alerts import Alerts, SchemaNames
from api.problems import Problem, bad_parameter
from api.shapes import alert_json
from api.streams import RETRY_MS, refuse_too_many
from sensors.alerts import TYPES, schema_of
from store.database import DatabaseUnavailable
from store.feed import FeedChoice

router = APIRouter(prefix="/v1", tags=["alerts"])

_MAX_ID = 2**63 - 1
After = Annotated[int | None, Query(ge=0, le=_MAX_ID, description="only later than this id", examples=[1042])]
Limit = Annotated[int, Query(ge=1, le=PAGE_ROWS, description="at most so many")]
Newest = Annotated[int | None, Query(ge=1, le=PAGE_ROWS, description="the last so many, instead of `after`")]
LastEventId = Annotated[int | None, Header(ge=0, le=_MAX_ID, description="sent by browsers that reconnect")]


@router.get("/alerts", response_model=Alerts, responses=LISTED, summary="Read the feed")
async def list_alerts(
    context: InContext, choice: Chosen, after: After = None, limit: Limit = 100, newest: Newest = None
) -> Response:
    """Events, oldest first, each a CloudEvent. Ask again with `after` = `next`: nothing is missed or repeated."""
    if newest is not None and after is not None:
        raise bad_parameter("newest", newest, "either `newest` or `after`, not both")
    if newest is not None:
        rows, more = await context.source.newest_events(limit=newest, choice=choice), False
    else:
        rows = await context.source.events_after(after or 0, limit=limit + 1, choice=choice)
        rows, more = rows[:limit], len(rows) > limit
    cursor, view = rows[-1].id if rows else after or 0, await context.view()
    items = ",".join(alert_json(view.event(row)) for row in rows)
    body = f'{{"items":[{items}],"next":"{cursor}","more":{"true" if more else "false"}}}'
    return Response(body, media_type="application/json", headers={"cache-control": "no-cache"})


@dataclass(slots=True)
class _Opened:
    """A stream that has begun to listen: everything after `cursor` is still to be sent."""

    context: Context
    subscription: Subscription
    cursor: int
    snapshot: str | None
    choice: FeedChoice
    view: View


async def _opened(
    context: InContext, choice: Chosen, after: After = None, last_event_id: LastEventId = None
) -> AsyncIterator[_Opened]:
    """Listen first, then read what was before: nothing can fall in between. Fails while there is a status to send."""
    refuse_too_many(context)
    start = last_event_id if last_event_id is not None else after
    latest, view = await context.source.latest_event_id(), await context.view()
    with context.feed.subscribe() as subscription:
        await context.feed.positioned()
        if start is None or start > latest:
            snapshot = await _snapshot(context, latest)
            yield _Opened(context, subscription, latest, snapshot, choice, view)
        else:
            yield _Opened(context, subscription, start, None, choice, view)


async def _snapshot(context: Context, latest: int) -> str:
    """The present states, at least as new as event `latest`; later events repeat rather than miss."""
    items = ",".join((await context.picture()).texts.values())
    return f'{{"after":"{latest}","items":[{items}]}}'


@router.get(
    "/alerts/stream",
    responses=LISTED | {200: STREAM},
    response_class=EventStream,
    summary="Follow the feed",
)
async def stream_alerts(opened: Annotated[_Opened, Depends(_opened)]) -> EventStream:
    """`alert` for each event, with the event's id as the id to resume from.

    With `Last-Event-ID` or `after` it continues after that id. Without, or with an id that this feed never gave, it
    begins with `snapshot`: all present states and the id after which the alerts follow. `heartbeat` comes every 30 s
    with the cursor of the whole feed, the age of the data, and until when what was told still stands. A client that is
    too slow is sent `resume` and disconnected; what it missed is there when it resumes.
    """
    return EventStream.of(_frames(opened))


async def _frames(opened: _Opened) -> AsyncIterator[bytes]:
    if opened.snapshot is not None:
        yield frame("snapshot", opened.snapshot, id_=str(opened.cursor), retry_ms=RETRY_MS)
    else:
        yield resumed(RETRY_MS)
    try:
        async for told in _told(opened):
            yield told
    except DatabaseUnavailable:
        return  # the status is long sent; the client reconnects and is told 503 until the database is back
    if opened.subscription.end is End.BEHIND:
        yield frame("resume", f'{{"after":"{opened.cursor}"}}')


async def _told(opened: _Opened) -> AsyncIterator[bytes]:
    """What was committed before the stream listened, then what came since, each once."""
    source, choice, view = opened.context.source, opened.choice, opened.view
    while rows := await source.events_after(opened.cursor, limit=PAGE_ROWS, choice=choice):
        for row in rows:
            opened.cursor = row.id
            yield alert_frame(view.event(row))
    async for told in opened.subscription:
        if told.row is None:
            yield told.frame
        elif told.row.id > opened.cursor and choice.matches(told.row):
            opened.cursor = told.row.id
            shown = view.event(told.row)
            yield told.frame if shown is told.row else alert_frame(shown)


@router.get("/schemas", responses=OTHER, summary="List the types of alert")
async def list_schemas() -> SchemaNames:
    """Every type that the feed may carry; each has a JSON Schema of its own."""
    return SchemaNames(items=list(TYPES))


class _Schema(Response):
    media_type = "application/schema+json"


@router.get(
    "/schemas/{type}",
    responses=OTHER | {200: SCHEMA, 404: problem("There is no such type of alert")},
    response_class=_Schema,
    summary="Show the schema of a type of alert",
)
async def show_schema(
    type_: Annotated[str, Path(alias="type", description="a type of alert", examples=["vigie.alarm.raised.v1"])],
) -> Response:
    """The JSON Schema of a whole alert. Within a version keys are only added."""
    if type_ not in TYPES:
        raise Problem(404, "unknown-type", f"There is no type of alert {type_[:100]!r}; /v1/schemas lists them.")
    return _Schema(msgspec.json.encode(schema_of(type_)))
