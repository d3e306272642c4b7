"""What must hold for any readings: batches, order within the window, restarts and rubbish make no difference."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.changes import Change, What
from analytics.engine import Engine
from analytics.readings import Readings
from analytics.usual import Profile
from analytics.week import SLOTS
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds

KINDS = load_kinds()
START = 1_700_000_000_000_000
WINDOW_US = 60_000_000
SENSORS = ("A", "B", "C", "P")
USUAL = {
    name: Profile(
        (60 + 20 * np.cos(np.arange(SLOTS) / phase)).astype(np.float32), np.full(SLOTS, 5 * phase - 5, np.float32)
    )
    for phase, name in enumerate(("A", "B"), start=1)
}
Row = tuple[str, int, tuple[float, ...], int]


def port(sensors: Iterable[str] = SENSORS) -> Catalogue:
    """Roads A and B at 30 s, B learning its free speed within the run, C at 1 s; a car park P."""
    periods, free = {"A": 30.0, "B": 3600.0, "C": 1.0, "P": 60.0}, {"A": 100.0, "C": 50.0}
    return Catalogue(
        sites=(Site(id="S", name="S", basin="S", clock="recording"),),
        sensors=tuple(
            Sensor(
                id=name,
                site="S",
                kind="parking" if name == "P" else "traffic",
                period_s=periods[name],
                free_speed_kmh=free.get(name),
                capacity=50 if name == "P" else None,
            )
            for name in sensors
        ),
    )


def scenario(seed: int, count: int = 80) -> list[Row]:
    """Readings in order of time: jams, missing values, quality bits, and gaps long enough for silence and loss."""
    generator = np.random.default_rng(seed)
    rows: list[Row] = []
    for name in SENSORS:
        period_s = {"B": 600}.get(name, 30)
        steps = generator.choice([1, 1, 1, 2, 3, 5, 80], count, p=[0.5, 0.2, 0.1, 0.1, 0.06, 0.03, 0.01])
        times = START + 1_000_000 * period_s * np.cumsum(steps) + generator.integers(0, 5_000_000, count)
        jam = np.cumsum(generator.choice([-1, 0, 1], count)) % 4
        for time_us, state in zip(times.tolist(), jam.tolist(), strict=True):
            speed = generator.choice([95, 65, 45, 10, np.nan], p=np.roll([0.7, 0.1, 0.05, 0.05, 0.1], state))
            values = (30 + 5.0 * state, np.nan) if name == "P" else (np.nan, np.nan, np.nan, float(speed), np.nan)
            rows.append((name, time_us, values, int(generator.random() < 0.05)))
    return sorted(rows, key=lambda row: (row[1], row[0]))


def readings(rows: Sequence[Row]) -> list[Readings]:
    found = []
    for kind, names in (("parking", ("P",)), ("traffic", ("A", "B", "C"))):
        some = [row for row in rows if row[0] in names]
        values = np.full((len(some), len(KINDS[kind].fields)), np.nan, np.float32)
        for at, row in enumerate(some):
            values[at, : len(row[2])] = row[2]
        times, quality = [row[1] for row in some], [row[3] for row in some]
        thing = [row[0] for row in some]
        found.append(Readings(kind, thing, np.array(times, np.int64), np.array(quality, np.int16), values))
    return found


def batches(rows: Sequence[Row], seed: int, mean: int) -> list[Sequence[Row]]:
    generator = np.random.default_rng(seed)
    cuts = np.flatnonzero(generator.random(len(rows)) < 1 / mean)
    edges = [0, *cuts.tolist(), len(rows)]
    return [rows[a:b] for a, b in pairwise(edges)]


def key(change: Change) -> tuple[int, str, int]:
    return change.time_us, change.thing, list(What).index(change.what)


def run(parts: Iterable[Sequence[Row]]) -> tuple[Engine, list[Change]]:
    engine, changes = Engine(KINDS, port()), []
    engine.use(USUAL)
    for part in parts:
        changes += engine.absorb(readings(part))
    return engine, changes


@given(seed=st.integers(0, 2**32), mean=st.sampled_from([1, 3, 20, 100]))
@settings(max_examples=12, deadline=None)
def test_batches_make_no_difference_to_states_and_changes(seed: int, mean: int) -> None:
    rows = scenario(seed)
    whole, whole_changes = run([rows])
    parts, parts_changes = run(batches(rows, seed, mean))
    assert_same(parts, whole)
    assert sorted(parts_changes, key=key) == whole_changes
    assert parts.memory() == whole.memory()


@given(seed=st.integers(0, 2**32), mean=st.sampled_from([1, 5, 50]))
@settings(max_examples=12, deadline=None)
def test_order_within_the_window_makes_no_difference_to_states(seed: int, mean: int) -> None:
    rows, generator = scenario(seed), np.random.default_rng(seed)
    delays = generator.integers(0, WINDOW_US, len(rows))
    mixed = [rows[k] for k in np.argsort([row[1] + delays[k] for k, row in enumerate(rows)], kind="stable")]
    straight, _ = run([rows])
    shuffled, changes = run(batches(mixed, seed, mean))
    assert_same(shuffled, straight)
    assert shuffled.late == 0
    assert_alternating(changes)


def assert_alternating(changes: Sequence[Change]) -> None:
    """No alarm begins twice without an end between, and none ends that did not begin."""
    for name in SENSORS:
        told = [c.what for c in changes if c.thing == name and c.what in (What.BEGAN, What.ENDED, What.LOST)]
        assert all((what is What.BEGAN) == (k % 2 == 0) for k, what in enumerate(told))


@given(seed=st.integers(0, 2**32), share=st.floats(0.05, 0.95), mean=st.sampled_from([1, 10, 50]))
@settings(max_examples=12, deadline=None)
def test_restart_anywhere_makes_no_difference(seed: int, share: float, mean: int) -> None:
    rows = scenario(seed)
    cut = int(share * len(rows))
    steady, _ = run(batches(rows[:cut], seed, mean))
    memories = json.loads(json.dumps(steady.memory(), allow_nan=False))
    restarted = Engine(KINDS, port())
    restarted.use(USUAL)
    restarted.restore(memories, readings(rows[: cut + 10]))

    assert_same(restarted, steady)
    for part in batches(rows[cut:], seed, mean):
        assert restarted.absorb(readings(part)) == steady.absorb(readings(part))
    assert_same(restarted, steady)
    assert restarted.memory() == steady.memory()


def assert_same(one: Engine, other: Engine) -> None:
    """The same states, unworded ones and forecasts included."""
    assert one.states() == other.states()
    for some, others in zip(one.judged(SENSORS).columns(), other.judged(SENSORS).columns(), strict=True):
        np.testing.assert_array_equal(some, others)
    for some, others in zip(one.forecast(SENSORS), other.forecast(SENSORS), strict=True):
        np.testing.assert_array_equal(some, others)


RUBBISH = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e-45, 3e38, -3e38, 50.0, 100.0, 65535.0])


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([*SENSORS, "nobody"]),
            st.one_of(st.integers(START, START + 10**9), st.integers(0, 2**53)),
            st.tuples(RUBBISH, RUBBISH, RUBBISH, RUBBISH, RUBBISH),
            st.sampled_from([0, 0, 0, 1]),
        ),
        max_size=40,
    ),
    names=st.sampled_from([SENSORS, ("A",), ()]),
    now_us=st.integers(0, 2**53),
)
@settings(max_examples=60, deadline=None)
def test_rubbish_raises_nothing_and_warns_of_nothing(rows: list[Row], names: tuple[str, ...], now_us: int) -> None:
    engine = Engine(KINDS, port(names))
    engine.use(USUAL)
    rows = [(name, time_us, values[:2] if name == "P" else values, quality) for name, time_us, values, quality in rows]
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        for part in batches(rows, 1, 5):
            engine.absorb(readings(part))
            engine.advance(now_us)
        states = engine.states()
        engine.forecast(names)
        json.dumps(engine.memory(), allow_nan=False)
    assert {state.thing for state in states} == set(names)


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_unknown_rather_than_free(missing: float) -> None:
    rows: list[Row] = [("A", START + k * 30_000_000, (np.nan, np.nan, np.nan, missing, np.nan), 0) for k in range(9)]
    engine, changes = run([rows])
    (state,) = engine.states(["A"])
    assert state.level is not None
    assert state.level.label == "unknown"
    assert changes == []
