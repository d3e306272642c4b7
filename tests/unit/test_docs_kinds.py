import re
from pathlib import Path

import msgspec
import pytest

from sensors.checks import Below, ZeroWhile
from sensors.kind import Field, Kind, Text, load_kinds, parse_kind
from sensors.payload import Health, PayloadCodec, Rejected
from sensors.rule import Cooling, Limits, Queue, SpeedRatio, TimeRatio, Work
from sensors.topics import parse_reading_topic

TUTORIAL = (Path(__file__).parents[2] / "docs/adding-a-kind.md").read_text("utf-8")


def _block(language: str, containing: str) -> str:
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", TUTORIAL, re.DOTALL)
    (found,) = (block for block in blocks if containing in block)
    return found


@pytest.fixture
def waste_bin() -> Kind:
    return parse_kind(_block("toml", "waste_bin"), origin="docs/adding-a-kind.md")


def test_the_tutorial_defines_a_kind_that_is_judged_and_drawn(waste_bin: Kind) -> None:
    assert waste_bin.field_names == ("fill_pct", "temperature_c")
    assert waste_bin.level == Limits(field="fill_pct", dense=75, congested=85, jammed=95)
    assert waste_bin.chart == "fill_pct"


def test_the_tutorials_file_adds_to_the_shipped_kinds(tmp_path: Path, waste_bin: Kind) -> None:
    (tmp_path / "waste_bin.toml").write_text(_block("toml", "waste_bin"), "utf-8")
    assert load_kinds(tmp_path)["waste_bin"] == waste_bin
    assert waste_bin.letter not in {kind.letter for kind in load_kinds().values()}


def test_the_tutorials_reading_is_one_of_its_kind(waste_bin: Kind) -> None:
    command = _block("sh", "mosquitto_pub")
    (message,) = re.findall(r'-m "(.*)"', command)
    payload = re.sub(r"\$\(date [^)]*\)", "2026-11-23T07:30:00Z", message).replace('\\"', '"')
    reading = PayloadCodec(waste_bin).decode(payload.encode())
    assert not isinstance(reading, Rejected), reading
    (topic,) = re.findall(r"broker url\)/([^\"]+)", command)
    assert parse_reading_topic(topic) == ("W07", "W07-T1", "waste_bin")


@pytest.mark.parametrize(
    "struct", [Kind, Field, Text, Limits, Queue, SpeedRatio, TimeRatio, Work, Cooling, ZeroWhile, Below, Health]
)
def test_every_key_is_explained(struct: type[msgspec.Struct]) -> None:
    missing = [name for name in struct.__struct_fields__ if not re.search(rf'[`"]{name}["`]', TUTORIAL)]
    assert not missing
