from __future__ import annotations

import argparse
import re
from pathlib import Path

import msgspec
import pytest

from sensors.errors import OperatorError
from service.arguments import parse
from service.scenarios import run_scenarios
from service.settings import Settings, load_settings
from service.staging import scenarios_of
from simulators.scenario import load_scenarios
from simulators.scenario_file import Parameter

DOCS = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")
SHIPPED = load_scenarios()
MINE = """
title = { en = "Mine", fr = "Le mien" }
about = { en = "Something of our own.", fr = "Quelque chose à nous." }
weekdays = ["friday"]
start = "09:00"
hours = 2
"""


async def told(capsys: pytest.CaptureFixture[str], *argv: str, settings: Settings | None = None) -> str:
    await run_scenarios(settings or Settings(), parse(["scenarios", *argv]))
    return capsys.readouterr().out


async def test_the_list_names_every_scenario_with_its_title(capsys: pytest.CaptureFixture[str]) -> None:
    lines = (await told(capsys)).splitlines()
    for name, scenario in SHIPPED.items():
        assert any(line.startswith(f"{name} ") and scenario.title.en in line for line in lines)


@pytest.mark.parametrize("name", SHIPPED)
async def test_one_is_shown_with_everything_that_its_seed_draws(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = await told(capsys, name, "--seed", "3")
    scenario = SHIPPED[name]
    assert scenario.about.en in shown
    assert len(re.findall(r"^  \d\d:\d\d-\d\d:\d\d  ", shown, flags=re.MULTILINE)) == len(list(scenario.told))
    assert all(parameter.title.en in shown for parameter in scenario.parameters.values())
    assert shown != await told(capsys, name, "--seed", "4")


async def test_a_gate_outage_reads_as_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    shown = await told(capsys, "monday-0730")
    assert re.search(r"With seed 1 it runs on a Monday from 06:30 to 11:30:\n  07:29-08:38  98 % of the lanes", shown)
    assert "do not serve at W07 (Porte Seayard)" in shown
    assert re.search(r"gate outage lasts: 69 min \(60 to 80\)", shown)


async def test_json_has_all_ranges_and_of_one_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    listed = msgspec.json.decode(await told(capsys, "--json"))
    assert [one["name"] for one in listed] == list(SHIPPED)
    shown = msgspec.json.decode(await told(capsys, "monday-0730", "--json"))
    assert shown["parameters"]["outage_min"] == {
        "title": {"en": "gate outage lasts", "fr": "la panne de porte dure"},
        "unit": "min",
        "low": 60,
        "high": 80,
    }
    outage = shown["interventions"][0]
    assert (outage["what"], outage["start_min"]) == ("gate_outage", shown["values"]["outage_after_min"])
    assert (shown["seed"], shown["weekday"], shown["injections"]) == (1, "monday", [])


async def test_an_unknown_scenario_names_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OperatorError, match=r"there is no scenario 'monday'; there are .*monday-0730"):
        await told(capsys, "monday")


async def test_the_folder_of_the_installation_adds_to_the_list(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(MINE, "utf-8")
    settings = load_settings({"VIGIE_SCENARIOS_DIR": str(tmp_path)})
    assert "Something of our own." in await told(capsys, "mine", settings=settings)
    assert set(scenarios_of(settings)) == {*SHIPPED, "mine"}
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    assert set(scenarios_of(settings, elsewhere)) == set(SHIPPED)


def test_every_scenario_is_documented_with_its_ranges() -> None:
    for name, scenario in SHIPPED.items():
        section = re.search(
            rf"^### `{name}`: {re.escape(scenario.title.en)}\n(.*?)(?=^##|\Z)", DOCS, re.DOTALL | re.MULTILINE
        )
        assert section, name
        for parameter in scenario.parameters.values():
            assert f"| {parameter.title.en} | {documented(parameter)} |" in section[1], (name, parameter.title.en)
    documented_names = re.findall(r"^### `([a-z0-9-]+)`", DOCS, flags=re.MULTILINE)
    assert documented_names == list(SHIPPED)


def documented(parameter: Parameter) -> str:
    if parameter.among:
        return f"one of {', '.join(parameter.among)}"
    low, high = parameter.bounds
    return " ".join(filter(None, (f"{low:g} to {high:g}", parameter.unit)))


def test_the_example_of_the_documentation_is_a_scenario(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    assert example
    (tmp_path / "lorries-on-the-a55.toml").write_text(example[1], "utf-8")
    assert "lorries-on-the-a55" in load_scenarios(tmp_path)


def test_every_key_of_a_file_is_documented() -> None:
    from simulators.interventions import _PLACES  # noqa: PLC0415  all there are
    from simulators.scenario_file import Broken, Happening, Scenario  # noqa: PLC0415

    for struct in (Scenario, Parameter, Happening, Broken):
        for key in set(struct.__struct_fields__) - {"name", "origin"}:
            assert f"`{key}`" in DOCS, key
    for what in _PLACES:
        assert f"| `{what}` |" in DOCS, what


def test_the_command_is_parsed_with_its_options() -> None:
    arguments = parse(["scenarios", "monday-0730", "--seed", "7", "--json"])
    assert isinstance(arguments, argparse.Namespace)
    assert (arguments.name, arguments.seed, arguments.json) == ("monday-0730", 7, True)
