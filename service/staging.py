"""What `vigie simulate` and `vigie up` play: an ordinary port, a scenario, and faults of sensors by hand.

A fault is `WHAT:WHERE[:START[:DURATION[:SIZE]]]`, where START counts from the begin of the run. Everything is resolved
before a message is sent, so that what cannot be played is one line.
"""

from __future__ import annotations

import argparse
import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sensors.catalogue import Catalogue
from sensors.errors import OperatorError
from sensors.fault import Fault
from service.options import above_zero
from service.score.past import WEEK_START
from service.score.plan import chosen
from service.settings import Settings
from simulators.faults.injection import Injection, check_all, things_of
from simulators.faults.sense import other_of
from simulators.interventions import Intervention
from simulators.scenario import draw, load_scenarios
from simulators.scenario_file import Scenario

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")
_FORM: Final = "WHAT:WHERE[:START[:DURATION[:SIZE]]]"
_PARTS: Final = range(2, 6)
_LONG_S: Final = 3650 * 86_400.0
"""Until when a fault lasts that has no end: ten years."""


class StagingError(OperatorError):
    """Something that cannot be played; the message says what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What was asked for. At the end of a scenario the run ends, or goes on as an ordinary port when `endless`."""

    scenario: str | None = None
    faults: tuple[str, ...] = ()
    speed: float | None = 1.0
    truth: Path | None = None
    endless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is played, in the time of its world; what it tells of time is `shift_s` later."""

    scenario: str
    seed: int
    start_s: float
    end_s: float
    shift_s: float
    interventions: tuple[Intervention, ...]
    injections: tuple[Injection, ...]


def add_stage(parser: argparse.ArgumentParser) -> None:
    """The options that `simulate` and `up` share."""
    parser.add_argument("--scenario", metavar="NAME", help="play this one, from now on: 'vigie scenarios' lists them")
    parser.add_argument(
        "--fault",
        action="append",
        dest="faults",
        default=[],
        metavar=_FORM,
        help="break a sensor, as in stuck:W07-G1:10m:2h; may be repeated: docs/faults.md",
    )


def add_play(parser: argparse.ArgumentParser) -> None:
    """The options of `simulate` alone."""
    parser.add_argument("--speed", metavar="N|max", help="with --scenario: N times as fast, or as fast as possible (1)")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="write what was true as JSON lines, at the end")
    parser.add_argument(
        "--endless", action="store_true", help="with --scenario: go on as an ordinary port after its end"
    )


def stage_of(arguments: argparse.Namespace) -> Stage:
    """Raise `StagingError` for options that do not fit together."""
    speed, truth = getattr(arguments, "speed", None), getattr(arguments, "truth", None)
    endless = getattr(arguments, "endless", arguments.command == "up")
    if arguments.scenario is None and (speed or endless) and arguments.command != "up":
        raise StagingError(f"{'--speed' if speed else '--endless'} is for a scenario: name one with --scenario")
    if speed and endless:
        raise StagingError("--endless goes on in real time: leave --speed out")
    if getattr(arguments, "no_simulators", False) and (arguments.scenario or arguments.faults):
        raise StagingError("--scenario and --fault are for simulated sensors: leave --no-simulators out")
    if truth is not None and not truth.absolute().parent.is_dir():
        raise StagingError(f"{truth}: there is no folder {truth.absolute().parent}; make it, or name another file")
    return Stage(
        scenario=arguments.scenario,
        faults=tuple(arguments.faults),
        speed=_speed(speed) if speed else 1.0,
        truth=truth,
        endless=endless,
    )


def scenarios_of(settings: Settings, folder: Path | None = None) -> Mapping[str, Scenario]:
    """The shipped scenarios and those of a folder, by default that of the installation."""
    named = Path(settings.scenarios_dir).expanduser() if settings.scenarios_dir else None
    return load_scenarios(folder or named)


def resolve(stage: Stage, scenarios: Mapping[str, Scenario], catalogue: Catalogue, *, seed: int, now_s: float) -> Run:
    """Decide everything about a run that begins now, or (the faster it is) so long ago that it ends in the present.

    Raises `StagingError`, `ScenarioError` or `InjectionError`.
    """
    if stage.scenario is None:
        name, start_s, end_s, shift_s = "", now_s, math.inf, 0.0
        interventions: tuple[Intervention, ...] = ()
        injections: tuple[Injection, ...] = ()
    else:
        scenario = chosen(scenarios, [stage.scenario])[stage.scenario]
        drawn = draw(scenario, catalogue, seed=seed, week_start_s=WEEK_START.timestamp())
        name, start_s, end_s = drawn.scenario, drawn.start_s, drawn.end_s
        interventions, injections = drawn.interventions, drawn.injections
        past_s = (end_s - start_s) * (1 - (1 / stage.speed if stage.speed else 0))
        shift_s = math.floor(now_s - past_s - start_s)
    broken = [parse_fault(told, start_s, min(end_s, start_s + _LONG_S)) for told in stage.faults]
    check_all([*injections, *broken], catalogue)
    return Run(
        scenario=name,
        seed=seed,
        start_s=start_s,
        end_s=math.inf if stage.endless else end_s,
        shift_s=shift_s,
        interventions=tuple(interventions),
        injections=(*injections, *broken),
    )


def check_words(stage: Stage, scenarios: Mapping[str, Scenario]) -> None:
    """What can be refused before there is a catalogue."""
    if stage.scenario is not None:
        chosen(scenarios, [stage.scenario])
    for told in stage.faults:
        parse_fault(told, 0.0, _LONG_S)


def require_senders(run: Run, stage: Stage, only: AbstractSet[str], catalogue: Catalogue) -> None:
    """Refuse a fault by hand of something that does not send in this run, or that needs the readings of such a one."""
    by_hand = run.injections[len(run.injections) - len(stage.faults) :]
    for told, injection in zip(stage.faults, by_hand, strict=True):
        things = things_of(injection, catalogue)
        read = () if injection.what is Fault.IDENTITY_SWAPPED else things
        others = [other for thing in read if (other := other_of(injection.what, thing, catalogue)) is not None]
        if not only & set(things) or not only >= set(others):
            needed = ", ".join(dict.fromkeys((*things, *others)))
            raise StagingError(f"fault {told!r}: it needs {needed}, and --site or --only leaves that out")


def parse_fault(told: str, start_s: float, end_s: float) -> Injection:
    """An injection from its words, into a run from `start_s` to `end_s`; raises `StagingError`."""
    parts = told.split(":")
    if len(parts) not in _PARTS:
        raise StagingError(f"fault {told!r}: expected {_FORM}, as in stuck:W07-G1:10m:2h")
    what, where, after, lasts, size = parts + [""] * (5 - len(parts))
    if what not in list(Fault):
        raise StagingError(f"there is no fault {what!r}{_nearest(what, list(Fault))}; there are {', '.join(Fault)}")
    begins_s = start_s + (_seconds(told, after) if after else 0.0)
    ends_s = begins_s + _seconds(told, lasts) if lasts else end_s
    return Injection(Fault(what), where, begins_s, ends_s, _size(told, size) if size else None)


def arguments_of(stage: Stage) -> list[str]:
    """The words for the command line of `vigie simulate`."""
    scenario = [] if stage.scenario is None else [f"--scenario={stage.scenario}", "--endless"]
    return [*scenario, *(f"--fault={told}" for told in stage.faults)]


def _seconds(told: str, span: str) -> float:
    if (found := _SPAN.fullmatch(span)) is None:
        raise StagingError(f"fault {told!r}: {span!r} is no time; expected seconds, or a number with s, m, h or d")
    return float(found[1]) * _UNITS[found[2]]


def _size(told: str, size: str) -> float:
    try:
        return float(size)
    except ValueError:
        raise StagingError(f"fault {told!r}: the size {size!r} is no number") from None


def _speed(speed: str) -> float | None:
    try:
        return None if speed == "max" else above_zero(speed)
    except (ValueError, argparse.ArgumentTypeError):
        raise StagingError(f"--speed {speed}: expected a number above 0, or max") from None


def _nearest(name: str, known: Iterable[str]) -> str:
    near: Sequence[str] = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
