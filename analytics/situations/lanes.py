"""Lanes that nobody drives while the lane beside has everybody: closed, whether or not a queue has grown yet.

A loop that counts nobody may be broken; a lane is only taken for closed when its neighbour has clearly more than usual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics.situations.graph import Graph
from analytics.situations.habits import Habits
from analytics.situations.sight import Sight
from analytics.table import Index, Mask

EMPTY_SHARE = 0.1
"""Flow of a closed lane over that of the open one. Higher: a lane that is only little used is closed."""

BUSY_VEH_H = 500.0
"""Flow of the open lane from which an empty one beside it is odd. Lower: at night every lane is empty at times."""

CROWDED = 1.35
"""Flow of the open lane over its usual one: it has the vehicles of both. Lower: a broken loop closes a lane."""

OVER_MIN = 5.0
"""Minutes over which flows are compared. Shorter: a pause in the traffic closes a lane; longer: it is told late."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Loops that stand side by side. loops: (m,) things, station by station. station: (m,) ascending from 0.

    single: loops that stand alone on a road of several lanes.
    """

    loops: Index
    station: Index
    single: tuple[int, ...]

    def closed(self, sight: Sight) -> Mask:
        """Tell which loops (m,) stand in a closed lane; none of a flow that too few readings tell of."""
        if not len(self.loops):
            return np.zeros(0, np.bool_)
        column = sight.things[int(self.loops[0])].kind.field_names.index("flow_veh_h")
        flow = sight.covered(self.loops, column, OVER_MIN)
        first = np.flatnonzero(np.diff(self.station, prepend=-1))
        busiest = np.fmax.reduceat(flow, first)[self.station]
        empty = flow <= EMPTY_SHARE * busiest
        if not (empty & (busiest >= BUSY_VEH_H)).any():
            return np.zeros(len(self.loops), np.bool_)
        usual = np.array([self._usual(loop, sight.habits, sight) for loop in self.loops.tolist()], np.float32)
        before = sight.covered(self.loops, column, 30, before=25)
        normal = np.where(np.isnan(usual), before, usual)
        crowded = (flow == busiest) & (flow >= np.maximum(BUSY_VEH_H, CROWDED * normal))
        beside = np.maximum.reduceat(crowded, first)[self.station]
        closed: Mask = empty & beside
        return closed

    @staticmethod
    def _usual(loop: int, habits: Habits, sight: Sight) -> float:
        return habits.at(sight.things[loop].id, "flow_veh_h", sight.at_us)


def lanes_of(graph: Graph, lane: Mapping[int, int | None], lanes: Mapping[str, int]) -> Lanes:
    """Find the stations; `lane` by thing says in which lane each loop stands, `lanes` how many each section has."""
    stations: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for thing, number in lane.items():
        if number is not None and graph.place[thing] >= 0:
            stations[int(graph.place[thing]), bool(graph.begins[thing])].append(thing)
    several = [sorted(loops) for _, loops in sorted(stations.items()) if len(loops) > 1]
    loops = np.array([loop for station in several for loop in station], np.intp)
    alone = [station[0] for (place, _), station in sorted(stations.items()) if _single(graph, place, station, lanes)]
    return Lanes(loops, np.repeat(np.arange(len(several)), list(map(len, several))).astype(np.intp), tuple(alone))


def _single(graph: Graph, place: int, station: list[int], lanes: Mapping[str, int]) -> bool:
    return len(station) == 1 and lanes.get(graph.places[place].id, 1) > 1
