"""What share of the expected readings a number stands on, and what is said of a road with too few."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analytics.engine import Engine
from analytics.outlook import Outlook
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.level import Abnormality

KINDS = load_kinds()
NAN = np.nan
START = 1_772_409_600_000_000
PERIOD_US = 30_000_000


class Port:
    """A loop A at 30 s, a wind sensor W at 60 s."""

    def __init__(self, clock: str = "recording") -> None:
        site = Site(id="S", name="S", basin="S", clock="wall" if clock == "wall" else "recording", timezone="UTC")
        loop = Sensor(id="A", site="S", kind="traffic", free_speed_kmh=100)
        self.engine = Engine(KINDS, Catalogue(sites=(site,), sensors=(loop, Sensor(id="W", site="S", kind="wind"))))

    def read(self, steps: Sequence[int], speed: float = 90) -> None:
        values = np.full((len(steps), len(KINDS["traffic"].fields)), NAN, np.float32)
        values[:, KINDS["traffic"].field_names.index("speed_kmh")] = speed + np.arange(len(steps)) % 7 / 10
        times = START + PERIOD_US * np.array(steps, np.int64)
        self.engine.absorb([Readings("traffic", ["A"] * len(steps), times, np.zeros(len(steps), np.int16), values)])

    def outlook(self, thing: str = "A") -> Outlook:
        (found,) = self.engine.outlooks([thing])
        return found


def test_nothing_is_said_before_the_first_reading() -> None:
    found = Port().outlook()
    assert (found.coverage, found.time_us, found.abnormality, found.ahead) == (None, None, Abnormality.UNKNOWN, ())


def test_every_reading_is_full_coverage_from_the_first_on() -> None:
    port = Port()
    port.read([0])
    assert port.outlook().coverage == 1.0
    port.read(range(1, 100))
    assert port.outlook().coverage == 1.0


@pytest.mark.parametrize("every", [2, 4])
def test_missing_readings_are_counted_and_below_three_quarters_nothing_is_forecast(every: int) -> None:
    port = Port()
    port.read([k for k in range(1000) if k % every])
    assert port.outlook().coverage == pytest.approx(1 - 1 / every, abs=0.02)
    port.read([k for k in range(1000, 1200) if k % every])
    assert bool(port.outlook().ahead) == (every == 4 and (port.outlook().coverage or 0) >= 0.75)


def test_reading_without_a_usable_value_is_not_covered() -> None:
    port = Port()
    port.read(range(100))
    port.read(range(100, 200), speed=NAN)
    assert port.outlook().coverage == pytest.approx(0.303, abs=0.005)
    assert port.outlook().ahead == ()


def test_silence_takes_the_coverage_down_by_the_clock_of_the_wall() -> None:
    port = Port("wall")
    port.read(range(240))
    port.engine.advance(START + 360 * PERIOD_US)
    assert port.outlook().coverage == pytest.approx(0.3, abs=0.05)


def test_times_that_tremble_and_repetitions_are_neither_missing_nor_more() -> None:
    port = Port()
    generator = np.random.default_rng(1)
    times = START + PERIOD_US * np.arange(500) + generator.integers(-9_000_000, 9_000_000, 500)
    values = np.full((500, len(KINDS["traffic"].fields)), NAN, np.float32)
    values[:, 3] = generator.uniform(80, 100, 500)
    port.engine.absorb([Readings("traffic", ["A"] * 500, times, np.zeros(500, np.int16), values)])
    port.engine.absorb([Readings("traffic", ["A"], times[-1:] + 1000, np.zeros(1, np.int16), values[:1])])
    assert 0.97 < (port.outlook().coverage or 0) <= 1


def test_kinds_that_are_not_compared_have_no_abnormality() -> None:
    assert (Port().outlook("W").abnormality, Port().outlook("W").ahead) == (None, ())


def test_forecast_without_a_usual_speed_says_so() -> None:
    port = Port()
    port.read(range(20))
    found = port.outlook()
    assert [ahead.minutes for ahead in found.ahead] == [15, 30, 60]
    assert all(ahead.usual_kmh is None for ahead in found.ahead)
    assert all(ahead.low_kmh < ahead.speed_kmh < ahead.high_kmh for ahead in found.ahead)
