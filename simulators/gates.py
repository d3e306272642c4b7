"""Terminal gates: lorries come off the road, wait for a lane, go in, stay for their turn and leave by an exit.

Before the lanes there is room for a few; whoever finds none stays on the road, so a queue grows back along the section
before the gate and stops it. A gate sensor sees both parts: its queue is arrivals minus departures, to the lorry.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue
from simulators.cells import UNIT
from simulators.family import Output, Values
from simulators.interventions import Interventions
from simulators.network import Floats, Ints
from simulators.noise import smooth_noise
from simulators.profile import OPENS_H, Moment
from simulators.roads import Roads
from simulators.visits import Inside, Visit
from simulators.yards import Yards

LORRY_M: Final = 18.5
"""Road that one waiting lorry takes, 18 to 20 m."""

_SERVICE_S: Final = 88.0
"""A lorry at a lane: 60 to 120 s are normal."""

_ROOM_PER_LANE: Final = 3
"""Lorries that wait off the road."""

_RATE_S: Final = 900.0
"""The served rate is that of the last 15 min."""

_ABLE: Final = 0.7
"""Of what its lanes could serve, a gate is expected to do at least this."""

_LONGEST_S: Final = 43_200.0
"""Nobody waits longer than half a day."""

_LANES: Final = 2
_STREAM: Final = 2


class Passage(NamedTuple):
    """One lorry through one lane; `gate` is the index of the gate."""

    gate: int
    at_s: float
    values: Values


class Gates:
    """All gates of a catalogue and the lorries inside their terminals. Arrays are G, one entry a gate."""

    outputs = (
        Output("queue_trucks", whole=True),
        Output("queue_m"),
        Output("wait_s"),
        Output("lanes_open", whole=True),
        Output("service_s"),
        Output("arrivals", whole=True),
        Output("departures", whole=True),
    )

    def __init__(
        self, catalogue: Catalogue, roads: Roads, yards: Yards, seed: int, interventions: Interventions
    ) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "gate")
        self.names = tuple(sensor.id for sensor in self.sensors)
        self._roads, self._yards, self._seed, self._interventions = roads, yards, seed, interventions
        n = len(self.sensors)
        self.lanes = np.array([sensor.lanes or _LANES for sensor in self.sensors], np.int64)
        self.sites = roads.network.gates
        place = {site: index for index, site in enumerate(self.sites)}
        self._site = np.array([place.get(sensor.site, 0) for sensor in self.sensors], np.intp)
        self._lets_in = np.array([sensor.direction != "out" for sensor in self.sensors], bool)
        self._both = np.array([sensor.direction is None for sensor in self.sensors], bool)
        self._at: dict[str, list[int]] = defaultdict(list)
        for index, sensor in enumerate(self.sensors):
            self._at[sensor.site].append(index)
        self._entries = [[g for g in self._at[site] if self._lets_in[g]] for site in self.sites]
        self._exits = [[g for g in self._at[site] if self.sensors[g].direction != "in"] for site in self.sites]
        self._hourly = self._planned()
        self._storage_m = np.array([sensor.storage_m or np.inf for sensor in self.sensors])
        self._lanes_in = np.bincount(self._site[self._lets_in], self.lanes[self._lets_in], len(self.sites))
        self._porch = np.zeros(len(self.sites))
        self._room = self.lanes * _ROOM_PER_LANE
        self.inside = Inside()
        self.coming = np.zeros(n, np.int64)
        self.leaving: list[deque[Visit]] = [deque() for _ in self.sensors]
        self.out = np.zeros(n, np.int64)
        self.queue = np.zeros(n, np.int64)
        self.lanes_open = np.zeros(n, np.int64)
        self.service_s = np.full(n, _SERVICE_S)
        self._served_h, self._credit = np.zeros(n), np.zeros(n)
        self._sums = np.zeros((n, 2), np.int64)
        self._passages: list[Passage] = []

    def room(self) -> Floats:
        """Per site of gates: lorries that can come off the road."""
        taken = np.bincount(self._site[self._lets_in], self.coming[self._lets_in], len(self.sites))
        there = np.bincount(self._site[self._lets_in], self._room[self._lets_in], len(self.sites))
        room: Floats = np.maximum(there - taken - self._porch / UNIT, 0.0)
        return room

    @property
    def porch(self) -> Floats:
        """Per site: millionths of the lorry that is just arriving."""
        return self._porch

    def receive(self, came: Floats) -> None:
        """Let lorries off the road to the lanes where fewest wait; `came` is G sites, millionths of lorries."""
        self._porch += came
        whole = self._porch // UNIT
        self._porch -= whole * UNIT
        for site in np.flatnonzero(whole):
            for _ in range(int(whole[site])):
                entry = min(self._entries[site], key=lambda g: (self.coming[g] + 1) / self.lanes[g])
                self.coming[entry] += 1

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        """Serve the lanes and send home who is done."""
        n = len(self.sensors)
        pace = 1 + 0.12 * smooth_noise(self._seed, _STREAM, now.at_s, 3600, n)
        hampered = np.array([self._yards.hampered(sensor.site) for sensor in self.sensors])
        self.service_s = np.clip(_SERVICE_S * pace, 60.0, 120.0) * hampered
        self._send_home(now)
        self.lanes_open = self._open(now)
        served = self._serve(now, step_s, rng)
        self._count(served)
        self._served_h += (served * 3600 / step_s - self._served_h) * step_s / _RATE_S

    def wait_s(self) -> Floats:
        """Per gate: the queue over the served rate; when few were served lately, over what the lanes can do."""
        return _wait_s(self.queue, self.lanes_open, self.service_s, self._served_h)

    def state(self) -> Floats:
        """Arrivals and departures since the start; queue, lanes open, service time and served rate of now."""
        return np.column_stack((self._sums, self.queue, self.lanes_open, self.service_s, self._served_h))

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        arrivals, departures = (after[:, :2] - before[:, :2]).T
        queue, lanes, service_s, served_h = after[:, 2:].T
        return np.column_stack(
            (
                queue,
                np.round(np.minimum(queue * LORRY_M, self._storage_m[member]), 1),
                np.round(_wait_s(queue, lanes, service_s, served_h), 1),
                lanes,
                np.where(lanes > 0, np.round(service_s, 1), np.nan),
                arrivals,
                departures,
            )
        )

    def take_passages(self) -> list[Passage]:
        """The passages since the last call, in order of time."""
        passages, self._passages = sorted(self._passages, key=lambda passage: passage.at_s), []
        return passages

    def _planned(self) -> Floats:
        """Lorries a day that a gate serves: its part of its site's, by its part of the lanes in its direction."""
        day = {gate.site: gate.lorries_day for gate in self._roads.demand.gates}
        lanes: dict[tuple[str, bool], int] = defaultdict(int)
        for sensor, count in zip(self.sensors, self.lanes.tolist(), strict=True):
            lanes[sensor.site, sensor.direction == "out"] += count
        found = [
            day.get(s.site, 300.0) * count / lanes[s.site, s.direction == "out"] * (2 if s.direction is None else 1)
            for s, count in zip(self.sensors, self.lanes.tolist(), strict=True)
        ]
        return np.array(found)

    def _send_home(self, now: Moment) -> None:
        """Lorries whose turn is done come to an exit; a terminal without one lets them out unseen."""
        for number, (site, visit) in enumerate(self.inside.done(now.at_s)):
            exits = self._exits[site]
            if exits:
                self.leaving[exits[number % len(exits)]].append(visit)
            else:
                self._let_out(site, visit)
        self.out = np.array([len(visits) for visits in self.leaving], np.int64)

    def _open(self, now: Moment) -> NDArray[np.int64]:
        """Lanes follow the plan of the day and, one more, a queue; after closing time one lane empties the yard."""
        queue = self.coming + self.out
        if now.open:
            planned = np.ceil(self._hourly * now.gates() * self.service_s / 3600).astype(np.int64)
            lanes: NDArray[np.int64] = np.clip(
                planned + (self.queue > self.lanes) + (self.queue > 3 * self.lanes), 1, self.lanes
            )
        else:
            lanes = ((self.out > 0) | ((queue > 0) & (now.hour >= OPENS_H))).astype(np.int64)
        for one in self._interventions.of(now.at_s, "gate_outage"):
            here = np.array([one.where in (s.id, s.site) for s in self.sensors], bool)
            working = np.floor(self.lanes * (1 - one.size)).astype(np.int64)
            lanes = np.where(here, np.minimum(lanes, working), lanes)
        return lanes

    def _serve(self, now: Moment, step_s: float, rng: np.random.Generator) -> NDArray[np.int64]:
        queue = self.coming + self.out
        self._credit += self.lanes_open * step_s / self.service_s * rng.uniform(0.7, 1.3, len(queue))
        served: NDArray[np.int64] = np.minimum(self._credit.astype(np.int64), queue)
        rest = self._credit - served
        self._credit = np.where(queue > served, rest, np.minimum(rest, 1.0))
        for gate in np.flatnonzero(served):
            for place in range(int(served[gate])):
                at_s = now.at_s - step_s + (place + rng.uniform(0.05, 0.95)) * step_s / int(served[gate])
                self._pass(int(gate), round(at_s, 3), place, rng)
        self.out = np.array([len(visits) for visits in self.leaving], np.int64)
        return served

    def _pass(self, gate: int, at_s: float, place: int, rng: np.random.Generator) -> None:
        site = int(self._site[gate])
        out = bool(self.leaving[gate]) and (not self.coming[gate] or place % 2 == 1)
        if out:
            visit = self.leaving[gate].popleft()
            self._let_out(site, visit)
        else:
            self.coming[gate] -= 1
            name = self.sites[site]
            slower, brings = self._yards.slower(name), self._yards.brings(name)
            visit = self.inside.admit(site, name, at_s, rng, slower=slower, brings=brings)
            self._yards.bring(name, visit.brings)
        values: Values = {
            "lane": (self.inside.admitted + place) % max(int(self.lanes_open[gate]), 1) + 1,
            "duration_s": round(float(self.service_s[gate]) * rng.uniform(0.7, 1.4), 1),
            "direction": "out" if out else "in",
            "container": visit.container,
            "visit": visit.id,
        }
        self._passages.append(Passage(gate, at_s, values))

    def _let_out(self, site: int, visit: Visit) -> None:
        self._yards.fetch(self.sites[site], visit.fetches)
        self._roads.leave_gate(self.sites[site], 1)

    def _count(self, served: NDArray[np.int64]) -> None:
        """Arrivals and departures such that the queue, with its part on the road, is their difference.

        Whoever stands before lanes that have less room than they serve at a time stands there for them.
        """
        queue = self.coming + self.out
        room = self.room()
        for site in np.flatnonzero(room < self._lanes_in):
            entries = self._entries[site]
            share = self._roads.waiting(int(site)) / max(int(self.lanes[entries].sum()), 1)
            for gate in entries:
                queue[gate] += int(share * self.lanes[gate])
        # Whoever was seen to queue does so until served: a queue that dissolves on the road did not lose anybody.
        queue = np.maximum(queue, self.queue - served)
        self._sums[:, 0] += queue - (self.queue - served)
        self._sums[:, 1] += served
        self.queue = queue


def _wait_s(queue: NDArray[np.generic], lanes: NDArray[np.generic], service_s: Floats, served_h: Floats) -> Floats:
    able_h = np.maximum(lanes, 1) * 3600 / service_s
    wait: Floats = np.minimum(queue / np.maximum(served_h, _ABLE * able_h) * 3600, _LONGEST_S)
    return wait
