"""The port as one world that all its sensors measure: it advances in steps, the same for the same seed and instant.

The world is built an hour before the port's last midnight, when gates are closed and empty, and stepped to the present:
that takes up to two seconds and gives every queue, yard and road the state it has at this time of day. `view()` is the
truth before any sensor, `balance()` who came, is there and left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from simulators.demand import Demand, shipped_demand
from simulators.family import Family, Meter
from simulators.family import Values as Values  # noqa: PLC0414  who takes readings knows the world only
from simulators.gates import Gates
from simulators.interventions import Intervention, Interventions
from simulators.loops import Loops
from simulators.parking import Parking
from simulators.profile import last_midnight, moment
from simulators.quay import Cranes, Reefers, Wind
from simulators.roads import Roads
from simulators.trips import Trips
from simulators.view import Balance, Terminals, View, balance, view
from simulators.yards import Yards

STEP_S: Final = 30.0
"""The world's step: the shortest period of its sensors."""

_BEFORE_MIDNIGHT_S: Final = 3600.0
"""Longer than any period: the first readings of a day need their past too."""

_SEEN_BEFORE_S: Final = 5400.0
"""From here on a start also drives trips and counts vehicles, which need no longer past."""

_OF_THE_ROAD: Final = ("traffic", "travel_time")

_LONGEST_GAP_S: Final = 86_400.0


class Thing(NamedTuple):
    """Something that publishes readings of one kind, every `period_s`."""

    site: str
    id: str
    kind: str
    period_s: float


class Event(NamedTuple):
    """A reading without a period: a lorry passed a gate."""

    thing: Thing
    at_s: float
    values: Values


class World:
    """All things of a catalogue that the shipped families know; things of other kinds are left to their owners.

    Raises `InterventionError` for an intervention at a place that the catalogue does not have.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        kinds: Kinds,
        seed: int,
        demand: Demand | None = None,
        interventions: Sequence[Intervention] = (),
    ) -> None:
        self.catalogue = catalogue
        self._kinds, self._seed = kinds, seed
        self._demand = demand or shipped_demand()
        self._interventions = Interventions(interventions)
        self._step = 0
        self._build()
        for one in interventions:
            one.check(catalogue)

    def ordinary(self) -> World:
        """The same world without what happens to it, not started; how busy its days are is no happening."""
        kept = [one for one in self._interventions.all if one.what == "demand"]
        return World(self.catalogue, self._kinds, self._seed, self._demand, kept)

    def _build(self) -> None:
        catalogue, seed, interventions = self.catalogue, self._seed, self._interventions
        self._roads = Roads(catalogue, self._demand, seed, interventions)
        wind = Wind(catalogue, seed, interventions)
        cranes = Cranes(catalogue, wind, seed)
        self._yards = Yards(catalogue, cranes, seed, interventions)
        self._gates = Gates(catalogue, self._roads, self._yards, seed, interventions)
        self._loops = Loops(catalogue, self._roads, seed)
        parking, reefers = Parking(catalogue, seed), Reefers(catalogue, seed, interventions)
        self._terminals = Terminals(self._gates, self._yards, parking, cranes, reefers)
        # In the order in which they are stepped: yards and gates need the cranes. Those of the road come last, because
        # they are left out while the world warms up: the chances of all others stay the same.
        self.families: dict[str, Family] = {
            "gate": self._gates,
            "parking": parking,
            "wind": wind,
            "crane": cranes,
            "yard": self._yards,
            "reefer": reefers,
            "traffic": self._loops,
            "travel_time": Trips(catalogue, self._roads),
        }
        things = {kind: self._of_kind(kind) for kind in self.families}
        self.meters = {kind: Meter(family, len(things[kind])) for kind, family in self.families.items() if things[kind]}
        self._members = [(self.meters[kind], index) for kind in self.meters for index in range(len(things[kind]))]
        self.things = tuple(thing for found in things.values() for thing in found)
        self._gate_things = [thing for thing in self.things if thing.kind == "gate"]

    def _of_kind(self, kind: str) -> list[Thing]:
        if kind not in self._kinds:
            return []
        period_s = self._kinds[kind].period_s
        if self._kinds[kind].subject == "corridor":
            reader_site = {sensor.id: sensor.site for sensor in self.catalogue.sensors}
            corridors = self.catalogue.corridors
            return [Thing(reader_site.get(c.reader, c.to_site), c.id, kind, period_s) for c in corridors]
        sensors = (sensor for sensor in self.catalogue.sensors if sensor.kind == kind)
        return [Thing(sensor.site, sensor.id, kind, sensor.period_s or period_s) for sensor in sensors]

    def start(self, at_s: float) -> None:
        """Build the world anew as it is at `at_s`; the first reading of a thing covers its last period."""
        self._build()
        self._step = math.floor((last_midnight(at_s) - _BEFORE_MIDNIGHT_S) / STEP_S)
        unseen = tuple(family for kind, family in self.families.items() if kind not in _OF_THE_ROAD)
        self._run(math.floor((at_s - _SEEN_BEFORE_S) / STEP_S), unseen)
        for period_s in sorted({thing.period_s for thing in self.things}, reverse=True):
            self.advance(at_s - period_s)
            self._mark(period_s)
        self.advance(at_s)
        self._gates.take_passages()

    def advance(self, to_s: float) -> None:
        """Step until `to_s`; after a gap of a day or more (a machine that slept) the world starts anew."""
        last = math.floor(to_s / STEP_S)
        if (last - self._step) * STEP_S > _LONGEST_GAP_S + 2 * 3600:
            self.start(to_s)
            return
        self._run(last, tuple(self.families.values()))

    def _run(self, last: int, families: tuple[Family, ...]) -> None:
        if last <= self._step:
            return
        for step in range(self._step + 1, last + 1):
            now, rng = moment(step * STEP_S), np.random.default_rng((self._seed, step))
            self._gates.receive(self._roads.step(now, STEP_S, rng, self._gates.room()))
            for family in families:
                family.step(now, STEP_S, rng)
        self._step = last
        for meter in self.meters.values():
            meter.stepped()

    def measure(self, index: int) -> Values:
        """The reading of `things[index]` over the time since its last one."""
        meter, member = self._members[index]
        return meter.measure(member)

    def take_events(self) -> list[Event]:
        """What passed the gates since the last call, in order of time."""
        return [
            Event(self._gate_things[passage.gate]._replace(kind="passage"), passage.at_s, passage.values)
            for passage in self._gates.take_passages()
        ]

    @property
    def now_s(self) -> float:
        """The end of the last step, Unix seconds."""
        return self._step * STEP_S

    def view(self) -> View:
        """The true state at the last step, before any sensor."""
        return view(self.now_s, self._roads, self._loops, self._terminals)

    def balance(self) -> Balance:
        """What came, is there and left since the world was built."""
        return balance(self._roads, self._gates, self._yards)

    def _mark(self, period_s: float) -> None:
        """The next readings of the things of this period start now."""
        for kind, meter in self.meters.items():
            of_kind = (thing for thing in self.things if thing.kind == kind)
            meter.mark(np.flatnonzero([thing.period_s == period_s for thing in of_kind]))
