"""Scenarios: what happens to the port in one run, with parameters drawn by seed from stated ranges.

One TOML file a scenario; the shipped ones lie in `simulators/scenarios/`, an installation adds its own by naming a
folder (setting `scenarios_dir`). `docs/scenarios.md` tells the format. `load_scenarios` reads and checks everything
that needs no catalogue; `draw` checks the places too, all that could be drawn, and gives the run of one seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

import numpy as np

from sensors.catalogue import Catalogue
from simulators.faults.injection import Injection, InjectionError
from simulators.interventions import Intervention, InterventionError
from simulators.profile import PORT_TIME
from simulators.scenario_file import (
    WEEKDAYS,
    Broken,
    Happening,
    Parameter,
    Scenario,
    ScenarioError,
    Told,
    parse_scenario,
)

Value = float | str
"""A drawn number, or a drawn place."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One run of a scenario: Unix seconds, everything decided. `values` are the drawn parameters by name."""

    scenario: str
    seed: int
    start_s: float
    end_s: float
    interventions: tuple[Intervention, ...]
    injections: tuple[Injection, ...]
    values: Mapping[str, Value]


def load_scenarios(extra: Path | None = None) -> Mapping[str, Scenario]:
    """The shipped scenarios and those of the folder `extra`, by name in alphabetical order.

    Raises `ScenarioError`, one line that names file, key, value and what was expected.
    """
    shipped = resources.files("simulators") / "scenarios"
    texts = {entry.name: entry.read_text("utf-8") for entry in shipped.iterdir() if entry.name.endswith(".toml")}
    found = {name.removesuffix(".toml"): parse_scenario(text, origin=name) for name, text in texts.items()}
    for path in _definitions(extra) if extra else ():
        if path.stem in found:
            raise ScenarioError(f"{path}: the scenario {path.stem!r} exists already; choose another file name")
        found[path.stem] = parse_scenario(_read(path), origin=str(path))
    return dict(sorted(found.items()))


def draw(scenario: Scenario, catalogue: Catalogue, *, seed: int, week_start_s: float) -> Drawn:
    """Draw a run: on the scenario's weekday, the first that does not lie before the port's day of `week_start_s`.

    The same seed gives the same values whatever else is drawn. Raises `ScenarioError` for a place, drawn or not, that
    the catalogue does not have.
    """
    _check_places(scenario, catalogue)
    values = {name: _value(scenario.name, name, one, seed) for name, one in scenario.parameters.items()}
    start_s = _start_s(scenario, week_start_s, seed)
    made = [_make(one, values, start_s) for _, one in scenario.told]
    return Drawn(
        scenario=scenario.name,
        seed=seed,
        start_s=start_s,
        end_s=start_s + scenario.hours * 3600,
        interventions=tuple(one for one in made if isinstance(one, Intervention)),
        injections=tuple(one for one in made if isinstance(one, Injection)),
        values=values,
    )


def _check_places(scenario: Scenario, catalogue: Catalogue) -> None:
    """Raise `ScenarioError` for what the catalogue does not allow, in any run that could be drawn."""
    for at, one in scenario.told:
        for values in _alternatives(one, scenario.parameters):
            try:
                _make(one, values, 0.0).check(catalogue)
            except (InterventionError, InjectionError) as exc:
                raise ScenarioError(f"{scenario.origin}: {at}: {exc}") from exc


def _alternatives(one: Told, parameters: Mapping[str, Parameter]) -> Iterator[dict[str, Value]]:
    """The lowest and the highest values, with each place that can be drawn."""
    places = parameters[one.where].among if one.where in parameters else (one.where,)
    for place in places:
        for side in (0, 1):
            numbers: dict[str, Value] = {name: p.bounds[side] for name, p in parameters.items() if p.bounds}
            yield numbers | {one.where: place}


def _value(scenario: str, name: str, parameter: Parameter, seed: int) -> Value:
    rng = _rng(scenario, name, seed)
    if parameter.among:
        return parameter.among[int(rng.integers(len(parameter.among)))]
    low, high = parameter.bounds
    return round(float(rng.uniform(low, high)), parameter.digits)


def _start_s(scenario: Scenario, week_start_s: float, seed: int) -> float:
    first = datetime.fromtimestamp(week_start_s, PORT_TIME)
    weekday = scenario.weekdays[int(_rng(scenario.name, "weekdays", seed).integers(len(scenario.weekdays)))]
    day = first.date() + timedelta(days=(WEEKDAYS.index(weekday) - first.weekday()) % 7)
    hour, minute = map(int, scenario.start.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=PORT_TIME).timestamp()


def _rng(scenario: str, name: str, seed: int) -> np.random.Generator:
    """Chance of its own for each parameter: a new one changes no other."""
    return np.random.default_rng((seed, zlib.crc32(f"{scenario}/{name}".encode())))


def _make(one: Told, values: Mapping[str, Value], start_s: float) -> Intervention | Injection:
    """What is told, with what was drawn."""
    told = {key: float(values[name] if isinstance(name, str) else name) for key, name in one.numbers.items()}
    where, begins_s = str(values.get(one.where, one.where)), start_s + 60 * told["start_min"]
    ends_s = begins_s + 60 * told["for_min"]
    match one:
        case Happening(what=what):
            return Intervention(what, where, begins_s, ends_s, told["size"], told["position"])
        case Broken(what=fault):
            return Injection(fault, where, begins_s, ends_s, told.get("size"))
    raise AssertionError(one)


def _definitions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ScenarioError(f"scenarios_dir: {folder} is not a folder; name the one that holds your scenarios")
    return sorted(folder.glob("*.toml"))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ScenarioError(f"{path}: cannot be read: {exc}") from exc
