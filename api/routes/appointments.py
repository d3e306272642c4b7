"""Slot plans of terminals: given by a booking system, and compared with who came.

Who may give one is decided where everybody is: `api.actor.acting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response

from api.actions import ACTED, InAct, answered
from api.context import InContext
from api.documented import Responses, problem
from api.models.appointments import PlanTaken, SlotIn, SlotOut, Slots, SlotsTotal
from api.problems import ParameterError, Problem
from api.routes.terminals import HOUR, OF_TERMINAL, From, InPresent, InTerminal, To, hours_of
from sensors.catalogue import Terminal
from sensors.slots import MAX_BYTES, MAX_SLOTS, PlanRefused, Slot, parse_csv, parse_json
from store.appointments import SlotHour, put_slots, slot_hours
from store.database import Connection
from store.operations import Answer

router = APIRouter(prefix="/v1", tags=["terminals"])

_AHEAD = timedelta(days=2)
_FORMS = {"application/json": parse_json, "text/csv": parse_csv}
_PLAN = {
    "type": "object",
    "description": "The hours that it names are replaced, others stay",
    "required": ["slots"],
    "properties": {"slots": {"type": "array", "maxItems": MAX_SLOTS, "items": SlotIn.model_json_schema()}},
    "additionalProperties": False,
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _PLAN,
                "example": {"slots": [{"hour": "2026-03-02T07:00:00+01:00", "booked": 80}]},
            },
            "text/csv": {"schema": {"type": "string"}, "example": "hour,booked\n2026-03-02T07:00:00+01:00,80\n"},
        },
    }
}
_TAKEN: Responses = (
    OF_TERMINAL
    | ACTED
    | {
        200: {"model": PlanTaken, "description": "The plan holds"},
        413: problem(f"A plan has at most {MAX_BYTES} bytes"),
        415: problem("A plan is application/json or text/csv"),
    }
)
ContentType = Annotated[str | None, Header(include_in_schema=False)]


@router.put(
    "/terminals/{terminal}/appointments",
    responses=_TAKEN,
    response_model=PlanTaken,
    openapi_extra=_BODY,
    summary="Give the slot plan",
)
async def put_appointments(
    act: InAct, terminal: InTerminal, request: Request, content_type: ContentType = None
) -> Response:
    """Replaces the bookings of the hours that it names, all of them or, where anything is wrong, none."""
    slots = _plan(await request.body(), content_type, act.at)

    async def put(conn: Connection) -> Answer:
        changed = await put_slots(conn, terminal.code, slots, now=act.at)
        return answered(PlanTaken(terminal=terminal.code, hours=len(slots), changed=changed))

    return await act.answer(put)


@router.get("/terminals/{terminal}/appointments", responses=OF_TERMINAL, summary="Show bookings and arrivals")
async def list_appointments(
    context: InContext, terminal: InTerminal, now: InPresent, start: From = None, to: To = None
) -> Slots:
    """Booked, arrived and no-shows of each hour that has a plan or arrivals; without `to` the next two days too."""
    begin, end = hours_of(now, start, to)
    end = end if to else end + _AHEAD
    hours = await context.operations.read(lambda conn: slot_hours(conn, terminal.code, begin, end))
    return _slots(terminal, begin, end, hours, now)


def _plan(body: bytes, content_type: str | None, now: datetime) -> tuple[Slot, ...]:
    form = (content_type or "").partition(";")[0].strip().lower()
    if form not in _FORMS:
        detail = f"A plan is sent as {' or '.join(_FORMS)}, not as {form[:100] or 'nothing'!r}."
        raise Problem(415, "unsupported-media-type", detail)
    if len(body) > MAX_BYTES:
        raise Problem(413, "body-too-long", f"A plan has at most {MAX_BYTES} bytes, this one {len(body)}.")
    try:
        return _FORMS[form](body, now)
    except PlanRefused as exc:
        errors = [
            ParameterError(parameter=each.place, where="body", value=each.value, expected=each.expected)
            for each in exc.mistakes
        ]
        raise Problem(422, "invalid-parameter", str(exc).replace("\n", "; "), errors=errors) from exc


def _slots(terminal: Terminal, begin: datetime, end: datetime, hours: Sequence[SlotHour], now: datetime) -> Slots:
    shown = [_hour(hour, now) for hour in hours]
    both = [hour for hour in shown if hour.no_shows is not None]
    booked, arrived = sum(hour.booked or 0 for hour in both), sum(hour.arrived or 0 for hour in both)
    missing = max(booked - arrived, 0)
    share = round(missing / booked, 3) if booked else None
    total = SlotsTotal(booked=booked, arrived=arrived, no_shows=missing, no_show_share=share)
    told = {"terminal": terminal.code, "from": begin, "to": end, "total": total, "hours": shown}
    return Slots.model_validate(told)


def _hour(hour: SlotHour, now: datetime) -> SlotOut:
    arrived = hour.arrived if hour.hour + HOUR <= now else None
    known = hour.booked is not None and arrived is not None
    no_shows = max((hour.booked or 0) - (arrived or 0), 0) if known else None
    return SlotOut(hour=hour.hour, booked=hour.booked, arrived=arrived, no_shows=no_shows)
