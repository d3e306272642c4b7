"""What is expected at the gates of a terminal, for its booking system."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from analytics.gate_history import HISTORY_S, STALE_S
from analytics.gate_outlook import HORIZON_S
from api.context import InContext
from api.models.outlook import TerminalAhead
from api.outlooks import Known, terminal_ahead
from api.routes.readings import Instant
from api.routes.terminals import HOUR, OF_TERMINAL, InPresent, InTerminal
from api.terminal_shapes import sensors_of
from store.appointments import bookings
from store.database import Connection
from store.gates import gate_readings, passages
from store.turns import turn_hours

router = APIRouter(prefix="/v1", tags=["terminals"])

_HISTORY = timedelta(seconds=HISTORY_S)
_AHEAD = timedelta(seconds=HORIZON_S) + HOUR
_WEEK = timedelta(days=7)
At = Annotated[Instant | None, Query(description="as it was known then, RFC 3339 with offset; now")]


@router.get("/terminals/{terminal}/outlook", responses=OF_TERMINAL, summary="Show the expected waits")
async def show_outlook(context: InContext, terminal: InTerminal, present: InPresent, at: At = None) -> TerminalAhead:
    """Expected wait of each gate over the next two hours, by the hour and the quarter of an hour, with its range.

    From bookings, queue and service rate as a fluid queue. With `at` the readings until then, and the plan of now.
    """
    catalogue = await context.installed.catalogue()
    gates = [sensor for sensor in sensors_of(catalogue, terminal) if sensor.kind == "gate"]
    now = at or present
    code, since = terminal.code, now - _HISTORY

    async def read(conn: Connection) -> Known:
        readings = await gate_readings(conn, code, since, now)
        fresh = readings and (now - readings[-1].time).total_seconds() <= STALE_S
        return Known(
            gates=gates,
            readings=readings if fresh else [],
            passed=await passages(conn, code, since, now),
            booked=await bookings(conn, code, since, now + _AHEAD),
            turns=await turn_hours(conn, code, now - _WEEK, now),
        )

    return terminal_ahead(terminal, await context.operations.read(read))
