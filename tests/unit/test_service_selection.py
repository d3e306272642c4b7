from __future__ import annotations

import pytest

from sensors.catalogue import Catalogue, Sensor, Site, shipped_catalogue
from service.selection import SelectionError, select

PORT = shipped_catalogue()
WITH_A_RECORDING = Catalogue(
    sites=(*PORT.sites, Site(id="past", name="past", basin="recording", clock="recording")),
    sensors=(*PORT.sensors, Sensor(id="x", site="past", kind="traffic")),
    corridors=PORT.corridors,
)


def test_without_a_choice_it_is_the_port_and_no_recording() -> None:
    chosen = select(WITH_A_RECORDING)
    assert (chosen.sensors, chosen.corridors) == (PORT.sensors, PORT.corridors)


def test_a_recording_is_taken_where_its_site_or_sensor_is_named() -> None:
    assert [s.id for s in select(WITH_A_RECORDING, sites=["past"]).sensors] == ["x"]
    assert [s.id for s in select(WITH_A_RECORDING, things=["x"]).sensors] == ["x"]


def test_a_site_brings_its_sensors_and_the_corridors_that_end_there() -> None:
    chosen = select(PORT, sites=["W15"])
    assert {s.site for s in chosen.sensors} == {"W15"}
    assert {c.to_site for c in chosen.corridors} == {"W15"}
    assert chosen.sites == {"W15"}


def test_a_reader_brings_its_corridors() -> None:
    chosen = select(PORT, things=["W15-B1"])
    assert chosen.corridors
    assert {c.reader for c in chosen.corridors} == {"W15-B1"}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"sites": ["W007"]}, "there is no site 'W007'; did you mean W07"),
        ({"sites": ["?"]}, "there is no site '[?]'; there are E01, .* and 18 more"),
        ({"things": ["W07-G9"]}, "there is no sensor 'W07-G9'; did you mean W07-G"),
        ({"sites": ["E01"], "things": ["W07-G1"]}, "nothing of W07-G1 stands at E01"),
    ],
)
def test_what_does_not_exist_is_named_in_one_line(choice: dict[str, list[str]], told: str) -> None:
    with pytest.raises(SelectionError, match=told) as caught:
        select(PORT, **choice)
    assert "\n" not in str(caught.value)
