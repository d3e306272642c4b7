"""The file of a scenario: its types and its checks. Every fault is one line with file, key, value and expectation."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeVar, get_args

import msgspec

from sensors.errors import OperatorError
from sensors.fault import Fault
from sensors.kind import Label
from simulators.interventions import What

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: Final = get_args(Weekday)

_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,40}")

Number = float | str
"""A number, or the name of the parameter that draws it."""


class ScenarioError(OperatorError):
    """A scenario that cannot be used; the message names file, key, value and what was expected."""


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run draws: a number from `low` to `high`, rounded to `digits`, or one `among` several places."""

    title: Label
    unit: str = ""
    low: float | None = None
    high: float | None = None
    digits: Annotated[int, msgspec.Meta(ge=0, le=6)] = 0
    among: tuple[str, ...] = ()

    @property
    def bounds(self) -> tuple[float, ...]:
        """Lowest and highest number; empty for places."""
        return () if self.low is None or self.high is None else (self.low, self.high)


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something from minute to minute of the run; `where` is a place, or a parameter that draws one."""

    where: str
    start_min: Number
    for_min: Number

    @property
    def numbers(self) -> dict[str, Number]:
        """The keys that hold a number or the name of the parameter that draws it."""
        told = {name: getattr(self, name) for name in self.__struct_fields__ if name not in {"what", "where"}}
        return {name: value for name, value in told.items() if value is not None}


class Happening(Told, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An intervention into the world."""

    what: What
    size: Number = 1.0
    position: Number = 0.5


class Broken(Told, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A fault between the world and the wire; without a size it has the fault's default."""

    what: Fault
    size: Number | None = None


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One scenario; `start` is the port's time of day, the name comes from the file, which is `origin`."""

    name: str
    origin: str
    title: Label
    about: Label
    weekdays: Annotated[tuple[Weekday, ...], msgspec.Meta(min_length=1)]
    start: Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z")]
    hours: Annotated[float, msgspec.Meta(gt=0, le=24)]
    parameters: dict[str, Parameter] = {}
    interventions: tuple[Happening, ...] = ()
    injections: tuple[Broken, ...] = ()

    @property
    def told(self) -> Iterator[tuple[str, Told]]:
        """What happens and what breaks, each with how the file calls it."""
        for key, found in (("interventions", self.interventions), ("injections", self.injections)):
            yield from ((f"{key} {number}", one) for number, one in enumerate(found, 1))


_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def parse_scenario(text: str, *, origin: str) -> Scenario:
    """Parse and check one file; `origin` is its path, its name without ending names the scenario."""
    name = re.split(r"[/\\]", origin)[-1].removesuffix(".toml")
    if not _NAME.fullmatch(name):
        raise ScenarioError(f"{origin}: {name!r} cannot name a scenario; use a-z, 0-9 and -")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ScenarioError(f"{origin}: not TOML: {exc}") from exc
    try:
        return _scenario(found, name, origin)
    except ValueError as exc:
        raise ScenarioError(f"{origin}: {exc}") from exc


def _scenario(found: Mapping[str, Any], name: str, origin: str) -> Scenario:
    told = {
        **found,
        "parameters": dict(_parameters(found)),
        "interventions": tuple(_tables(found, "interventions", Happening)),
        "injections": tuple(_tables(found, "injections", Broken)),
    }
    scenario = _convert(told | {"name": name, "origin": origin}, Scenario, "")
    for problem in _problems(scenario):
        raise ValueError(problem)
    return scenario


def _parameters(found: Mapping[str, Any]) -> Iterator[tuple[str, Parameter]]:
    tables = found.get("parameters", {})
    if not isinstance(tables, dict):
        raise ValueError(f"parameters is {tables!r}; expected tables [parameters.NAME]")  # noqa: TRY004  one kind of error
    for name, table in tables.items():
        if not _KEY.fullmatch(name):
            raise ValueError(f"parameters.{name}: {name!r} cannot name a parameter; use a-z, 0-9 and _")
        yield name, _convert(table, Parameter, f"parameters.{name}: ")


def _tables(found: Mapping[str, Any], key: str, into: type[_Struct]) -> Iterator[_Struct]:
    tables = found.get(key, [])
    if not isinstance(tables, list):
        raise ValueError(f"{key} is {tables!r}; expected tables [[{key}]]")  # noqa: TRY004  as above
    for number, table in enumerate(tables, 1):
        yield _convert(table, into, f"{key} {number}: ")


def _convert(table: object, into: type[_Struct], at: str) -> _Struct:
    """A struct from a table, key by key, so that an error names the one at fault; raises ValueError."""
    if not isinstance(table, dict):
        raise ValueError(f"{at}found {table!r}; expected a table")  # noqa: TRY004  as above
    fields = {field.name: field for field in msgspec.structs.fields(into)}
    for key, value in table.items():
        if key not in fields:
            raise ValueError(f"{at}unknown key {key!r}; expected {', '.join(_spelled(into))}")
        try:
            msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError as exc:
            raise ValueError(f"{at}{key} = {value!r} cannot be used: {str(exc)[:1].lower()}{str(exc)[1:]}") from exc
    for missing in [name for name, field in fields.items() if field.required and name not in table]:
        raise ValueError(f"{at}the key {missing!r} is missing")
    return into(**{key: msgspec.convert(value, fields[key].type) for key, value in table.items()})


def _spelled(into: type[msgspec.Struct]) -> list[str]:
    """The keys that a file may have."""
    return [name for name in into.__struct_fields__ if name not in {"name", "origin"}]


def _problems(scenario: Scenario) -> Iterator[str]:
    for name, parameter in scenario.parameters.items():
        yield from (f"parameters.{name}: {problem}" for problem in _range_problems(parameter))
    used: set[Number] = set()
    for at, one in scenario.told:
        yield from (f"{at}: {problem}" for problem in _use_problems(one, scenario.parameters))
        used |= {one.where, *one.numbers.values()}
    for name in scenario.parameters:
        if name not in used:
            yield f"parameters.{name}: it is drawn and nothing uses it; name it in an intervention or leave it out"


def _range_problems(parameter: Parameter) -> Iterator[str]:
    low, high = parameter.low, parameter.high
    if parameter.among:
        if low is not None or high is not None:
            yield "it has a range and places; expected low and high, or among"
    elif low is None or high is None:
        yield "expected low and high, or among with at least one place"
    elif not low <= high:
        yield f"low = {low:g} is above high = {high:g}; expected a range that is not empty"
    elif (low, high) != (round(low, parameter.digits), round(high, parameter.digits)):
        yield f"digits = {parameter.digits} rounds low = {low:g} or high = {high:g} away; expected more digits"


def _use_problems(one: Told, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    ranges = {name: parameter.bounds for name, parameter in parameters.items() if parameter.bounds}
    if one.where in ranges:
        yield f"where = {one.where!r} draws a number; expected a parameter with places, or a place"
    for key, told in one.numbers.items():
        if isinstance(told, str) and told not in ranges:
            yield f"{key} = {told!r} draws no number; expected a number or one of {', '.join(ranges) or 'none'}"
            continue
        lowest = ranges[told][0] if isinstance(told, str) else told
        if lowest < 0 or (key == "for_min" and not lowest):
            yield f"{key} = {lowest:g}; expected {'more than 0' if key == 'for_min' else '0 or more'}"
