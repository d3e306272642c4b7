"""Alarms: what an operator must act on, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial, reduce
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response

from analytics.alarms import machine
from analytics.alarms.lifecycle import Action, Lifecycle, Priority, State, follow
from analytics.alarms.machine import ActionRefused, Deed, Transitions
from api.actions import ACTED, Act, InAct, answered, said
from api.alarm_shapes import alarm_detail, alarm_out, etag
from api.audience import View
from api.context import InContext
from api.documented import LISTED, UNCHANGED, Responses, problem
from api.models.alarms import AlarmDetail, Alarms, Answered, Comment, Confirmation, Remark, Shelving
from api.models.base import ID_PATTERN, LevelName
from api.problems import Problem
from api.routes.readings import Instant
from sensors.level import Level
from store.alarms.actions import AlarmUnknown, VersionDiffers, act_on_alarm
from store.alarms.queries import AlarmChoice, find_alarm, find_alarms, trail_of
from store.alarms.rows import AlarmRow
from store.database import Connection
from store.operations import Answer

router = APIRouter(prefix="/v1", tags=["alarms"])

_MAX_ID = 2**63 - 1
_MOST = 1000
_ONE: Responses = LISTED | {404: problem("No alarm has this id")}
_ACTED: Responses = _ONE | ACTED | {200: {"model": AlarmDetail, "description": "The alarm afterwards"}}

AlarmId = Annotated[int, Path(ge=1, le=_MAX_ID, description="id of an alarm", examples=[12])]
States = Annotated[list[State] | None, Query(description="only in one of these states")]
Levels = Annotated[list[LevelName] | None, Query(description="only at one of these levels")]
Priorities = Annotated[list[Priority] | None, Query(description="only of one of these priorities")]
Site = Annotated[str | None, Query(pattern=ID_PATTERN, description="only at this site", examples=["W07"])]
Terminal = Annotated[str | None, Query(pattern=ID_PATTERN, description="only at sites of this terminal")]
Kind = Annotated[str | None, Query(pattern=ID_PATTERN, description="only this kind, or fault", examples=["gate"])]
Rule = Annotated[str | None, Query(pattern=ID_PATTERN, description="only called by this rule")]
Open = Annotated[bool | None, Query(alias="open", description="only what is not over, or only what is")]
From = Annotated[Instant | None, Query(alias="from", description="only raised since, RFC 3339 with offset")]
To = Annotated[Instant | None, Query(description="only raised before, RFC 3339 with offset")]
Before = Annotated[int | None, Query(ge=0, le=_MAX_ID, description="only alarms with a lower id", examples=[12])]
Limit = Annotated[int, Query(ge=1, le=_MOST, description="at most so many")]
IfNoneMatch = Annotated[str | None, Header(description="304 if the ETag is still this one", examples=['"3"'])]


@router.get("/alarms", response_model=Alarms, responses=LISTED, summary="List alarms")
async def list_alarms(
    context: InContext,
    *,
    state: States = None,
    level: Levels = None,
    priority: Priorities = None,
    site: Site = None,
    terminal: Terminal = None,
    kind: Kind = None,
    rule: Rule = None,
    open_: Open = None,
    start: From = None,
    to: To = None,
    before: Before = None,
    limit: Limit = 100,
) -> Response:
    """Alarms by what is asked, the newest first; `open=true` for what still asks for something."""
    view = await context.view()
    choice = AlarmChoice(
        states=state,
        levels=None if level is None else [Level[name.upper()] for name in level],
        priorities=priority,
        site=site,
        terminal=terminal,
        kind=kind,
        rule=rule,
        open=open_,
        start=start,
        end=to,
        within=view.within,
    )
    rows = await context.operations.read(partial(find_alarms, choice=choice, before=before, limit=limit + 1))
    more = str(rows[limit - 1].id) if len(rows) > limit else None
    body = Alarms.model_construct(items=[alarm_out(view.alarm(row)) for row in rows[:limit]], next=more)
    return Response(body.model_dump_json(), media_type="application/json", headers={"cache-control": "no-cache"})


@router.get("/alarms/{alarm}", response_model=AlarmDetail, responses=_ONE | UNCHANGED, summary="Show an alarm")
async def show_alarm(context: InContext, alarm: AlarmId, if_none_match: IfNoneMatch = None) -> Response:
    """One alarm with its response, its evidence, the arithmetic of its priority and its whole history."""
    view = await context.view()

    async def look(conn: Connection) -> AlarmDetail | None:
        row = await find_alarm(conn, alarm)
        if row is None or not view.sees(row.sites):
            return None
        return await _detail(conn, row, view)

    detail = await context.operations.read(look)
    if detail is None:
        raise _unknown(alarm)
    headers = {"etag": f'"{detail.version}"', "cache-control": "no-cache"}
    if if_none_match == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(detail.model_dump_json(by_alias=True), media_type="application/json", headers=headers)


@router.post("/alarms/{alarm}/acknowledge", responses=_ACTED, summary="Acknowledge an alarm")
async def acknowledge_alarm(act: InAct, alarm: AlarmId, body: Comment | None = None) -> Response:
    """Somebody has seen it and is responsible; what is over already is closed."""
    deed = _deed(act, body.comment if body else "")
    return await _answer(act, alarm, lambda life: machine.acknowledge(life, deed))


@router.post("/alarms/{alarm}/shelve", responses=_ACTED, summary="Shelve an alarm")
async def shelve_alarm(act: InAct, alarm: AlarmId, body: Shelving) -> Response:
    """Hide it for a reason and a time, at most 8 hours; then it calls anew if it still holds."""
    if (body.until is None) == (body.minutes is None):
        raise Problem(422, "invalid-parameter", "Give either `until` or `minutes`.")
    until = body.until or act.at + timedelta(minutes=body.minutes or 0)
    deed = _deed(act, body.reason)
    return await _answer(act, alarm, lambda life: machine.shelve(life, deed, until))


@router.post("/alarms/{alarm}/unshelve", responses=_ACTED, summary="Show a shelved alarm again")
async def unshelve_alarm(act: InAct, alarm: AlarmId, body: Comment | None = None) -> Response:
    """Before its time: it calls if its condition still holds, and is closed if not."""
    deed = _deed(act, body.comment if body else "")
    return await _answer(act, alarm, lambda life: machine.unshelve(life, deed))


@router.post("/alarms/{alarm}/comment", responses=_ACTED, summary="Say something about an alarm")
async def comment_alarm(act: InAct, alarm: AlarmId, body: Remark) -> Response:
    """A remark for those who come next, in any state."""
    deed = _deed(act, body.comment)
    return await _answer(act, alarm, lambda life: machine.noted(life, Action.COMMENT, deed))


@router.post("/alarms/{alarm}/respond", responses=_ACTED, summary="Record what was done")
async def respond_alarm(act: InAct, alarm: AlarmId, body: Answered) -> Response:
    """Call made, sign set, police told: in one action. An unanswered alarm is acknowledged by it."""
    deed, done = _deed(act, body.comment), tuple(dict.fromkeys(body.done))

    def decide(life: Lifecycle) -> Transitions:
        first = machine.acknowledge(life, deed) if life.state is State.UNACKNOWLEDGED else ()
        return (*first, *machine.noted(reduce(follow, first, life), Action.RESPOND, deed, done))

    return await _answer(act, alarm, decide)


@router.post("/alarms/{alarm}/confirm", responses=_ACTED, summary="Say whether an alarm was right")
async def confirm_alarm(act: InAct, alarm: AlarmId, body: Confirmation) -> Response:
    """A true or a false alarm: it counts for the precision of its sensors in `/v1/kpi`. The last word counts."""
    deed, word = _deed(act, body.comment), ("true" if body.right else "false",)
    return await _answer(act, alarm, lambda life: machine.noted(life, Action.CONFIRM, deed, word), confirmed=body.right)


async def _answer(
    act: Act, alarm: int, decide: Callable[[Lifecycle], Transitions], *, confirmed: bool | None = None
) -> Response:
    view = await act.context.view()

    async def work(conn: Connection) -> Answer:
        row = await act_on_alarm(
            conn, alarm, decide, now=act.at, expected=act.expected, confirmed=confirmed, within=view.within
        )
        return answered(await _detail(conn, row, view), etag=etag(row))

    try:
        return await act.answer(work)
    except AlarmUnknown:
        raise _unknown(alarm) from None
    except VersionDiffers:
        detail = f"Alarm {alarm} has changed since version {act.expected}; look at it again before you act."
        raise Problem(412, "version-differs", detail) from None
    except ActionRefused as exc:
        raise Problem(409, "action-not-possible", f"{exc}.") from exc


async def _detail(conn: Connection, row: AlarmRow, view: View) -> AlarmDetail:
    return alarm_detail(view.alarm(row), [view.step(step) for step in await trail_of(conn, row.id)])


def _deed(act: Act, why: str) -> Deed:
    return Deed(act.actor.name, act.at, said(why))


def _unknown(alarm: int) -> Problem:
    return Problem(404, "unknown-alarm", f"There is no alarm {alarm}; /v1/alarms lists those there are.")
