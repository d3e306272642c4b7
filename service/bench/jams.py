"""A port in which something stands all the time: at 21 places, each for three minutes, each at its own time.

It is no port as there is one, which has some dozens of situations a day. It is made to complete a thousand conditions
within minutes, through everything that ships, and each by itself: the places are too far apart to be one situation,
and so staggered that three in four readings that complete a condition complete no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from analytics.remains import CAR_M, DETECTOR_M, LORRY_M
from analytics.situations.zone import AHEAD_SHARE
from sensors.catalogue import Catalogue, Corridor, Sensor
from sensors.kind import Kinds
from sensors.payload import PayloadCodec
from sensors.topics import reading_topic

STEP: Final = timedelta(seconds=30)
JAM_STEPS: Final = 6
SETTLED_STEPS: Final = 4
"""Steps before the first place stands."""
_SOON_STEPS: Final = 36
_LATER_STEPS: Final = 56
"""From one time that a place stands to the next. The detector believes late that it flows, and ten minutes of event
time after that (`analytics.situations.tracker`) the next time is another situation; with fewer it is the same one."""
_SOON_KINDS: Final = ("gate", "reefer", "yard")
_ROADS: Final = ("E05", "E07", "E08", "W14", "W17", "W19")
"""No two of them share a section or a junction; each is jammed both ways, which are two alarms."""

_LORRIES: Final = 0.2

Values = dict[str, float | str | None]


class Reading(NamedTuple):
    """What one sensor publishes at one step."""

    topic: str
    payload: bytes


class Step(NamedTuple):
    """The readings of one step: as many as may run ahead without turning the time, the ones that turn it, the rest."""

    ahead: list[Reading]
    completing: list[Reading]
    rest: list[Reading]


class Standing(NamedTuple):
    """Where something stands again and again: all sensors of a kind at a site."""

    site: str
    kind: str
    first_step: int
    every_steps: int

    def at(self, step: int) -> bool:
        return step >= self.first_step and (step - self.first_step) % self.every_steps < JAM_STEPS


@dataclass(frozen=True, slots=True)
class _Source:
    topic: str
    site: str
    kind: str
    zone: str
    codec: PayloadCodec
    values: Callable[[bool, Random], Values]


class Jams:
    """What all sensors of a catalogue say at each step."""

    def __init__(self, catalogue: Catalogue, kinds: Kinds, seed: int) -> None:
        self._rng = Random(seed)  # noqa: S311  noise of readings
        self._places = places(catalogue)
        self._zones: dict[str, list[_Source]] = {}
        for source in _sources(catalogue, kinds):
            self._zones.setdefault(source.zone, []).append(source)

    def step(self, number: int, at: datetime) -> Step:
        """What is said at one step; in which order is the seed's choice."""
        standing = {(place.site, place.kind) for place in self._places if place.at(number)}
        found = Step([], [], [])
        for sources in self._zones.values():
            ahead = int(AHEAD_SHARE * len(sources))
            for place, source in enumerate(self._rng.sample(sources, len(sources))):
                values = source.values((source.site, source.kind) in standing, self._rng)
                reading = Reading(source.topic, source.codec.encode(at, values, seq=number, boot=1))
                (found.ahead if place < ahead else found.completing if place == ahead else found.rest).append(reading)
        return found


def places(catalogue: Catalogue) -> list[Standing]:
    """Where and when something stands; begun at even distances, so that few begin together."""
    there = {(sensor.site, sensor.kind) for sensor in catalogue.sensors}
    soon = sorted(place for place in there if place[1] in _SOON_KINDS)
    later = sorted(place for place in there if place[1] == "crane" or place in {(road, "traffic") for road in _ROADS})
    return [*_staggered(soon, _SOON_STEPS), *_staggered(later, _LATER_STEPS)]


