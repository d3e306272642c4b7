"""What could not be used and why, the newest first; redacted before it was stored."""

from __future__ import annotations

import base64
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from api.context import InContext
from api.documented import LISTED, ONE, problem
from api.models.base import ID_PATTERN
from api.problems import Problem, unknown_thing
from api.routes.catalogue import ThingId
from api.routes.readings import Instant
from sensors.payload import Reason
from store.quarantine import Choice, Entry

router = APIRouter(prefix="/v1", tags=["quarantine"])

_MAX_ID = 2**63 - 1
_MOST = 1000

Of = Annotated[str | None, Query(pattern=ID_PATTERN, description="only of this one", examples=["W12-F9"])]
From = Annotated[Instant | None, Query(alias="from", description="only what came since, RFC 3339 with offset")]
To = Annotated[Instant | None, Query(description="only what first came before, RFC 3339 with offset")]
Before = Annotated[int | None, Query(ge=0, le=_MAX_ID, description="only entries with a lower id", examples=[1042])]
Limit = Annotated[int, Query(ge=1, le=_MOST, description="at most so many")]
Repaired = Annotated[bool | None, Query(description="only what was re-ingested, or only what was not")]
EntryId = Annotated[int, Path(ge=1, le=_MAX_ID, description="id of an entry", examples=[17])]


class EntryOut(BaseModel):
    """A message that could not be used; the same payload on the same topic is one entry."""

    id: str = Field(examples=["17"])
    received_at: datetime = Field(examples=["2026-03-02T07:34:00Z"])
    last_received_at: datetime = Field(examples=["2026-03-02T09:10:00Z"])
    times: int = Field(examples=[3], description="how often it came")
    topic: str = Field(examples=["vigie/1/readings/W12/W12-F9/traffic"])
    reason: Reason = Field(examples=["unknown_sensor"])
    detail: str = Field(examples=["no sensor or corridor 'W12-F9' is registered"])
    site: str | None = Field(examples=["W12"], description="as the topic says")
    sensor: str | None = Field(examples=["W12-F9"], description="as the topic says")
    length: int = Field(examples=[61], description="bytes that came")
    whole: bool = Field(examples=[True], description="all of it was kept: it can be re-ingested")
    redacted: bool = Field(examples=[False], description="something in it may have been about people and is gone")
    content_type: str | None = Field(examples=["application/json"])
    repaired_at: datetime | None = Field(examples=[None], description="when it was re-ingested")


class EntryShown(EntryOut):
    """An entry with what was kept of its payload, as text or, where it is none, in base64."""

    payload: str | None = Field(examples=['{"time":"2026-03-02T07:34:00Z","count":12}'])
    payload_base64: str | None = Field(examples=[None])


class DroppedOut(BaseModel):
    """What had to go for lack of room."""

    entries: int = Field(examples=[120])
    newest: datetime = Field(examples=["2026-03-01T02:00:00Z"], description="none of them came after this")
    dropped_at: datetime = Field(examples=["2026-03-02T07:00:00Z"])


class Quarantine(BaseModel):
    """A stretch of the quarantine, the newest first."""

    items: list[EntryOut]
    next: str | None = Field(examples=["17"], description="ask again with before= this for older ones; null: no more")
    dropped: DroppedOut | None = Field(description="null as long as there was room")


class RawOut(BaseModel):
    """A message as a sensor sent it, redacted."""

    received_at: datetime = Field(examples=["2026-03-02T07:34:00Z"])
    topic: str = Field(examples=["vigie/1/readings/W12/W12-F1/traffic"])
    reason: Reason | None = Field(examples=[None], description="why it could not be used; null: it was")
    length: int = Field(examples=[61], description="bytes that came")
    redacted: bool = Field(examples=[False], description="something in it may have been about people and is gone")
    payload: str | None = Field(examples=['{"time":"2026-03-02T07:34:00Z","count":12}'])
    payload_base64: str | None = Field(examples=[None])


class RawPayloadsOut(BaseModel):
    """The last messages of one sensor or corridor, the newest first."""

    sensor: str = Field(examples=["W12-F1"])
    items: list[RawOut]


@router.get("/sensors/{sensor}/raw", responses=ONE, summary="Show what a sensor really sends")
async def show_raw(context: InContext, sensor: ThingId) -> RawPayloadsOut:
    """The last 20 messages, a few seconds old, those that could not be used with their reason. Redacted."""
    catalogue = await context.installed.with_thing(sensor)
    if sensor not in catalogue.sensor_by_id and sensor not in catalogue.corridor_by_id:
        raise unknown_thing(sensor)
    rows = await context.source.raw_payloads(sensor)
    items = [RawOut.model_validate(asdict(row) | shown(row.payload)) for row in rows]
    return RawPayloadsOut(sensor=sensor, items=items)


@router.get("/quarantine", responses=LISTED, summary="List what could not be used")
async def list_quarantine(
    context: InContext,
    *,
    reason: Annotated[Reason | None, Query(description="only what could not be used for this reason")] = None,
    site: Of = None,
    sensor: Of = None,
    start: From = None,
    to: To = None,
    repaired: Repaired = None,
    before: Before = None,
    limit: Limit = 100,
) -> Quarantine:
    """Messages that could not be decoded, identified or timed, with their reasons, the newest first."""
    name = reason and reason.value
    choice = Choice(reason=name, site=site, thing=sensor, start=start, end=to, repaired=repaired)
    entries = await context.source.quarantine(choice, before=before, limit=limit + 1)
    dropped = await context.source.quarantine_dropped()
    return Quarantine(
        items=[EntryOut.model_validate(_told(entry)) for entry in entries[:limit]],
        next=str(entries[limit - 1].id) if len(entries) > limit else None,
        dropped=None if dropped is None else DroppedOut.model_validate(asdict(dropped)),
    )


@router.get(
    "/quarantine/{entry}",
    responses=LISTED | {404: problem("The quarantine has no entry of this id, or no longer")},
    summary="Show what could not be used",
)
async def show_quarantine(context: InContext, entry: EntryId) -> EntryShown:
    """One message with what was kept of its payload: nothing about people, and at most 8 KiB."""
    found = await context.source.quarantine(Choice(ids=(entry,)), before=None, limit=1)
    if not found:
        raise Problem(404, "unknown-entry", f"The quarantine has no entry {entry}; /v1/quarantine lists what it has.")
    return EntryShown.model_validate(_told(found[0]) | shown(found[0].payload))


def shown(payload: bytes) -> dict[str, str | None]:
    """A payload as text or in base64."""
    try:
        return {"payload": payload.decode(), "payload_base64": None}
    except UnicodeDecodeError:
        return {"payload": None, "payload_base64": base64.b64encode(payload).decode()}


def _told(entry: Entry) -> dict[str, object]:
    return asdict(entry) | {"id": str(entry.id), "sensor": entry.thing}
