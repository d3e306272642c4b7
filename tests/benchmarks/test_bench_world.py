"""The promise about the simulated world: 90,000 sensors at one reading a minute, in real time on one core."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import msgspec

from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec
from simulators.demand import END, Demand, shipped_demand
from simulators.profile import PORT_TIME
from simulators.world import STEP_S, World

PORTS = 1000
MINUTES = 3
SETTLED_S = 1200
KINDS = load_kinds()
START = datetime(2026, 3, 3, 7, 30, tzinfo=PORT_TIME).timestamp()


def many_ports(ports: int) -> tuple[Catalogue, Demand]:
    """The shipped port so many times, each with its own names; sensors report once a minute."""
    catalogue, demand = shipped_catalogue(), shipped_demand()
    parts = [_renamed(catalogue, demand, f"P{number}") for number in range(ports)]
    catalogues, demands = [part[0] for part in parts], [part[1] for part in parts]
    joined = {
        name: tuple(thing for one in catalogues for thing in getattr(one, name))
        for name in ("sites", "sensors", "corridors", "sections", "ways")
    }
    told = {
        name: tuple(thing for one in demands for thing in getattr(one, name))
        for name in ("roads", "origins", "turns", "bans", "bottlenecks", "gates")
    }
    return Catalogue(**joined), Demand(**told)


def _renamed(catalogue: Catalogue, demand: Demand, port: str) -> tuple[Catalogue, Demand]:
    def site(name: str) -> str:
        return f"{port}{name}"

    def section(name: str) -> str:
        return "-".join(site(part) for part in name.split("-")) if name != END else END

    def shares(told: dict[str, float]) -> dict[str, float]:
        return {section(name): part for name, part in told.items()}

    change = msgspec.structs.replace
    copied = Catalogue(
        sites=tuple(change(s, id=site(s.id), terminal=s.terminal and site(s.terminal)) for s in catalogue.sites),
        sensors=tuple(
            change(s, id=site(s.id), site=site(s.site), road=s.road and site(s.road), period_s=60)
            for s in catalogue.sensors
        ),
        corridors=tuple(
            change(c, id=section(c.id), from_site=site(c.from_site), to_site=site(c.to_site), reader=site(c.reader))
            for c in catalogue.corridors
        ),
        sections=tuple(
            change(s, id=section(s.id), from_site=site(s.from_site), to_site=site(s.to_site), road=site(s.road))
            for s in catalogue.sections
        ),
        ways=tuple(
            change(w, id=section(w.id), road=site(w.road), sites=tuple(map(site, w.sites))) for w in catalogue.ways
        ),
    )
    roads = tuple(change(r, road=site(r.road)) for r in demand.roads)
    turns = tuple(
        change(turn, section=section(turn.section), cars=shares(turn.cars), lorries=shares(turn.lorries))
        for turn in demand.turns
    )
    return copied, Demand(
        roads=roads,
        origins=tuple(change(o, site=site(o.site)) for o in demand.origins),
        turns=turns,
        bans=tuple(change(b, section=section(b.section), detour=section(b.detour)) for b in demand.bans),
        bottlenecks=tuple(change(b, section=section(b.section)) for b in demand.bottlenecks),
        gates=tuple(
            change(g, site=site(g.site), origins={site(o): part for o, part in g.origins.items()}) for g in demand.gates
        ),
    )


def minute_of(world: World, codecs: dict[str, PayloadCodec], at_s: float) -> int:
    """One minute of the port: two steps, every sensor read and its reading encoded; gives the number of messages."""
    world.advance(at_s)
    at, boot = datetime.fromtimestamp(at_s, UTC), int(START)
    readings = [(thing.kind, world.measure(place)) for place, thing in enumerate(world.things)]
    readings += [(event.thing.kind, event.values) for event in world.take_events()]
    for seq, (kind, values) in enumerate(readings):
        codecs[kind].encode(at, values, boot=boot, seq=seq)
    return len(readings)


def test_ninety_thousand_sensors_stay_in_real_time_on_one_core() -> None:
    catalogue, demand = many_ports(PORTS)
    assert len(catalogue.sensors) == 90 * PORTS
    world = World(catalogue, KINDS, 1, demand)
    world._step = int((START - SETTLED_S) / STEP_S)  # a day of the past would take longer than what is measured
    world.advance(START)
    codecs, spent = {name: PayloadCodec(kind) for name, kind in KINDS.items()}, []
    for minute in range(1, MINUTES + 1):
        before = time.process_time()
        messages = minute_of(world, codecs, START + 60 * minute)
        spent.append(time.process_time() - before)
    print(f"90,000 sensors: {max(spent):.1f} s of CPU a minute, {messages} messages")  # noqa: T201
    assert messages > 85_000
    assert max(spent) < 60
