from __future__ import annotations

import numpy as np
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from simulators.faults.injection import Injection, InjectionError, check_all, things_of
from simulators.faults.sizes import SIZES

CATALOGUE = shipped_catalogue()
HOUR = 3600.0


def test_a_place_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InjectionError, match=r"there is no basin 'north'; there are west, east"):
        Injection(Fault.NETWORK_DOWN, "north", 0, HOUR).check(CATALOGUE)
    with pytest.raises(InjectionError, match=r"there is no sensor 'W07'; there are 104, such as W07-G[123], W07-G"):
        Injection(Fault.SILENT, "W07", 0, HOUR).check(CATALOGUE)


def test_an_empty_span_is_refused() -> None:
    with pytest.raises(InjectionError, match=r"silent at 'W12-F1'.* before it starts"):
        Injection(Fault.SILENT, "W12-F1", HOUR, HOUR).check(CATALOGUE)


def test_a_reader_stands_for_its_corridors_and_a_site_for_all_that_speaks_there() -> None:
    reader = things_of(Injection(Fault.SILENT, "W01-B1", 0, HOUR), CATALOGUE)
    assert reader == ("W15-W01", "W12-W01", "W03-W01", "W18-W01")
    site = things_of(Injection(Fault.SITE_DOWN, "W01", 0, HOUR), CATALOGUE)
    assert site == ("W01-F1", "W01-F2", "W01-F3", "W01-F4", *reader)


@pytest.mark.parametrize(
    "other",
    [
        Injection(Fault.SILENT, "W01-F1", HOUR / 2, 2 * HOUR),
        Injection(Fault.SITE_DOWN, "W01", HOUR / 2, 2 * HOUR),
        Injection(Fault.NETWORK_DOWN, "west", 0, HOUR / 4),
    ],
)
def test_a_sensor_has_one_fault_at_a_time(other: Injection) -> None:
    with pytest.raises(InjectionError, match="overlap at W01-F1"):
        check_all([other, Injection(Fault.SILENT, "W01-F1", 0, HOUR)], CATALOGUE)


def test_faults_one_after_the_other_are_fine() -> None:
    check_all([Injection(Fault.SILENT, "W01-F1", t, t + HOUR) for t in (0, HOUR)], CATALOGUE)


@pytest.mark.parametrize(
    ("what", "where", "because"),
    [
        (Fault.LANE_SWAPPED, "W06-Y1", r"'W06-Y1' is of the kind yard; this fault can befall traffic"),
        (Fault.LANE_SWAPPED, "W02-F1", r"'W02-F1' has no sensor of another lane"),
        (Fault.LOCKED_ON, "W01-B1", r"'W15-W01' is of the kind travel_time"),
        (Fault.UNIT_SWAPPED, "W09-P1", r"is of the kind parking"),
        (Fault.DIRECTION_SWAPPED, "W06-R1", r"is of the kind reefer"),
    ],
)
def test_a_fault_that_makes_no_sense_there_is_refused_with_the_reason(what: Fault, where: str, because: str) -> None:
    with pytest.raises(InjectionError, match=rf"^{what} at '{where}': .*{because}"):
        Injection(what, where, 0, HOUR).check(CATALOGUE)


@pytest.mark.parametrize(
    ("what", "size", "because"),
    [
        (Fault.STUCK, 3.0, r"stuck at 'W01-F1': has no size; leave 3 out"),
        (Fault.CLOCK_OFFSET, 1800.0, r"size 1800 is not 3600 to 86400 in steps of 3600, or below 0"),
        (Fault.SENTINEL, 7.0, r"size 7 is not one of -99, -999, -9999, 327.67, 32767, 65535, nan"),
        (Fault.INSUFFICIENT, 0.6, r"size 0.6 is not 0.01 to 0.59 \(share of the samples that arrive\)"),
        (Fault.DRIFT, 0.0, r"size 0 is not 0.001 to 1, or below 0"),
        (Fault.OVERSIZED, float("nan"), r"size nan is not"),
    ],
)
def test_a_size_that_cannot_be_is_refused_with_those_that_can(what: Fault, size: float, because: str) -> None:
    with pytest.raises(InjectionError, match=because):
        Injection(what, "W01-F1", 0, HOUR, size).check(CATALOGUE)


@pytest.mark.parametrize("what", SIZES)
def test_default_and_drawn_sizes_can_be(what: Fault) -> None:
    size, rng = SIZES[what], np.random.default_rng(1)
    assert size.fits(size.default)
    assert all(size.fits(size.draw(rng)) for _ in range(200))


def test_who_is_published_as_has_no_other_fault_meanwhile() -> None:
    swapped = Injection(Fault.IDENTITY_SWAPPED, "W02-F1", 0, HOUR)
    with pytest.raises(InjectionError, match="overlap at W02-F2"):
        check_all([swapped, Injection(Fault.STUCK, "W02-F2", 0, HOUR)], CATALOGUE)
