"""Every fault at every thing where it makes sense, one after the other over one day, beside the same day without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import numpy as np
import pytest

from ingest.quality import ValueChecks
from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault, Scope
from sensors.kind import Kind, load_kinds
from sensors.level import Quality
from sensors.topics import parse_reading_topic
from simulators.faults.injection import Injection
from simulators.faults.profiles import PROFILES
from simulators.faults.sense import objection, other_of
from simulators.message import Message
from simulators.profile import PORT_TIME
from simulators.simulate import messages
from simulators.world import World

KINDS = load_kinds()
CATALOGUE = shipped_catalogue()
START = datetime(2026, 3, 2, 6, 0, tzinfo=PORT_TIME).timestamp()
LASTS_S, EVERY_S = 900, 1200  # 15 min of each fault, and five to come back from it
ONE_BY_ONE = [fault for fault in Fault if fault.scope is Scope.SENSOR]
SIZED = {Fault.DRIFT: 1.0, Fault.CLOCK_DRIFT: 3600.0, Fault.IDENTITY_SWAPPED: 1.0}  # what shows within 15 min
WORLD = World(CATALOGUE, KINDS, 1)
KIND_OF = {thing.id: KINDS[thing.kind] for thing in WORLD.things}

Payload = dict[str, object]


def injections() -> Iterator[Injection]:
    for turn, fault in enumerate(ONE_BY_ONE):
        start_s = START + 600 + EVERY_S * turn
        for thing in KIND_OF:
            if objection(fault, thing, CATALOGUE) is None:
                yield Injection(fault, thing, start_s, start_s + LASTS_S, SIZED.get(fault))


def by_thing(injected: Sequence[Injection]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = defaultdict(list)
    end_s = START + 600 + EVERY_S * len(ONE_BY_ONE)
    for message in messages(WORLD, KINDS, start_s=START, end_s=end_s, seed=1, injections=injected):
        topic = parse_reading_topic(message.topic)
        assert topic is not None
        found[topic.thing].append(message)
    return found


def measured(payload: bytes) -> Payload:
    """A reading without its envelope."""
    reading: Payload = msgspec.json.decode(payload)
    return {name: value for name, value in reading.items() if name not in {"time", "seq", "boot", "health", "sensor"}}


@dataclass(repr=False)
class Case:
    """The messages of one thing while it has a fault, and of the same time without; `others` are all without."""

    injection: Injection
    kind: Kind
    clean: list[Message]
    faulty: list[Message]
    others: Mapping[str, list[Message]]

    def read(self, some: list[Message]) -> list[Payload]:
        return [measured(message.payload) for message in some if message.topic.endswith(f"/{self.kind.name}")]

    @property
    def before(self) -> list[Payload]:
        return self.read(self.clean)

    @property
    def after(self) -> list[Payload]:
        return self.read(self.faulty)

    def marked(self, bit: Quality) -> float:
        """Share of the readings on which ingest remarks this."""
        rows = [[row.get(name, np.nan) for name in self.kind.field_names] for row in self.after]
        quality, _ = ValueChecks(self.kind).check(np.array(rows, np.float32))
        return float(np.mean(quality & bit != 0))

    def series(self, field: str) -> tuple[list[float], list[float]]:
        """A field without and with the fault, where both have it."""
        both = [(a[field], b[field]) for a, b in zip(self.before, self.after, strict=True) if field in a and field in b]
        return [float(str(a)) for a, _ in both], [float(str(b)) for _, b in both]

    def shifts(self) -> list[tuple[float, float]]:
        """When something was measured, after the start, and by how many seconds the told time is off."""
        told = [
            [datetime.fromisoformat(msgspec.json.decode(m.payload)["time"]).timestamp() for m in some]
            for some in (self.clean, self.faulty)
        ]
        return [(a - self.injection.start_s, round(b - a, 3)) for a, b in zip(*told, strict=True)]


@pytest.fixture(scope="module")
def cases() -> dict[Fault, list[Case]]:
    planned = list(injections())
    clean, faulty, found = by_thing([]), by_thing(planned), defaultdict(list)
    for one in planned:
        during = [[m for m in day[one.where] if one.start_s <= m.time_s < one.end_s] for day in (clean, faulty)]
        found[one.what].append(Case(one, KIND_OF[one.where], during[0], during[1], clean))
    return found


def test_every_fault_is_tried_at_every_kind_where_it_makes_sense(cases: dict[Fault, list[Case]]) -> None:
    assert set(cases) == set(ONE_BY_ONE)
    tried = {fault: {case.kind.name for case in some} for fault, some in cases.items()}
    assert tried[Fault.SILENT] == tried[Fault.STUCK] == tried[Fault.IDENTITY_SWAPPED] == set(PROFILES)
    assert tried[Fault.LOCKED_ON] == tried[Fault.LANE_SWAPPED] == {"traffic"}
    assert tried[Fault.CHATTER] == set(PROFILES) - {"reefer", "wind"}
    assert tried[Fault.UNIT_SWAPPED] == set(PROFILES) - {"parking", "yard"}


def test_every_fault_shows_wherever_it_makes_sense(cases: dict[Fault, list[Case]]) -> None:
    hidden = {
        (fault, case.injection.where)
        for fault, some in cases.items()
        for case in some
        if [m.payload for m in case.clean] == [m.payload for m in case.faulty]
    }
    by_chance = {Fault.SPIKE, Fault.INSUFFICIENT, Fault.OUT_OF_ORDER, Fault.FUTURE}  # three readings of a yard
    assert {(fault, where) for fault, where in hidden if fault not in by_chance} == set()
    assert all(KIND_OF[where].period_s >= 300 for _, where in hidden)


def is_stuck(case: Case) -> bool:
    """The same from the first reading on that tells anything; a gate without lorries has nothing to be stuck at."""
    tells = [any(row.get(name) for name in PROFILES[case.kind.name].main) for row in case.after]
    stuck = case.after[tells.index(True) :] if any(tells) else []
    idle = not any(row.get(name) for row in case.before for name in PROFILES[case.kind.name].main)
    return all(row == stuck[0] for row in stuck) and (idle or len(stuck) > 0)


def is_locked_on(case: Case) -> bool:
    return all((row["occupancy_pct"], row["flow_veh_h"], row["count"]) == (100, 0, 0) for row in case.after)


def is_off(case: Case) -> bool:
    passed = sum(float(str(row["count"])) for row in case.before)
    return passed > 0 and all((row["occupancy_pct"], row["count"]) == (0, 0) for row in case.after)


def chatters(case: Case) -> bool:
    return case.marked(Quality.OUT_OF_RANGE) == 1 and any(row != case.after[0] for row in case.after)


def contradicts(case: Case) -> bool:
    """A loop while somebody is on it, a corridor while somebody drives it."""
    able = [row for row in case.after if float(str(row.get("occupancy_pct", row.get("matches", 1)))) > 0]
    return case.marked(Quality.MISMATCH) >= 0.9 * len(able) / len(case.after) > 0


def leaps(case: Case) -> bool:
    fields = [case.kind.field(name) for name in PROFILES[case.kind.name].main]
    moved = [np.abs(np.subtract(*case.series(f.name))) / ((f.high or 0) - (f.low or 0)) for f in fields]
    far = [np.count_nonzero(some) for some in moved]
    return all(np.all((some == 0) | (some > 0.39)) for some in moved) and max(far) <= 0.35 * len(case.after) + 1


def drifts(case: Case) -> bool:
    before, after = (np.array(some) for some in case.series(PROFILES[case.kind.name].main[0]))
    off = after - before
    if case.kind.name not in {"gate", "parking", "reefer"}:  # there a share of the value
        off = np.divide(off, before, out=np.zeros(len(off)), where=before != 0)[before != 0]
    return bool(np.all(np.diff(off) > -0.02)) and bool(np.all(off >= 0))


def sends_sentinels(case: Case) -> bool:
    return case.marked(Quality.SENTINEL) == 1


def speaks_another_unit(case: Case) -> bool:
    factor = {"traffic": 1 / 1.609344, "wind": 3600 / 1852, "reefer": 1.8}.get(case.kind.name, 1 / 60)
    for name in PROFILES[case.kind.name].units:
        before, after = case.series(name)
        assert after == pytest.approx([factor * v + 32 * (factor == 1.8) for v in before], abs=0.006)
    return True


def reads_the_other(case: Case) -> bool:
    other = other_of(case.injection.what, case.injection.where, CATALOGUE)
    known = case.read(case.others[str(other)])
    return all(row in known for row in case.after)


def is_turned(case: Case) -> bool:
    one, two = ("arrivals", "departures") if case.kind.name == "gate" else ("entries", "exits")
    if case.kind.name == "wind":
        return {(b - a) % 360 for a, b in zip(*case.series("direction_deg"), strict=True)} == {180}
    return case.series(one) == case.series(two)[::-1]


def goes_the_other_way(case: Case) -> bool:
    return is_turned(case) if case.kind.name in {"gate", "parking", "wind"} else reads_the_other(case)


def is_two_hours_behind(case: Case) -> bool:
    return {off_s for _, off_s in case.shifts()} == {-7200}


def is_an_hour_ahead(case: Case) -> bool:
    return {off_s for _, off_s in case.shifts()} == {3600}


def gains(case: Case) -> bool:
    """3,600 s a day are one in 24."""
    return all(off_s == pytest.approx(at_s / 24, abs=0.002) for at_s, off_s in case.shifts())


def leaps_ahead(case: Case) -> bool:
    ahead = [off_s for _, off_s in case.shifts() if off_s]
    return all(180 <= off_s <= 1800 for off_s in ahead) and len(set(ahead)) == len(ahead) < len(case.faulty)


SIGNATURES: dict[Fault, Callable[[Case], bool]] = {
    Fault.STUCK: is_stuck,
    Fault.LOCKED_ON: is_locked_on,
    Fault.CARD_OFF: is_off,
    Fault.CHATTER: chatters,
    Fault.MISMATCH: contradicts,
    Fault.SPIKE: leaps,
    Fault.DRIFT: drifts,
    Fault.SENTINEL: sends_sentinels,
    Fault.UNIT_SWAPPED: speaks_another_unit,
    Fault.LANE_SWAPPED: reads_the_other,
    Fault.DIRECTION_SWAPPED: goes_the_other_way,
    Fault.CLOCK_OFFSET: is_two_hours_behind,
    Fault.DAYLIGHT_SAVING: is_an_hour_ahead,
    Fault.CLOCK_DRIFT: gains,
    Fault.FUTURE: leaps_ahead,
}


@pytest.mark.parametrize("fault", SIGNATURES)
def test_a_fault_of_measuring_or_clock_looks_like_itself(cases: dict[Fault, list[Case]], fault: Fault) -> None:
    assert [case.injection.where for case in cases[fault] if not SIGNATURES[fault](case)] == []
