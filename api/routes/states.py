"""How it is now: the present state of everything, once or as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from api.board import Viewer
from api.context import InContext
from api.documented import LISTED, STREAM, UNCHANGED
from api.frames import EventStream, frame
from api.kept import IfNoneMatch, kept
from api.models.states import States
from api.streams import RETRY_MS, refuse_too_many

router = APIRouter(prefix="/v1", tags=["states"])


@router.get("/states", response_model=States, responses=LISTED | UNCHANGED, summary="Show all present states")
async def list_states(context: InContext, if_none_match: IfNoneMatch = None) -> Response:
    """The state of every sensor and corridor, in the order of the catalogue; what never spoke is unknown."""
    picture = await context.picture()
    return kept(picture.body, picture.tag, if_none_match, media_type="application/json")


async def _opened(context: InContext) -> AsyncIterator[tuple[Viewer, str]]:
    """Look first, then read: what changes in between is sent twice, not lost. Fails while there is a status to send."""
    refuse_too_many(context)
    own = None if context.terminal is None else frozenset((await context.installed.catalogue()).sensor_by_id)
    with context.board.view(own) as viewer:
        yield viewer, (await context.picture()).body.decode()


@router.get(
    "/states/stream",
    responses=LISTED | {200: STREAM},
    response_class=EventStream,
    summary="Follow the states",
)
async def stream_states(opened: Annotated[tuple[Viewer, str], Depends(_opened)]) -> EventStream:
    """`snapshot` with all states, then once a second `states` with those that changed, empty when none did.

    Who hears nothing for some seconds looks at the past: the service or its database does not answer. There is
    nothing to resume: a new connection begins with a new snapshot.
    """
    return EventStream.of(_frames(*opened))


async def _frames(viewer: Viewer, snapshot: str) -> AsyncIterator[bytes]:
    yield frame("snapshot", snapshot, retry_ms=RETRY_MS)
    async for states in viewer:
        yield frame("states", f'{{"items":[{",".join(states)}]}}')