def _staggered(there: Sequence[tuple[str, str]], every_steps: int) -> Iterator[Standing]:
    for number, (site, kind) in enumerate(there):
        yield Standing(site, kind, SETTLED_STEPS + number * every_steps // len(there), every_steps)


def _sources(catalogue: Catalogue, kinds: Kinds) -> Iterator[_Source]:
    zones = {site.id: site.basin for site in catalogue.sites}

    def source(site: str, thing: str, kind: str, values: Callable[[bool, Random], Values]) -> _Source:
        return _Source(reading_topic(site, thing, kind), site, kind, zones[site], PayloadCodec(kinds[kind]), values)

    for sensor in catalogue.sensors:
        if sensor.kind in _OF_KIND:
            yield source(sensor.site, sensor.id, sensor.kind, _OF_KIND[sensor.kind](sensor))
    for corridor in catalogue.corridors:
        yield source(corridor.to_site, corridor.id, "travel_time", _travel_time(corridor))


def _traffic(sensor: Sensor) -> Callable[[bool, Random], Values]:
    free_kmh = sensor.free_speed_kmh or 90.0

    def values(jammed: bool, rng: Random) -> Values:  # noqa: FBT001  the one thing that differs
        speed, flow = rng.gauss(9 if jammed else free_kmh, 1), rng.gauss(500, 20)
        occupancy = 100 * flow / speed * (CAR_M + _LORRIES * (LORRY_M - CAR_M) + DETECTOR_M) / 1000
        return {
            "count": round(flow / 120),
            "flow_veh_h": round(flow),
            "occupancy_pct": round(occupancy, 1),
            "speed_kmh": round(speed, 1),
            "hgv_share": _LORRIES,
        }

    return values


def _gate(_sensor: Sensor) -> Callable[[bool, Random], Values]:
    def values(jammed: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        queue = 30 if jammed else rng.choice([1, 2])
        wait_s = rng.uniform(4000, 4100) if jammed else rng.uniform(100, 200)
        passed = 0 if jammed else 1
        return {
            "queue_trucks": queue,
            "queue_m": queue * 19,
            "wait_s": round(wait_s),
            "lanes_open": 3,
            "service_s": round(rng.uniform(80, 100)),
            "arrivals": passed,
            "departures": passed,
        }

    return values


def _yard(sensor: Sensor) -> Callable[[bool, Random], Values]:
    capacity = sensor.capacity or 4000.0

    def values(jammed: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        used = capacity * rng.uniform(0.96, 0.97) if jammed else capacity * rng.uniform(0.6, 0.61)
        return {"teu_used": round(used), "teu_capacity": capacity, "moves_in": rng.randint(1, 5), "moves_out": 3}

    return values


def _parking(sensor: Sensor) -> Callable[[bool, Random], Values]:
    capacity = sensor.capacity or 50.0

    def values(_jammed: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        return {"occupied": round(capacity * rng.uniform(0.4, 0.5)), "capacity": capacity, "entries": 1, "exits": 1}

    return values


def _crane(_sensor: Sensor) -> Callable[[bool, Random], Values]:
    def values(stopped: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        if stopped:
            return {"moves_h": 0.0, "cycle_s": None, "idle_share": 1.0, "state": "fault"}
        moves = rng.uniform(26, 30)
        return {"moves_h": round(moves, 1), "cycle_s": round(3600 / moves), "idle_share": 0.1, "state": "working"}

    return values


def _reefer(_sensor: Sensor) -> Callable[[bool, Random], Values]:
    def values(failed: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        cold = {
            "setpoint_c": -20.0,
            "supply_c": round(rng.gauss(-20, 0.2), 1),
            "return_c": round(rng.gauss(-19, 0.2), 1),
        }
        plugs = {"plugs_used": 88, "plugs_failed": 12} if failed else {"plugs_used": 100, "plugs_failed": 0}
        return {**cold, "ambient_c": 15.0, **plugs}

    return values


def _wind(_sensor: Sensor) -> Callable[[bool, Random], Values]:
    def values(_jammed: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        mean = rng.uniform(3, 5)
        return {"mean_ms": round(mean, 1), "gust_ms": round(mean + 2, 1), "direction_deg": round(rng.uniform(300, 340))}

    return values


def _travel_time(corridor: Corridor) -> Callable[[bool, Random], Values]:
    free_s = corridor.length_km / 80 * 3600

    def values(_jammed: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        median = free_s * rng.uniform(1, 1.05)
        return {"median_s": round(median), "p85_s": round(1.2 * median), "matches": rng.randint(8, 12)}

    return values


_OF_KIND: Final[Mapping[str, Callable[[Sensor], Callable[[bool, Random], Values]]]] = {
    "traffic": _traffic,
    "gate": _gate,
    "yard": _yard,
    "parking": _parking,
    "crane": _crane,
    "reefer": _reefer,
    "wind": _wind,
}
