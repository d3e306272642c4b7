"""A port in which jams go round: in each basin one site at a time stands for three minutes, all others flow.

It is no port as there is one, which has some dozens of situations a day. It is made to complete a thousand conditions
within minutes, each at a place and an instant that are known, through everything that ships.
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
TURN_STEPS: Final = 8
"""Steps from one site of a basin to the next."""
_STRIDE: Final = 7
"""Places between one site and the next: neighbours by number stand half an hour apart, so that their jams stay two."""
_TURNS: Final = 19
"""Turns until a site stands again, 76 minutes: what stands again within 40 is the same situation."""
_JAMMED_KINDS: Final = frozenset({"traffic", "gate", "yard"})

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


@dataclass(frozen=True, slots=True)
class _Source:
    topic: str
    site: str
    zone: str
    codec: PayloadCodec
    values: Callable[[bool, Random], Values]


class Jams:
    """What all sensors of a catalogue say at each step."""

    def __init__(self, catalogue: Catalogue, kinds: Kinds, seed: int) -> None:
        self._rng = Random(seed)  # noqa: S311  noise of readings
        self._turns = _turns(catalogue)
        self._zones: dict[str, list[_Source]] = {}
        for source in _sources(catalogue, kinds):
            self._zones.setdefault(source.zone, []).append(source)

    def step(self, number: int, at: datetime) -> Step:
        """What is said at one step; in which order is the seed's choice."""
        turn, within = divmod(number, TURN_STEPS)
        standing = {sites[turn % _TURNS] for sites in self._turns} if within < JAM_STEPS else set()
        found = Step([], [], [])
        for sources in self._zones.values():
            ahead = int(AHEAD_SHARE * len(sources))
            for place, source in enumerate(self._rng.sample(sources, len(sources))):
                values = source.values(source.site in standing, self._rng)
                reading = Reading(source.topic, source.codec.encode(at, values, seq=number, boot=1))
                (found.ahead if place < ahead else found.completing if place == ahead else found.rest).append(reading)
        return found


def _turns(catalogue: Catalogue) -> list[list[str | None]]:
    """For each basin the site that stands in each turn; None where none does."""
    found = []
    for basin in sorted({site.basin for site in catalogue.sites}):
        here = {site.id for site in catalogue.sites if site.basin == basin}
        able = sorted({sensor.site for sensor in catalogue.sensors if sensor.kind in _JAMMED_KINDS} & here)[:_TURNS]
        places: Sequence[str | None] = [*able, *[None] * (_TURNS - len(able))]
        found.append([places[turn * _STRIDE % _TURNS] for turn in range(_TURNS)])
    return found


def _sources(catalogue: Catalogue, kinds: Kinds) -> Iterator[_Source]:
    zones = {site.id: site.basin for site in catalogue.sites}

    def source(site: str, thing: str, kind: str, values: Callable[[bool, Random], Values]) -> _Source:
        return _Source(reading_topic(site, thing, kind), site, zones[site], PayloadCodec(kinds[kind]), values)

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
    def values(_jammed: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        moves = rng.uniform(26, 30)
        return {"moves_h": round(moves, 1), "cycle_s": round(3600 / moves), "idle_share": 0.1, "state": "working"}

    return values


def _reefer(_sensor: Sensor) -> Callable[[bool, Random], Values]:
    def values(_jammed: bool, rng: Random) -> Values:  # noqa: FBT001  as above
        cold = {
            "setpoint_c": -20.0,
            "supply_c": round(rng.gauss(-20, 0.2), 1),
            "return_c": round(rng.gauss(-19, 0.2), 1),
        }
        return {**cold, "ambient_c": 15.0, "plugs_used": 100, "plugs_failed": 0}

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
