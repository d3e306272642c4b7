"""Which runs are played, and which faults are injected into them: decided by seeds alone. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from sensors.catalogue import Catalogue
from sensors.errors import OperatorError
from sensors.fault import Fault
from service.score.ground import Ground
from service.score.past import WEEK_START
from service.score.watch import Watch
from service.score.windows import LONG_RUN_ONLY
from simulators.faults.chance import random_injections
from simulators.faults.injection import Injection, touched
from simulators.scenario import Drawn, draw
from simulators.scenario_file import Scenario

SHARE: Final = 0.1
"""Of the sensors, how many have a fault in the second run of each scenario."""

_AT_ONCE: Final = 13
"""Faults that take turns in one run: some more than there are sensors for, because some find no place."""
_STEP: Final = 7
"""How far the next scenario begins in the list of faults: prime to its length, so that all come first once."""

_NETWORK_DOWN_EVERY: Final = 7
"""A network that is down takes half of the port away, and with it what else could be seen: not in every other run."""

_SPARE: Final = 3
"""So many times the faults are drawn where some will be in the way of the scenario's own."""


class UnknownScenarioError(OperatorError):
    """A scenario that does not exist; the message says which do."""


def chosen(scenarios: Mapping[str, Scenario], names: Sequence[str]) -> Mapping[str, Scenario]:
    """Those of these names, all without any; raises `UnknownScenarioError`."""
    for name in names:
        if name not in scenarios:
            raise UnknownScenarioError(f"there is no scenario {name!r}; there are {', '.join(scenarios)}")
    return {name: scenarios[name] for name in scenarios if name in names or not names}


def drawn_runs(scenarios: Iterable[Scenario], catalogue: Catalogue, seed: int) -> list[Drawn]:
    """The runs of a seed in order of their start."""
    runs = [draw(one, catalogue, seed=seed, week_start_s=WEEK_START.timestamp()) for one in scenarios]
    return sorted(runs, key=lambda run: (run.start_s, run.scenario))


def long_run(days: float, seed: int) -> Drawn:
    """Ordinary days, for what creeps."""
    start_s = WEEK_START.timestamp()
    return Drawn(f"{days:g} days", seed, start_s, start_s + days * 86_400, (), (), {})


def faults_of(drawn: Drawn, catalogue: Catalogue, watch: Watch, ground: Ground, *, turn: int) -> tuple[Injection, ...]:
    """Random faults beside those of the scenario; `turn` is its place among all, which decides the faults that come."""
    rng = np.random.default_rng((drawn.seed, zlib.crc32(drawn.scenario.encode())))
    at_random = random_injections(
        catalogue,
        share=SHARE * (_SPARE if drawn.injections else 1),
        start_s=drawn.start_s,
        end_s=drawn.end_s,
        rng=rng,
        congested=congested(ground, watch),
        whats=turns(turn + drawn.seed),
    )
    if not drawn.injections:
        return at_random
    free = _beside(drawn.injections, at_random, catalogue)
    kept = rng.permutation(len(free))[: round(len(at_random) / _SPARE)]
    return (*drawn.injections, *(free[place] for place in sorted(kept.tolist())))


def creeping_faults(drawn: Drawn, catalogue: Catalogue) -> tuple[Injection, ...]:
    """The faults of a long run."""
    rng, whats = np.random.default_rng(drawn.seed), sorted(LONG_RUN_ONLY)
    return random_injections(catalogue, share=SHARE, start_s=drawn.start_s, end_s=drawn.end_s, rng=rng, whats=whats)


def turns(turn: int) -> tuple[Fault, ...]:
    """The faults that may come in a run: others in each, and over all scenarios every one that shows in hours."""
    faults = [fault for fault in Fault if fault not in LONG_RUN_ONLY | {Fault.NETWORK_DOWN}]
    first = turn * _STEP
    found = tuple(faults[(first + number) % len(faults)] for number in range(_AT_ONCE))
    return (Fault.NETWORK_DOWN, *found) if turn % _NETWORK_DOWN_EVERY == 0 else found


def congested(ground: Ground, watch: Watch) -> list[tuple[str, float, float]]:
    """When the place that a sensor watches was congested."""
    spans = [(place, span) for event in ground.events for place, found in event.stretches.items() for span in found]
    return [(subject, span.start_s, span.end_s) for place, span in spans for subject in sorted(watch.of([place]))]


def _beside(own: Sequence[Injection], at_random: Iterable[Injection], catalogue: Catalogue) -> list[Injection]:
    """Those at random that befall nothing which has a fault of the scenario's own at the same time."""
    taken = [(thing, one) for one in own for thing in touched(one, catalogue)]

    def is_free(one: Injection) -> bool:
        things = set(touched(one, catalogue))
        return not any(
            thing in things and one.start_s < other.end_s and other.start_s < one.end_s for thing, other in taken
        )

    return list(filter(is_free, at_random))
