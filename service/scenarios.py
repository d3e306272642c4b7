"""`vigie scenarios`: what can happen to the port, and what one seed draws of it, in words."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from sensors.catalogue import Catalogue, shipped_catalogue
from service.commands.common import tell
from service.options import seed
from service.score.past import WEEK_START
from service.score.plan import chosen
from service.settings import Settings
from service.staging import scenarios_of
from simulators.faults.injection import Injection
from simulators.interventions import Intervention, What
from simulators.profile import PORT_TIME
from simulators.scenario import Drawn, draw
from simulators.scenario_file import Parameter, Scenario

_PHRASES: Final[Mapping[What, Callable[[Intervention], str]]] = {
    "incident": lambda one: f"an accident takes {100 * one.size:.0f} % of the capacity of",
    "lane_closure": lambda one: f"lanes closed: {one.size:g}, on",
    "demand": lambda one: f"{one.size:g} times the ordinary traffic from",
    "gate_outage": lambda one: f"{100 * one.size:.0f} % of the lanes do not serve at",
    "surge": lambda one: f"{one.size:g} times the ordinary appointments at",
    "ship_late": lambda one: f"a late ship is unloaded at {one.size:g} times the ordinary pace, at",
    "wind": lambda one: f"a mean wind of {one.size:g} m/s over",
    "reefer_trip": lambda one: f"{100 * one.size:.0f} % of the plugs are without power in",
    "ban_ignored": lambda one: f"{100 * one.size:.0f} % of the diverted lorries ignore the ban, on",
    "standing_lorries": lambda _: "lorries stand and nothing passes at the end of",
}


def add_scenarios(scenarios: argparse.ArgumentParser) -> None:
    scenarios.add_argument("name", nargs="?", metavar="NAME", help="show this one with what its seed draws")
    scenarios.add_argument("--seed", type=seed, default=1, metavar="N", help="which run of it (1)")
    scenarios.add_argument("--json", action="store_true", help="print JSON")
    scenarios.set_defaults(run=run_scenarios)


async def run_scenarios(settings: Settings, arguments: argparse.Namespace) -> None:
    known = scenarios_of(settings)
    if arguments.name is None:
        tell(_json([*map(_as_json, known.values())]) if arguments.json else "\n".join(_listed(known)))
        return
    catalogue, scenario = shipped_catalogue(), chosen(known, [arguments.name])[arguments.name]
    drawn = draw(scenario, catalogue, seed=arguments.seed, week_start_s=WEEK_START.timestamp())
    shown = {**_as_json(scenario), **_run_as_json(drawn)}
    tell(_json(shown) if arguments.json else "\n".join(_told(scenario, drawn, catalogue)))


def _listed(scenarios: Mapping[str, Scenario]) -> Iterator[str]:
    width = max(map(len, scenarios))
    for name, one in scenarios.items():
        days = "/".join(day[:3].capitalize() for day in one.weekdays)
        yield f"{name:<{width}}  {one.title.en}  ({days} {one.start}, {one.hours:g} h)"
    yield ""
    yield "vigie scenarios NAME shows one with what its seed draws; docs/scenarios.md tells how to write your own."


def _told(scenario: Scenario, drawn: Drawn, catalogue: Catalogue) -> Iterator[str]:
    start, end = _local(drawn.start_s), _local(drawn.end_s)
    yield f"{scenario.name}: {scenario.title.en}"
    yield scenario.about.en
    yield ""
    yield f"With seed {drawn.seed} it runs on a {start:%A} from {start:%H:%M} to {end:%H:%M}:"
    happens: list[Intervention | Injection] = [*drawn.interventions, *drawn.injections]
    yield from (f"  {_span(one)}  {phrase(one, catalogue)}" for one in happens)
    yield ""
    yield "Drawn by the seed:"
    for name, parameter in scenario.parameters.items():
        yield f"  {parameter.title.en}: {_value(drawn.values[name], parameter)}"


def _span(one: Intervention | Injection) -> str:
    return f"{_local(one.start_s):%H:%M}-{_local(one.end_s):%H:%M}"


def phrase(one: Intervention | Injection, catalogue: Catalogue) -> str:
    """What happens, and where."""
    if isinstance(one, Injection):
        size = "" if one.size is None else f", size {one.size:g}"
        return f"fault {one.what}{size}: {_place(one.where, catalogue)}"
    return f"{_PHRASES[one.what](one)} {_place(one.where, catalogue)}"


def _place(where: str, catalogue: Catalogue) -> str:
    """A place with what people call it."""
    section = next((section for section in catalogue.sections if section.id == where), None)
    if section:
        return f"{where} ({section.road})"
    site = where if where in catalogue.site_by_id else getattr(catalogue.sensor_by_id.get(where), "site", "")
    if site:
        return f"{where} ({catalogue.site_by_id[site].name})"
    return where or "the whole port"


def _value(value: float | str, parameter: Parameter) -> str:
    if parameter.among:
        return f"{value} (among {', '.join(parameter.among)})"
    low, high = parameter.bounds
    return " ".join(filter(None, (f"{value:g}", parameter.unit, f"({low:g} to {high:g})")))


def _as_json(scenario: Scenario) -> dict[str, object]:
    told = msgspec.to_builtins(scenario)
    told["parameters"] = {name: _range(one) for name, one in scenario.parameters.items()}
    return {key: value for key, value in told.items() if key != "origin"}


def _range(parameter: Parameter) -> dict[str, object]:
    told: dict[str, object] = {"title": parameter.title, "unit": parameter.unit}
    return told | ({"among": parameter.among} if parameter.among else {"low": parameter.low, "high": parameter.high})


def _run_as_json(drawn: Drawn) -> dict[str, object]:
    """What is drawn; times are minutes of the run."""

    def minutes(one: Intervention | Injection) -> dict[str, object]:
        told = msgspec.to_builtins(one)
        span = {
            "start_min": (told.pop("start_s") - drawn.start_s) / 60,
            "end_min": (told.pop("end_s") - drawn.start_s) / 60,
        }
        return {**told, **span}

    return {
        "seed": drawn.seed,
        "weekday": f"{_local(drawn.start_s):%A}".lower(),
        "values": drawn.values,
        "interventions": [minutes(one) for one in drawn.interventions],
        "injections": [minutes(one) for one in drawn.injections],
    }


def _json(told: object) -> str:
    return msgspec.json.encode(told).decode()


def _local(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, PORT_TIME)
