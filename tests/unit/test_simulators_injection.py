from __future__ import annotations

import pytest

from sensors.catalogue import shipped_catalogue
from sensors.fault import Fault
from simulators.faults.injection import Injection, InjectionError, check_all, things_of

CATALOGUE = shipped_catalogue()
HOUR = 3600.0


def test_a_place_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InjectionError, match=r"there is no basin 'north'; there are west, east"):
        Injection(Fault.NETWORK_DOWN, "north", 0, HOUR).check(CATALOGUE)
    with pytest.raises(InjectionError, match=r"there is no sensor 'W07'"):
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
