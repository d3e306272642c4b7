"""Who is on duty, what the alarms cost them, what the next shift must know, and what is under maintenance."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response

from analytics.alarms.lifecycle import State
from analytics.alarms.load import STALE_AFTER, load
from analytics.alarms.muting import Maintenance, Range
from api.actions import ACTED, InAct, answered, said
from api.context import InContext
from api.documented import LISTED, Responses, problem
from api.duty_shapes import Handed, Measured, handover, kpi, shift_out, work_out
from api.handover import markdown
from api.models.base import ID_PATTERN
from api.models.catalogue import LabelOut
from api.models.duty import HandOver, HandoverOut, Kpi, Plan, ShiftOut, Shifts, WorkOut, Works
from api.problems import Problem, bad_parameter
from api.routes.alarms import Before, Limit
from api.routes.readings import Instant
from sensors.catalogue import Catalogue
from store.alarms.duty import end_work, hand_over, plan_work, shifts, works
from store.alarms.floods import present_flood
from store.alarms.queries import (
    AlarmChoice,
    announcements,
    confirmations,
    escalations,
    find_alarms,
    latest_notes,
)
from store.database import Connection
from store.operations import Answer

router = APIRouter(prefix="/v1", tags=["duty"])

_SHIFT = timedelta(hours=8)
_LONGEST_KPI = timedelta(days=31)
_LONGEST_WORK = timedelta(days=31)
_MOST_STANDING = 1000
_EARLIER_SHIFTS = 21
_MARKDOWN = "text/markdown"

_HANDED = {
    "description": "JSON, or Markdown when asked for",
    "content": {_MARKDOWN: {"schema": {"type": "string"}, "example": "# Relève du 2 mars 2026, 08:34\n"}},
}
_PLANNED: Responses = LISTED | ACTED | {201: {"model": WorkOut, "description": "The maintenance"}}
_ENDED: Responses = (
    LISTED
    | ACTED
    | {
        200: {"model": WorkOut, "description": "The maintenance with its new end"},
        404: problem("No maintenance of this id is at work or to come"),
    }
)
_TAKEN: Responses = LISTED | ACTED | {201: {"model": ShiftOut, "description": "The shift that begins"}}
Format = Annotated[Literal["json", "markdown"] | None, Query(alias="format", description="wins over Accept")]
Tongue = Annotated[Literal["fr", "en"] | None, Query(description="of the Markdown; the page's, if not given")]

WorkId = Annotated[int, Path(ge=1, le=2**63 - 1, description="id of a maintenance", examples=[3])]
Recording = Annotated[
    str | None,
    Query(
        pattern=ID_PATTERN,
        description="of this recording's site, in its own time, instead of the port",
        examples=["REC"],
    ),
]


@router.get("/kpi", responses=LISTED, summary="Measure the load of alarms")
async def show_kpi(
    context: InContext,
    start: Annotated[Instant | None, Query(alias="from", description="8 hours before `to`, if not given")] = None,
    to: Annotated[Instant | None, Query(description="now, if not given")] = None,
    operators: Annotated[int, Query(ge=1, le=20, description="how many share the load")] = 1,
    recording: Recording = None,
) -> Kpi:
    """Calls per 10 minutes, floods, chattering, stale alarms, priorities, the worst sources, precision by sensor."""
    end = to or context.now()
    begin = start or end - _SHIFT
    if not timedelta() < end - begin <= _LONGEST_KPI:
        raise bad_parameter("from", begin.isoformat(), "before `to`, by at most 31 days")

    async def measure(conn: Connection) -> Measured:
        stale = AlarmChoice(open=True, end=context.now() - STALE_AFTER)
        standing = await find_alarms(conn, stale, before=None, limit=_MOST_STANDING)
        return Measured(
            start=begin,
            end=end,
            operators=operators,
            load=load(await announcements(conn, begin, end, recording), begin, end, operators=operators),
            flood=await present_flood(conn),
            escalated=await escalations(conn, begin, end, recording),
            stale=[row for row in standing if row.life.active and row.recording == recording],
            confirmed=await confirmations(conn, begin, end, recording),
        )

    return kpi(await context.operations.read(measure))


@router.get("/shift", responses=LISTED, summary="Show who is on duty")
async def show_shift(context: InContext) -> Shifts:
    """The present shift and the last ones, the newest first."""
    found = [shift_out(shift) for shift in await context.operations.read(partial(shifts, limit=_EARLIER_SHIFTS))]
    on_duty = found[0] if found and found[0].ended is None else None
    return Shifts(present=on_duty, earlier=found[1:] if on_duty else found)


@router.post("/shift", responses=_TAKEN, status_code=201, summary="Take over")
async def take_over(act: InAct, body: HandOver) -> Response:
    """Ends the present shift and begins that of `operator`, with a word from one to the other."""

    async def work(conn: Connection) -> Answer:
        shift = await hand_over(conn, body.operator, said(body.note), act.at)
        return answered(shift_out(shift), status=201)

    return await act.answer(work)


@router.get(
    "/handover",
    response_model=HandoverOut,
    responses=LISTED | {200: _HANDED},
    summary="Show what the next shift must know",
)
async def show_handover(
    context: InContext,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    format_: Format = None,
    language: Tongue = None,
) -> Response:
    """What is unanswered, in hand, shelved, muted, under maintenance, and how the shift was; Markdown to print."""
    found, todo = await context.operations.read(partial(_handed, now=context.now()))
    body = handover(found)
    wanted = format_ or ("markdown" if _MARKDOWN in (accept or "") else "json")
    if wanted == "json":
        return Response(body.model_dump_json(), media_type="application/json", headers={"cache-control": "no-store"})
    settings = context.settings
    text = markdown(body, language or settings.language, ZoneInfo(settings.timezone), todo)
    return Response(text, media_type=f"{_MARKDOWN}; charset=utf-8", headers={"cache-control": "no-store"})


async def _handed(conn: Connection, now: datetime) -> tuple[Handed, dict[str, LabelOut]]:
    """What is handed over, and what to do about each alarm of it."""
    shift = next((shift for shift in await shifts(conn, 1) if shift.ended_at is None), None)
    since = max(shift.began_at, now - 3 * _SHIFT) if shift else now - _SHIFT
    rows = await find_alarms(conn, AlarmChoice(open=True), before=None, limit=_MOST_STANDING)
    standing = [row for row in rows if row.recording is None and row.life.state is not State.NORMAL]
    raised = await find_alarms(conn, AlarmChoice(start=since), before=None, limit=_MOST_STANDING)
    planned = await works(conn, now, past=False, before=None, limit=_MOST_STANDING)
    found = Handed(
        at=now,
        since=since,
        shift=shift,
        standing=standing,
        notes=await latest_notes(conn, [row.id for row in standing]),
        works=[work for work in planned if work.begins_at < now + _SHIFT],
        flood=await present_flood(conn),
        load=load(await announcements(conn, since, now), since, now),
        escalated=await escalations(conn, since, now),
        wrong=[row for row in raised if row.confirmed is False],
    )
    return found, {str(row.id): LabelOut(en=row.told.do.en, fr=row.told.do.fr) for row in standing}


@router.get("/maintenance", responses=LISTED, summary="List maintenance")
async def list_maintenance(
    context: InContext,
    *,
    past: Annotated[bool, Query(description="also what is over")] = False,
    before: Before = None,
    limit: Limit = 100,
) -> Works:
    """Maintenance at work and to come, the newest first."""
    found = await context.operations.read(partial(works, now=context.now(), past=past, before=before, limit=limit + 1))
    items = [work_out(work) for work in found[:limit]]
    return Works(items=items, next=items[-1].id if len(found) > limit else None)


@router.post("/maintenance", responses=_PLANNED, status_code=201, summary="Announce maintenance")
async def plan_maintenance(act: InAct, body: Plan) -> Response:
    """What rests on it alone is out of service until its end; a terminal is closed, which mutes its gates."""
    begins = body.begins or act.at
    if not max(begins, act.at) < body.ends <= begins + _LONGEST_WORK:
        raise bad_parameter("ends", body.ends.isoformat(), "later than now and `begins`, by at most 31 days")
    _known(body, await act.context.installed.refresh())
    plan = Maintenance(body.range, body.target, said(body.reason), begins, body.ends)

    async def work(conn: Connection) -> Answer:
        return answered(work_out(await plan_work(conn, plan, act.actor.name)), status=201)

    return await act.answer(work)


@router.post("/maintenance/{maintenance}/end", responses=_ENDED, summary="End maintenance before its time")
async def end_maintenance(act: InAct, maintenance: WorkId) -> Response:
    """What still holds calls at once."""

    async def work(conn: Connection) -> Answer:
        ended = await end_work(conn, maintenance, act.actor.name, act.at)
        if ended is None:
            detail = f"No maintenance {maintenance} is at work or to come; /v1/maintenance lists what is."
            raise Problem(404, "unknown-maintenance", detail)
        return answered(work_out(ended))

    return await act.answer(work)


def _known(plan: Plan, catalogue: Catalogue) -> None:
    known = {
        Range.SENSOR: catalogue.sensor_by_id.keys(),
        Range.SITE: catalogue.site_by_id.keys(),
        Range.TERMINAL: {terminal.code for terminal in catalogue.terminals},
    }
    if plan.target not in known[plan.range]:
        raise bad_parameter("target", plan.target, f"a {plan.range} of the catalogue")
