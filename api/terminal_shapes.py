"""From the catalogue, states and turns to the JSON shapes of terminals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from analytics.turns import quantiles
from api.models.base import LevelName
from api.models.states import StateOut
from api.models.terminals import TerminalNow, TerminalOut, TurnHourOut, TurnsOut, TurnTime
from sensors.catalogue import Catalogue, Sensor, Terminal
from store.turns import TurnHour

_KINDS = {"gate": "gates", "yard": "yards", "crane": "cranes", "reefer": "racks"}
_BADNESS: Sequence[LevelName] = ("fluid", "unknown", "dense", "congested", "jammed")


def sensors_of(catalogue: Catalogue, terminal: Terminal) -> list[Sensor]:
    """The gates, yard blocks, cranes and racks at the sites of a terminal."""
    sites = {site.id for site in catalogue.sites if site.terminal == terminal.code}
    return [sensor for sensor in catalogue.sensors if sensor.site in sites and sensor.kind in _KINDS]


def terminal_out(catalogue: Catalogue, terminal: Terminal) -> TerminalOut:
    sensors = sensors_of(catalogue, terminal)
    return TerminalOut(
        terminal=terminal.code,
        name=terminal.name,
        locode=terminal.locode,
        sites=[site.id for site in catalogue.sites if site.terminal == terminal.code],
        gates=_ids(sensors, "gate"),
        yards=_ids(sensors, "yard"),
        cranes=_ids(sensors, "crane"),
        racks=_ids(sensors, "reefer"),
    )


def _ids(sensors: Iterable[Sensor], kind: str) -> list[str]:
    return [sensor.id for sensor in sensors if sensor.kind == kind]


def terminal_now(
    terminal: TerminalOut, states: Sequence[StateOut], inside: int, turns: Sequence[TurnHour]
) -> TerminalNow:
    return TerminalNow(
        **terminal.model_dump(),
        levels=_levels(states),
        lorries_inside=inside,
        turn_time=turns_out(turns),
        states=list(states),
    )


def _levels(states: Iterable[StateOut]) -> dict[str, LevelName | None]:
    """The worst level of each kind; unknown is worse than fluid: who is not seen may stand."""
    worst: dict[str, LevelName | None] = {}
    for state in states:
        before = worst.setdefault(state.kind, state.level)
        if state.level is not None and (before is None or _BADNESS.index(state.level) > _BADNESS.index(before)):
            worst[state.kind] = state.level
    return worst


def turns_out(hours: Sequence[TurnHour]) -> TurnsOut:
    """Hours together: the quantiles of all their turns."""
    turns = [turn_s for hour in hours for turn_s in hour.turns_s]
    return TurnsOut(
        **quantiles(turns)._asdict(),
        turns=len(turns),
        unpaired_in=sum(hour.unpaired_in for hour in hours),
        unpaired_out=sum(hour.unpaired_out for hour in hours),
    )


def turn_time(terminal: Terminal, start: datetime, end: datetime, hours: Sequence[TurnHour]) -> TurnTime:
    return TurnTime.model_validate(
        {
            "terminal": terminal.code,
            "from": start,
            "to": end,
            "total": turns_out(hours),
            "hours": [TurnHourOut(hour=hour.hour, **turns_out([hour]).model_dump()) for hour in hours],
        }
    )
