"""What a situation has cost so far: seconds of vehicles, hours of lorries, against free flow.

On a road, of N vehicles on a stretch that drive at v instead of the free speed, N (1 - v / free) are lost at every
instant. N is the density, flow / speed or, where everything stands, what the occupancy says (domain section 2), times
lanes and length; each loop that is congested stands for its share of its section. At a gate all that wait are lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from analytics.remains import CAR_M, DETECTOR_M, LORRY_M
from analytics.settings import Thing
from analytics.situations.ground import Ground
from analytics.situations.record import Record
from analytics.situations.sight import Sight
from analytics.table import Float64, Index, Mask
from sensors.kind import Kind

LONGEST_S = 1800.0
"""Seconds that may be made good when a sensor comes into a situation, for the readings until its alarm opened, and
seconds between two steps. Longer: a gap in the readings is counted as a jam."""

TRAFFIC, GATE = "traffic", "gate"
_LOOP, _GATE = 1, 2


class Losses:
    """The loops and gates of one zone."""

    def __init__(self, things: Sequence[Thing], ground: Ground | None, before: Losses | None = None) -> None:
        self._kind = np.array([_number(thing.kind) for thing in things], np.int8)
        self._columns = {thing.kind.name: thing.kind.field_names for thing in things}
        self._lane_km: Float64 = np.full(len(things), np.nan)
        self._free_kmh: Float64 = np.array([thing.free_speed_kmh for thing in things], np.float64)
        self._counted: Mask = np.zeros(len(things), np.bool_)
        if before is not None:
            self._counted[: len(before._counted)] = before._counted  # noqa: SLF001  one of its own
        if ground is not None:
            self._measure(ground)

    def resume(self, records: Iterable[Record]) -> None:
        """Go on after a restart: what is inside was counted."""
        self._counted[[thing for record in records for thing in record.things]] = True

    def _measure(self, ground: Ground) -> None:
        """Give every loop its share of its section: lane kilometres, and the free speed where it has none itself."""
        for place, things in ground.at.items():
            loops = [thing for thing in things if self._kind[thing] == _LOOP]
            if place < 0 or not loops:
                continue
            section = ground.sections.get(ground.graph.places[place].id)
            lanes = section.lanes if section else 1
            self._lane_km[loops] = float(ground.graph.length_m[place]) / 1000 * lanes / len(loops)
            if section:
                unknown = [loop for loop in loops if np.isnan(self._free_kmh[loop])]
                self._free_kmh[unknown] = section.free_speed_kmh

    def add(self, records: Iterable[Record], sight: Sight, before_us: int) -> None:
        """Add what was lost since the last step, at `before_us`."""
        step_s = min(max(sight.at_us - before_us, 0) / 1e6, LONGEST_S)
        some = [record for record in records if record.things]
        things = np.array([thing for record in some for thing in record.things], np.intp)
        owner = np.repeat(np.arange(len(some)), [len(record.things) for record in some])
        some_count = self._kind[things] > 0
        here, owner = things[some_count], owner[some_count]
        if len(here):
            seconds = self._seconds(here, sight, step_s)
            for lost, name in zip(self._lost(here, sight), ("delay_s", "lorry_s"), strict=True):
                _add(some, name, owner, lost * seconds)
        self._counted[:] = False
        self._counted[here] = True

    def _seconds(self, here: Index, sight: Sight, step_s: float) -> Float64:
        """Return for how long each has been lost: since its first slow reading where it was not counted before."""
        since_us = np.minimum(sight.settled.slow_since_us[here], sight.at_us)
        long_s = np.minimum((sight.at_us - since_us) / 1e6, LONGEST_S)
        return np.where(self._counted[here], step_s, np.maximum(long_s, step_s))

    def _lost(self, here: Index, sight: Sight) -> tuple[Float64, Float64]:
        """Return vehicles and lorries that are lost at each thing now; NaN where they are not counted."""
        vehicles, lorries = np.full((2, len(here)), np.nan)
        gates = self._kind[here] == _GATE
        if gates.any():
            waiting = self._values(sight, here[gates], GATE, "queue_trucks")
            vehicles[gates] = lorries[gates] = np.maximum(waiting, 0)
        loops = ~gates
        if loops.any():
            vehicles[loops], lorries[loops] = self._on_road(here[loops], sight)
        return vehicles, lorries

    def _on_road(self, loops: Index, sight: Sight) -> tuple[Float64, Float64]:
        names = ("speed_kmh", "flow_veh_h", "occupancy_pct", "hgv_share")
        speed, flow, covered, heavy = (self._values(sight, loops, TRAFFIC, name) for name in names)
        # What stands says nothing of its lorries: it is those that came.
        unknown = np.isnan(heavy) & ~(np.isnan(flow) & np.isnan(covered))
        if unknown.any():
            heavy[unknown] = sight.means(loops[unknown], self._columns[TRAFFIC].index("hgv_share"), 60)
        long_m = CAR_M + (LORRY_M - CAR_M) * np.nan_to_num(heavy) + DETECTOR_M
        with np.errstate(divide="ignore", invalid="ignore"):
            moving = np.where((speed > 0) & (flow > 0), flow / speed, np.nan)
        density = np.where(np.isnan(moving), covered * 10 / long_m, moving)
        slower = 1 - np.where(np.isnan(speed), 0.0, speed) / self._free_kmh[loops]
        lost = density * self._lane_km[loops] * np.clip(slower, 0, 1)
        return lost, lost * heavy

    def _values(self, sight: Sight, here: Index, kind: str, name: str) -> Float64:
        values: Float64 = sight.settled.values[here, self._columns[kind].index(name)].astype(np.float64)
        return values


def _add(records: Sequence[Record], name: str, owner: Index, lost: Float64) -> None:
    """Add to a number of each record what is known; none where nothing is."""
    known = np.isfinite(lost)
    total = np.bincount(owner[known], lost[known], len(records)).tolist()
    for place in np.unique(owner[known]).tolist():
        setattr(records[place], name, (getattr(records[place], name) or 0.0) + total[place])


def _number(kind: Kind) -> int:
    return {TRAFFIC: _LOOP, GATE: _GATE}.get(kind.name, 0)
