"""The truth of a run, before any sensor: congestion with onset, end, extent and cause, and the injected faults.

Congestion is defined in the world: a section whose mean speed is under 60 % of free speed for at least two minutes, a
gate whose wait, a yard block or lorry park whose share, or a rack whose plugs without power have come to the congested
limit of their kind, a crane that wind stops. Onset is the first step at which that holds, not when the two minutes are
over; the end is the first step at which it does not. Nothing of a truth is seen by a detector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sensors.catalogue import Catalogue
from sensors.kind import Kinds, load_kinds
from simulators.demand import Demand, shipped_demand
from simulators.faults.injection import Injection
from simulators.interventions import Intervention
from simulators.truth.causes import LIKE_ORDINARY_S, Causes, Piece, pieces
from simulators.truth.events import Events, at
from simulators.truth.lines import RunTruth, SlowedTruth, Truth, TruthError, with_faults
from simulators.truth.places import Places
from simulators.truth.reach import Reach
from simulators.truth.spells import SLOWED, Levels, Run, runs, spells, within
from simulators.view import View
from simulators.world import STEP_S, World


class TruthRecorder:
    """Watches a world step by step and says at the end what was true.

    `ordinary` is the same world without what happens to it (`World.ordinary`), not started: the recorder drives it
    beside the other, to know what would be there anyway. Without it reasons are told by the road graph alone.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        interventions: Sequence[Intervention] = (),
        injections: Sequence[Injection] = (),
        *,
        scenario: str = "",
        seed: int = 0,
        kinds: Kinds | None = None,
        demand: Demand | None = None,
        ordinary: World | None = None,
    ) -> None:
        self._places = Places(catalogue, kinds or load_kinds())
        self._reach = Reach(catalogue, demand or shipped_demand())
        self._interventions, self._injections = tuple(interventions), tuple(injections)
        self._scenario, self._seed = scenario, seed
        # What congests nothing needs no comparison.
        self._ordinary = ordinary if any(self._reach.heads(one) for one in interventions) else None
        self._times_s: list[float] = []
        self._levels: list[Levels] = []
        self._anyway: list[Levels] = []

    def observe(self, view: View) -> None:
        """Take in the state after one step; the steps must follow one another."""
        if self._ordinary:
            if not self._times_s:
                self._ordinary.start(view.at_s)
            self._ordinary.advance(view.at_s)
            self._anyway.append(self._places.levels(self._ordinary.view()))
        self._times_s.append(view.at_s)
        self._levels.append(self._places.levels(view))

    def finish(self) -> Truth:
        """The truth of all steps until now; raises `TruthError` when there was none."""
        if not self._times_s:
            raise TruthError("nothing was observed: a truth needs at least one step of the world")
        lasted = _spells(self._levels)
        events = Events(self._places, self._reach, self._times_s, self._causes(lasted))
        truth = Truth(
            run=RunTruth(self._scenario, self._seed, at(self._times_s[0]), at(self._times_s[-1])),
            events=tuple(events.all()),
            slowed=tuple(self._slowed(lasted)),
        )
        return with_faults(truth, self._injections)

    def _causes(self, lasted: Sequence[Sequence[Run]]) -> Mapping[Piece, Intervention | None]:
        steps, margin = len(self._times_s), round(LIKE_ORDINARY_S / STEP_S)
        anyway = _spells(self._anyway) if self._anyway else [[] for _ in lasted]
        cut = [
            piece
            for name, found, ordinary in zip(self._places.names, lasted, anyway, strict=True)
            for spell in found
            for piece in pieces(name, spell, within(ordinary, steps, margin), STEP_S)
        ]
        causes = Causes(self._reach, self._interventions, self._times_s[0], STEP_S, compared=bool(self._anyway))
        return causes.of(cut)

    def _slowed(self, lasted: Sequence[Sequence[Run]]) -> Iterator[SlowedTruth]:
        levels = np.array(self._levels)
        for place, (name, found) in enumerate(zip(self._places.names, lasted, strict=True)):
            for run in runs((levels[:, place] >= SLOWED) & ~within(list(found), len(levels))):
                ends_s = self._times_s[min(run.end, len(self._times_s) - 1)]
                yield SlowedTruth(name, self._places.sensors(name), at(self._times_s[run.first]), at(ends_s))


def _spells(levels: Sequence[Levels]) -> list[list[Run]]:
    """Per place: when it was congested."""
    by_place = np.array(levels).T
    return [spells(of_place, STEP_S) for of_place in by_place]
