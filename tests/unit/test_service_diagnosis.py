"""The same states, whatever batches and (within a minute) whatever order readings come in, and over a restart.

What is judged is health and engine together, as `vigie evaluate` and the service run them: who is found out is not
believed, from the same reading on at any speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np
import pytest
from making import readings_of

from analytics.changes import Change, What
from analytics.company import ARRIVING_US
from analytics.engine import Engine
from analytics.health.judge import FaultChange
from analytics.health.verdicts import SETS
from analytics.health.watch import Health
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from service.diagnosis import LOOKS_BACK, fault_rows, judge, look_at_clock, restore_health

KINDS = load_kinds()
KIND = KINDS["traffic"]
NAMES = [f"F{number}" for number in range(8)]
START_US = 1_772_409_600_000_000
STEP_US = 30_000_000
STEPS = 720
FLOW, OCCUPANCY, SPEED = map(KIND.field_names.index, ("flow_veh_h", "occupancy_pct", "speed_kmh"))
JAMMED, STUCK, LOCKED = slice(200, 420), slice(300, 520), slice(100, 160)
PORT = Catalogue(
    sites=(Site(id="S", name="S", basin="recording", clock="recording"),),
    sensors=tuple(Sensor(id=name, site="S", kind="traffic", free_speed_kmh=90) for name in NAMES),
)


@pytest.fixture(scope="module")
def morning() -> list[Readings]:
    """Six hours at 30 s, one batch a step: two roads stop and go; one of them and a free one stick meanwhile."""
    generator = np.random.default_rng(5)
    speed = generator.normal(85, 6, (STEPS, len(NAMES)))
    speed[JAMMED, :2] = np.clip(generator.normal(22, 14, (220, 2)), 3, 80)
    speed[STUCK, 1:3] = speed[STUCK.start, 1:3]
    flow = np.where(speed < 50, 700.0, 1100.0) + generator.normal(0, 40, speed.shape)
    flow[STUCK, 1:3] = flow[STUCK.start, 1:3]
    occupancy = 100 * flow / np.maximum(speed, 1) * 8 / 1000
    flow[LOCKED, 7], occupancy[LOCKED, 7], speed[LOCKED, 7] = 0, 100, np.nan
    return [_step(step, flow[step], occupancy[step], speed[step]) for step in range(STEPS)]


def _step(step: int, *measured: np.ndarray) -> Readings:
    fields = dict(zip(("flow_veh_h", "occupancy_pct", "speed_kmh"), measured, strict=True))
    return readings_of(KIND, NAMES, [START_US + step * STEP_US] * len(NAMES), **fields)


@dataclass
class Service:
    """Health and engine, and what they told."""

    engine: Engine = field(default_factory=lambda: Engine(KINDS, PORT))
    health: Health = field(default_factory=lambda: Health(KINDS, PORT))
    faults: list[FaultChange] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def take(self, readings: Iterable[Readings]) -> None:
        for some in readings:
            faults, changes = judge(self.health, self.engine, [some], [])
            self.faults += faults
            self.changes += changes

    def restarted(self, recent: Sequence[Readings]) -> Service:
        """What goes on from what is stored: memories, the faults that stand, the readings of the last hours."""
        memories = msgspec.json.decode(msgspec.json.encode(self.engine.memory()))
        begun, over = fault_rows(self.faults)
        stood = [row for row in begun if (row.place, row.fault) not in over]
        new = Service(faults=self.faults, changes=self.changes)
        since_us = min(memory["settled_us"] for memory in memories.values()) - ARRIVING_US
        new.engine.restore(memories, [part for part in recent if part.time_us[0] > since_us])
        from_us = recent[-1].time_us[0] - LOOKS_BACK.total_seconds() * 1e6
        restore_health(new.health, new.engine, stood, [part for part in recent if part.time_us[0] > from_us])
        return new

    @property
    def told(self) -> tuple[list[tuple[str, int, What]], list[tuple[str, str, int, bool]]]:
        turns = {What.BEGAN, What.ENDED, What.LOST}
        changes = sorted((one.thing, one.time_us, one.what) for one in self.changes if one.what in turns)
        return changes, sorted((one.place, one.fault, one.time_us, one.began) for one in self.faults)

    @property
    def levels(self) -> list[tuple[int, int]]:
        states = self.engine.judged(NAMES)
        return list(zip(states.level.tolist(), states.alarm.tolist(), strict=True))


@pytest.fixture(scope="module")
def stepwise(morning: list[Readings]) -> tuple[Service, list[list[tuple[int, int]]]]:
    """As a recording is evaluated, with the levels after every step."""
    service, levels = Service(), []
    for readings in morning:
        service.take([readings])
        levels.append(service.levels)
    return service, levels


def joined(parts: Sequence[Readings]) -> Readings:
    return Readings(
        "traffic",
        [name for part in parts for name in part.thing],
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.quality for part in parts]),
        np.concatenate([part.values for part in parts]),
        received_us=np.concatenate([part.time_us if part.received_us is None else part.received_us for part in parts]),
    )


def shuffled(parts: Sequence[Readings], generator: np.random.Generator) -> Iterator[Readings]:
    """The readings a few at a time, out of order."""
    whole = joined(parts)
    rows = generator.permutation(len(whole.thing))
    for first in range(0, len(rows), 5):
        yield whole.take(rows[first : first + 5])


def test_the_morning_has_jams_and_faults(stepwise: tuple[Service, list[list[tuple[int, int]]]]) -> None:
    changes, faults = stepwise[0].told
    assert {thing for thing, _, what in changes if what is What.BEGAN} >= {"F0", "F1"}
    assert {(place, fault) for place, fault, _, began in faults if began} >= {("F1", "stuck"), ("F2", "stuck")}


@pytest.mark.parametrize("steps", [pytest.param(7, marks=pytest.mark.prove), 97, STEPS])
def test_batches_of_any_size_tell_the_same(
    morning: list[Readings], stepwise: tuple[Service, list[list[tuple[int, int]]]], steps: int
) -> None:
    service = Service()
    service.take(joined(morning[first : first + steps]) for first in range(0, STEPS, steps))
    assert service.told == stepwise[0].told
    assert service.levels == stepwise[1][-1]


def test_what_is_shuffled_within_a_minute_leaves_the_same_states(
    morning: list[Readings], stepwise: tuple[Service, list[list[tuple[int, int]]]]
) -> None:
    service, generator, different = Service(), np.random.default_rng(3), []
    for first in range(0, STEPS, 3):  # the first and the last of three are a minute apart
        service.take(shuffled(morning[first : first + 3], generator))
        if service.levels != stepwise[1][first + 2]:
            different.append(first)
    assert different == []
    assert service.told[1] == stepwise[0].told[1]


@pytest.mark.parametrize(
    "at", [331, 530, *(pytest.param(step, marks=pytest.mark.prove) for step in (130, 250, 405, 519, 525, 540))]
)
def test_a_restart_in_the_middle_changes_nothing(
    morning: list[Readings], stepwise: tuple[Service, list[list[tuple[int, int]]]], at: int
) -> None:
    service = Service()
    service.take(morning[:at])
    service = service.restarted(morning[:at])
    for step in range(at, STEPS):
        service.take([morning[step]])
        assert service.levels == stepwise[1][step], step
    assert service.told == stepwise[0].told


@pytest.fixture(scope="module", params=[pytest.param(-1, id="back"), pytest.param(3, id="ahead")])
def set_wrong(morning: list[Readings], request: pytest.FixtureRequest) -> list[Readings]:
    """A clock is set wrong for an hour and a half; 50 min later its road stands for 25 min."""
    wrong = []
    for step, whole in enumerate(morning[:400]):
        ahead_us = np.where((np.array(NAMES) == "F3") & (100 <= step < 280), request.param * 120 * STEP_US, 0)
        values = whole.values.copy()
        values[3, SPEED] = 10 + step % 7 if 200 <= step < 250 else 80 + step % 7
        values[3, OCCUPANCY] = 0.8 * values[3, FLOW] / values[3, SPEED]
        wrong.append(replace(whole, values=values, time_us=whole.time_us + ahead_us, received_us=whole.time_us))
    return wrong


@pytest.fixture(scope="module")
def set_right(set_wrong: list[Readings]) -> tuple[Service, list[list[tuple[int, int]]]]:
    """Step by step, with the levels after each."""
    service, levels = Service(), []
    for readings in set_wrong:
        service.take([readings])
        levels.append(service.levels)
    return service, levels


def test_what_a_clock_that_is_hours_off_says_is_of_its_true_time(
    set_right: tuple[Service, list[list[tuple[int, int]]]],
) -> None:
    faults = [(one.fault in SETS, one.began) for one in set_right[0].faults if one.place == "F3"]
    assert faults == [(True, True), (True, False)]
    changes = [change for change in set_right[0].changes if change.thing == "F3" and change.what is not What.CHANGED]
    assert [change.what for change in changes] == [What.SILENT, What.RETURNED, What.BEGAN, What.ENDED]
    _, _, began, ended = [(change.time_us - START_US) / STEP_US for change in changes]
    assert 200 < began < 210
    assert 250 < ended < 280


@pytest.mark.parametrize("steps", [pytest.param(97, marks=pytest.mark.prove), 400])
def test_a_clock_that_is_hours_off_is_set_right_in_batches_of_any_size(
    set_wrong: list[Readings], set_right: tuple[Service, list[list[tuple[int, int]]]], steps: int
) -> None:
    service = Service()
    service.take(joined(set_wrong[first : first + steps]) for first in range(0, len(set_wrong), steps))
    assert service.told == set_right[0].told
    assert service.levels == set_right[1][-1]


@pytest.mark.parametrize("at", [*(pytest.param(step, marks=pytest.mark.prove) for step in (190, 290)), 210])
def test_a_clock_that_is_hours_off_is_set_right_after_a_restart(
    set_wrong: list[Readings], set_right: tuple[Service, list[list[tuple[int, int]]]], at: int
) -> None:
    service = Service()
    service.take(set_wrong[:at])
    service = service.restarted(set_wrong[:at])
    for step in range(at, len(set_wrong)):
        service.take([set_wrong[step]])
        assert service.levels == set_right[1][step], step
    assert service.told == set_right[0].told


def test_at_the_walls_time_the_same_is_found(
    morning: list[Readings], stepwise: tuple[Service, list[list[tuple[int, int]]]]
) -> None:
    """Bins close between two readings then, and the engine hears of that, too."""
    wall = replace_sites(PORT, clock="wall")
    service = Service(engine=Engine(KINDS, wall), health=Health(KINDS, wall))
    for readings in morning:
        service.take([readings])
        now_us = int(readings.time_us[0]) + 20_000_000
        service.faults += look_at_clock(service.health, service.engine, now_us)
        service.changes += service.engine.advance(now_us)
    assert service.told[1] == stepwise[0].told[1]
    assert service.levels == stepwise[1][-1]


def replace_sites(catalogue: Catalogue, **changes: str) -> Catalogue:
    sites = tuple(msgspec.structs.replace(site, **changes) for site in catalogue.sites)
    return msgspec.structs.replace(catalogue, sites=sites)
