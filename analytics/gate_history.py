"""From the readings and passages of the last hours to a terminal as the outlook takes it. Times are Unix seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from analytics.gate_outlook import HOUR_S, INSIDE_S, SERVED_MIN, STEP_S, Floats, GateNow, TerminalNow, hampered_s
from sensors.catalogue import Sensor

HISTORY_S = 4 * HOUR_S
"""Seconds of history that an outlook takes: turns that were let in four hours ago have ended."""

STALE_S = 300.0
"""Seconds after which the newest reading of a gate is no longer how it is now (ten readings). Shorter: a gate that lost
a few has no outlook; longer: an outlook from a queue that is gone."""

SERVICE_S = 90.0
"""Seconds a lorry and lane where a gate has told none (domain section 2: 60 to 120)."""

_LANES = 2


class GateRow(NamedTuple):
    """A reading of a gate; NaN where it told nothing."""

    sensor: str
    at_s: float
    queue: float
    lanes_open: float
    service_s: float
    arrivals: float
    departures: float


class PassageRow(NamedTuple):
    """A lorry that was let in or out."""

    at_s: float
    sensor: str
    direction: str


def terminal_now(
    gates: Sequence[Sensor],
    rows: Sequence[GateRow],
    passed: Iterable[PassageRow],
    booked: Mapping[int, int],
    *,
    inside_s: float = INSIDE_S,
) -> TerminalNow | None:
    """Gather a terminal as of the newest of `rows`, which are in order of time; None without any.

    Gates whose newest reading is stale, or tells no queue, are left out: nobody can say how they go on.
    """
    if not rows:
        return None
    at_s = rows[-1].at_s
    recent = [passage for passage in passed if passage.at_s <= at_s]
    by_gate = {gate.id: [row for row in rows if row.sensor == gate.id] for gate in gates}
    found = [_gate(gate, by_gate[gate.id], at_s) for gate in gates]
    known = [gate for gate in found if gate is not None]
    return TerminalNow(
        at_s=at_s,
        gates=known,
        booked=booked,
        entered_min=_by_minute([passage.at_s for passage in recent if passage.direction == "in"], at_s),
        arrived_hour=sum(_came(gate, by_gate[gate.id], recent, "in", at_s) for gate in gates),
        out_hour=sum(_came(gate, by_gate[gate.id], recent, "out", at_s) for gate in gates),
        inside_s=inside_s,
    )


def _gate(gate: Sensor, rows: Sequence[GateRow], at_s: float) -> GateNow | None:
    told = [row for row in rows if np.isfinite(row.queue) and np.isfinite(row.lanes_open)]
    if not told or at_s - told[-1].at_s > STALE_S:
        return None
    times, queue, lanes_open = (
        np.array(column) for column in zip(*[(r.at_s, r.queue, r.lanes_open) for r in told], strict=True)
    )
    service_s = [row.service_s for row in rows if row.service_s > 0]
    lanes = gate.lanes or max(_LANES, int(lanes_open.max()))
    return GateNow(
        id=gate.id,
        direction="in" if gate.direction == "in" else "out" if gate.direction == "out" else None,
        lanes=lanes,
        lanes_open=float(lanes_open[-1]),
        queue=float(queue[-1]),
        service_s=service_s[-1] if service_s else SERVICE_S,
        served_min=_served(rows, at_s),
        hampered_s=hampered_s(times, queue, lanes_open, lanes),
        storage_m=gate.storage_m,
    )


def _served(rows: Sequence[GateRow], at_s: float) -> list[float]:
    """Lorries served in each of the last minutes, oldest first."""
    ago = np.array([at_s - row.at_s for row in rows])
    served = np.nan_to_num(np.array([row.departures for row in rows], float))
    minutes = np.bincount((ago // STEP_S).astype(int), served, minlength=SERVED_MIN)[:SERVED_MIN]
    return [float(lorries) for lorries in minutes[::-1]]


def _came(gate: Sensor, rows: Sequence[GateRow], recent: Sequence[PassageRow], way: str, at_s: float) -> float:
    """Lorries that came to a gate in the last hour to go that way; at a gate for both, those who passed."""
    if gate.direction is None:
        since = at_s - HOUR_S
        return float(sum(p.sensor == gate.id and p.direction == way and p.at_s > since for p in recent))
    if gate.direction != way:
        return 0.0
    return float(np.nansum([row.arrivals for row in rows if row.at_s > at_s - HOUR_S]))


def _by_minute(times: Sequence[float], at_s: float) -> list[float]:
    """Count by minutes up to now, oldest first."""
    minutes = HISTORY_S // STEP_S
    ago: Floats = (at_s - np.array(times, float)) // STEP_S
    counted = np.bincount(ago[ago < minutes].astype(int), minlength=minutes)
    return [float(lorries) for lorries in counted[::-1]]
