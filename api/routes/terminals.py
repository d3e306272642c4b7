"""Terminals: what they have and how they are now, and how long lorries stay in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.context import Context, InContext
from api.documented import LISTED, Responses, problem
from api.models.base import ID_PATTERN
from api.models.terminals import TerminalNow, TerminalOut, Terminals, TurnTime
from api.problems import Problem, bad_parameter
from api.routes.readings import Instant
from api.shapes import installations, state_out
from api.terminal_shapes import sensors_of, terminal_now, terminal_out, turn_time
from sensors.catalogue import Catalogue, Terminal
from store.api_rows import StateRow
from store.database import Connection
from store.turns import TurnHour, lorries_inside, turn_hours

router = APIRouter(prefix="/v1", tags=["terminals"])

HOUR = timedelta(hours=1)
LONGEST = timedelta(days=83)
"""2,000 hours: the most points of one answer."""

_OF_LATE = timedelta(hours=3)
_DAY = timedelta(days=1)

OF_TERMINAL: Responses = LISTED | {404: problem("There is no terminal of this code")}
Code = Annotated[str, Path(pattern=ID_PATTERN, description="code of a terminal", examples=["SEYA"])]
From = Annotated[
    Instant | None,
    Query(alias="from", description="RFC 3339 with offset; 24 hours before `to`", examples=["2026-03-02T00:00:00Z"]),
]
To = Annotated[
    Instant | None, Query(description="RFC 3339 with offset, not included; now", examples=["2026-03-03T00:00:00Z"])
]


def find_terminal(catalogue: Catalogue, code: str) -> Terminal:
    """The terminal of a code; raises a 404."""
    found = next((terminal for terminal in catalogue.terminals if terminal.code == code), None)
    if found is None:
        known = ", ".join(terminal.code for terminal in catalogue.terminals)
        raise Problem(404, "unknown-terminal", f"There is no terminal {code!r}; there are {known or 'none'}.")
    return found


async def _terminal(context: InContext, terminal: Code) -> Terminal:
    return find_terminal(await context.installed.catalogue(), terminal)


InTerminal = Annotated[Terminal, Depends(_terminal)]


async def _present(context: InContext, terminal: InTerminal) -> datetime:
    """Now by the clock of a terminal: where a recording is played, that of its newest reading."""
    catalogue = await context.installed.catalogue()
    return _clock(context, await _states(context, terminal) if _is_played(catalogue, terminal) else ())


async def _states(context: Context, terminal: Terminal) -> list[StateRow]:
    sensors = sensors_of(await context.installed.catalogue(), terminal)
    return await context.source.states(sorted(sensor.id for sensor in sensors))


def _is_played(catalogue: Catalogue, terminal: Terminal) -> bool:
    return {site.clock for site in catalogue.sites if site.terminal == terminal.code} == {"recording"}


def _clock(context: Context, played: Iterable[StateRow]) -> datetime:
    return max((row.time for row in played if row.time is not None), default=context.now()).astimezone(UTC)


InPresent = Annotated[datetime, Depends(_present)]


def hours_of(now: datetime, start: datetime | None, to: datetime | None) -> tuple[datetime, datetime]:
    """The whole hours that a range touches; raises a 422."""
    end = (to or now).astimezone(UTC)
    begin = (start or end - _DAY).astimezone(UTC)
    if not timedelta() < end - begin <= LONGEST:
        raise bad_parameter("from", begin.isoformat(), f"before `to`, by at most {LONGEST.days} days")
    return begin.replace(minute=0, second=0, microsecond=0), end


@router.get("/terminals", responses=LISTED, summary="List the terminals")
async def list_terminals(context: InContext) -> Terminals:
    """Every terminal with its sites, gates, yard blocks, cranes and racks."""
    catalogue = await context.installed.catalogue()
    return Terminals(items=[terminal_out(catalogue, terminal) for terminal in catalogue.terminals])


@router.get("/terminals/{terminal}", responses=OF_TERMINAL, summary="Show a terminal now")
async def show_terminal(context: InContext, terminal: InTerminal) -> TerminalNow:
    """The worst level of each kind, every state, how many lorries are inside, and the turn time of late."""
    catalogue = await context.installed.catalogue()
    shown: TerminalOut = terminal_out(catalogue, terminal)
    rows = {row.thing: row for row in await _states(context, terminal)}
    now = _clock(context, rows.values() if _is_played(catalogue, terminal) else ())
    names = {sensor.id for sensor in sensors_of(catalogue, terminal)}
    own = (one for one in installations(catalogue, context.kinds) if one.thing in names)
    states = [state_out(one, rows.get(one.thing)) for one in own]

    async def read(conn: Connection) -> tuple[int, list[TurnHour]]:
        hour = now.replace(minute=0, second=0, microsecond=0)
        turns = await turn_hours(conn, terminal.code, hour - _OF_LATE, hour + HOUR)
        return await lorries_inside(conn, terminal.code, now), turns

    inside, turns = await context.operations.read(read)
    return terminal_now(shown, states, inside, turns)


@router.get("/terminals/{terminal}/turn-time", responses=OF_TERMINAL, summary="Show turn times")
async def show_turn_time(
    context: InContext, terminal: InTerminal, now: InPresent, start: From = None, to: To = None
) -> TurnTime:
    """Gate-in to gate-out by quantiles, for each hour in which turns ended and for all of them together."""
    begin, end = hours_of(now, start, to)
    hours = await context.operations.read(lambda conn: turn_hours(conn, terminal.code, begin, end))
    return turn_time(terminal, begin, end, hours)
