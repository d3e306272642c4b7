"""`vigie score --all`: every scenario through the whole chain, without faults and with, and the figures it makes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sensors.errors import OperatorError
from sensors.kind import Kinds
from service.score import plan
from service.score.ground import ground_of
from service.score.past import WEEKS
from service.score.play import Played, Run, play
from service.score.stage import Season, Stage, stage
from service.score.systems import System
from service.score.tally import Tally, tallied
from service.score.watch import watch_of
from simulators.scenario import Drawn
from simulators.scenario_file import Scenario


class RunFailedError(OperatorError):
    """A run that could not be played to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is scored: of all scenarios `only` those named, all without names; or so many ordinary `days`.

    `keep` is a folder for the truth of each run and what each system said.
    """

    scenarios: Mapping[str, Scenario]
    only: tuple[str, ...]
    systems: tuple[System, ...]
    seeds: range
    cache: Path
    say: Callable[[str], None]
    days: float | None = None
    keep: Path | None = None
    weeks: int = WEEKS


Scored = Mapping[str, Sequence[tuple[str, Tally]]]
"""By system, then by scenario in alphabetical order."""


async def score_all(kinds: Kinds, options: Options) -> Scored:
    """Play everything; raises `RunFailedError` with scenario and seed for what cannot be played."""
    plan.chosen(options.scenarios, options.only)  # before anything is started
    sums: dict[str, dict[str, Tally]] = {system.name: defaultdict(Tally) for system in options.systems}
    async with stage(kinds, options.cache, options.say, weeks=options.weeks) as built:
        for seed in options.seeds:
            async with built.season(seed, database=any(system.is_ours for system in options.systems)) as season:
                async for drawn, tallies in _runs(built, season, options, seed):
                    for name, tally in tallies.items():
                        sums[name][drawn.scenario] += tally
    return {name: sorted(found.items()) for name, found in sums.items()}


async def _runs(
    built: Stage, season: Season, options: Options, seed: int
) -> AsyncIterator[tuple[Drawn, dict[str, Tally]]]:
    """Every run of a seed with what each system reached."""
    player = _Player(built, season, options)
    if options.days is not None:
        drawn = plan.long_run(options.days, seed)
        yield drawn, player.tallies(await player.play(drawn, Run(drawn, plan.creeping_faults(drawn, built.catalogue))))
        return
    places = {name: place for place, name in enumerate(options.scenarios)}
    playing = plan.chosen(options.scenarios, options.only)
    for drawn in plan.drawn_runs(playing.values(), built.catalogue, seed):
        clean = await player.play(drawn, Run(drawn, drawn.injections))
        yield drawn, player.tallies(clean)
        ground = ground_of(clean.truth)
        faults = plan.faults_of(drawn, built.catalogue, player.watch, ground, turn=places[drawn.scenario])
        yield drawn, player.tallies(await player.play(drawn, Run(drawn, faults, clean.truth)))


class _Player:
    """Plays the runs of one season."""

    def __init__(self, built: Stage, season: Season, options: Options) -> None:
        self.watch = watch_of(built.catalogue)
        self._built, self._season, self._options = built, season, options

    async def play(self, drawn: Drawn, run: Run) -> Played:
        name = f"scenario {drawn.scenario}, seed {drawn.seed}, {len(run.injections)} faults"
        self._options.say(name)
        try:
            async with self._season.place(drawn.start_s) as place:
                played = await play(run, self._options.systems, place, self._built.kinds, self._built.catalogue)
        except OperatorError as exc:
            raise RunFailedError(f"{name}: {exc}") from exc
        if self._options.keep is not None:
            _keep(self._options.keep, f"{drawn.scenario}-{drawn.seed}-{len(run.injections)}", played, self._options)
        return played

    def tallies(self, played: Played) -> dict[str, Tally]:
        ground = ground_of(played.truth)
        systems = zip(self._options.systems, played.said, strict=True)
        return {system.name: tallied(ground, alerts, self.watch) for system, alerts in systems}


def _keep(folder: Path, name: str, played: Played, options: Options) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.truth.jsonl").write_bytes(b"".join(played.truth.lines()))
    for place, alerts in enumerate(played.said):
        lines = b"".join(msgspec.json.encode(alert) + b"\n" for alert in alerts)
        (folder / f"{name}.{_file_name(options.systems[place])}.jsonl").write_bytes(lines)


def _file_name(system: System) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in system.name)[:40]
