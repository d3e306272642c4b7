import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from sensors.topics import ReadingTopic, is_topic_level, parse_reading_topic, reading_topic, site_filter

LEVELS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", fullmatch=True)


def test_a_topic_names_site_thing_and_kind() -> None:
    assert reading_topic("W07", "W07-G1", "gate") == "vigie/1/readings/W07/W07-G1/gate"
    assert reading_topic("W15", "W17-W15", "travel_time") == "vigie/1/readings/W15/W17-W15/travel_time"


@given(LEVELS, LEVELS, LEVELS)
def test_a_topic_is_read_back_as_it_was_composed(site: str, thing: str, kind: str) -> None:
    assert parse_reading_topic(reading_topic(site, thing, kind)) == ReadingTopic(site, thing, kind)


def test_every_sensor_and_corridor_of_the_port_has_its_topic() -> None:
    port, kinds = shipped_catalogue(), load_kinds()
    topics = [reading_topic(s.site, s.id, kind) for s in port.sensors for kind in kinds.published_by(s.kind)]
    topics += [reading_topic(c.to_site, c.id, "travel_time") for c in port.corridors]
    assert len(set(topics)) == 82 + 10 + 14


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "vigie/1/readings",
        "vigie/1/readings/W07/W07-G1",
        "vigie/1/readings/W07/W07-G1/gate/more",
        "vigie/1/readings//W07-G1/gate",
        "vigie/1/readings/W07/+/gate",
        "vigie/1/readings/W07/W07-G1/#",
        "vigie/1/readings/W07/W07 G1/gate",
        "vigie/1/readings/W07/W07-G1\n/gate",
        "vigie/1/readings/W07/W07-G1/gate\n",
        "vigie/1/readings/W07/é/gate",
        "vigie/2/readings/W07/W07-G1/gate",
        "vigie/1/readingsW07/W07/W07-G1/gate",
        "/vigie/1/readings/W07/W07-G1/gate",
        "vigie/1/readings/W07/" + "x" * 65 + "/gate",
    ],
)
def test_a_topic_that_is_not_ours_is_none(topic: str) -> None:
    assert parse_reading_topic(topic) is None


@given(st.text())
def test_no_topic_makes_the_parser_raise(topic: str) -> None:
    parse_reading_topic(topic)


@given(st.text(max_size=70))
def test_a_level_never_holds_what_means_something_to_a_broker(text: str) -> None:
    if is_topic_level(text):
        assert not set(text) & set("/+#$\0" + string.whitespace)


@pytest.mark.parametrize("part", ["", "a/b", "+", "#", "a b", "x" * 65])
def test_a_part_that_is_no_topic_level_is_refused_by_name(part: str) -> None:
    with pytest.raises(ValueError, match="cannot be part of a topic"):
        reading_topic("W07", part, "gate")


def test_a_site_filter_covers_its_readings_and_no_other_site() -> None:
    assert site_filter("W07") == "vigie/1/readings/W07/#"
    assert site_filter("#") == "vigie/1/readings/#"
