"""Cranes in gusts and lorry parks at their limit: one situation of many stops, each with an end of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain, repeat

import numpy as np
import pytest

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.situations.situation import Notice, Situation, Step
from analytics.situations.situations import Situations
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds

KINDS = load_kinds()
MINUTE = 60_000_000
START = 1_700_000_100_000_000
FREE, FULL = 40, 44
"""Spaces taken of 50, of which 43 are the limit."""

CATALOGUE = Catalogue(
    sites=(Site(id="Q", name="Q", basin="B", clock="recording"), Site(id="E", name="E", basin="E", clock="recording")),
    sensors=(
        Sensor(id="park", site="Q", kind="parking", capacity=50),
        Sensor(id="crane", site="E", kind="crane"),
        Sensor(id="mast", site="E", kind="wind"),
    ),
)


class Port:
    """A lorry park, and a crane beside an anemometer, in zones of their own; one reading of each a minute."""

    def __init__(self) -> None:
        self.engine = Engine(KINDS, CATALOGUE)
        self.situations = Situations(self.engine.roster, CATALOGUE)
        self.engine.attach(self.situations.watch)
        self.notices: list[Notice] = []
        self.minute = 0

    def park(self, *occupied: int) -> Port:
        return self._take([{"occupied": taken, "capacity": 50} for taken in occupied], "park")

    def wind(self, stopped: Sequence[bool], mean_ms: float) -> Port:
        for stands in stopped:
            self._read("mast", {"mean_ms": mean_ms, "gust_ms": 1.4 * mean_ms})
            self._take([{"moves_h": 0.0 if stands else 25.0}], "crane", "wind_stop" if stands else "working")
        return self

    def told(self, step: Step) -> list[Situation]:
        return [notice.situation for notice in self.notices if notice.step is step]

    def left_min(self) -> list[float]:
        """The ends that are expected now, in minutes from the last step."""
        ends = [(one.expected_end, one.at_us) for one in self.situations.situations()]
        return [(end.median_us - at_us) / MINUTE for end, at_us in ends if end is not None]

    def _take(self, rows: Sequence[dict[str, float]], thing: str, word: str | None = None) -> Port:
        for row in rows:
            self._read(thing, row, word)
            self.notices += self.situations.run()
            self.minute += 1
        return self

    def _read(self, thing: str, row: dict[str, float], word: str | None = None) -> None:
        kind = KINDS[CATALOGUE.sensor_by_id[thing].kind]
        values = np.array([[row.get(name, np.nan) for name in kind.field_names]], np.float32)
        words = np.array([[kind.choices[0].choices.index(word)]], np.float32) if word else np.zeros((0, 0), np.float32)
        time_us = np.array([START + self.minute * MINUTE], np.int64)
        self.engine.absorb([Readings(kind.name, [thing], time_us, np.zeros(1, np.int16), values, words)])


def test_each_stop_of_a_lorry_park_is_told_at_once_with_an_end_of_its_own() -> None:
    port = Port().park(*repeat(FREE, 70))
    for _ in range(4):
        port.park(*repeat(FULL, 6), *repeat(42, 5))  # full by itself no more, and its alarm stands
    (began,), changed = port.told(Step.BEGAN), port.told(Step.CHANGED)
    stops_us = [START + (70 + 11 * k) * MINUTE for k in range(4)]
    assert [one.at_us for one in (began, *changed)] == [at_us - at_us % (MINUTE // 2) for at_us in stops_us]
    ends = [one.expected_end for one in (began, *changed)]
    left_min = [(end.median_us - at_us) / MINUTE for end, at_us in zip(ends, stops_us, strict=True) if end]
    assert len(left_min) == 4
    assert max(left_min) < 10
    assert not port.told(Step.ENDED)


def test_between_two_stops_no_end_is_expected_and_the_situation_stands() -> None:
    port = Port().park(*repeat(FREE, 70), *repeat(FULL, 6))
    assert len(port.left_min()) == 1
    port.park(*repeat(42, 6))
    assert [one.expected_end for one in port.situations.situations()] == [None]


def test_a_single_lorry_that_leaves_ends_no_stop() -> None:
    port = Port().park(*repeat(FREE, 70), *chain(*repeat((FULL, FULL, FULL, 42), 4)))
    assert [one.id for one in port.told(Step.BEGAN)] == [one.id for one in port.situations.situations()]
    assert not port.told(Step.CHANGED)


def test_stops_teach_how_long_the_next_one_lasts() -> None:
    port = Port().park(*repeat(FREE, 70))
    for _ in range(30):
        port.park(*repeat(FULL, 20), *repeat(42, 5))
    port.park(FULL, FULL, FULL)
    assert port.left_min() == [pytest.approx(17, abs=3)]


def test_a_park_that_was_full_when_it_was_first_seen_is_expected_to_stay_so_for_longer() -> None:
    seen, found = Port().park(*repeat(FREE, 70), *repeat(FULL, 3)), Port().park(*repeat(FREE, 1), *repeat(FULL, 3))
    assert found.left_min()[0] > 3 * seen.left_min()[0]


def test_cranes_stand_for_minutes_in_gusts_and_for_hours_in_a_gale() -> None:
    stopped = [False] * 70 + [True] * 3
    gusts, gale = (Port().wind(stopped, mean_ms).left_min()[0] for mean_ms in (12.0, 24.0))
    assert gusts < 15  # the crane knows of its gust, and the mast does not
    assert gale > 60


def test_a_crane_that_works_again_stood_until_its_last_stopped_reading() -> None:
    port = Port().wind([False] * 70 + [True] * 10 + [False] * 40, 12.0)
    (ended,) = port.told(Step.ENDED)
    assert ended.end_us == START + 79 * MINUTE


def test_a_restart_within_a_stop_changes_nothing() -> None:
    rows = [*repeat(FREE, 70), *repeat(FULL, 6), *repeat(42, 5), *repeat(FULL, 9)]
    whole, first, second = Port().park(*rows), Port().park(*rows[:84]), Port()
    second.engine.restore(json.loads(json.dumps(first.engine.memory(["park"]))), [])
    second.situations.restore(json.loads(json.dumps(first.situations.memory(["park"], first.situations.stepped))))
    second.minute = first.minute - 2
    second.park(*rows[second.minute :])
    assert second.situations.situations() == whole.situations.situations()


def test_a_crane_that_begins_to_work_is_not_taken_for_a_broken_one() -> None:
    stopped = [False] * 70 + [True] * 5
    assert Port().wind([*stopped, False, False], 12.0).left_min()[0] < 15
