"""Container yards: filled and emptied by the boxes of lorries, ships and trains, to the TEU.

A terminal's gates, cranes and blocks are those of the sites that carry its code. A yard above 80 % needs extra moves
for each box, so turns take longer; from 85 % the gates slow down too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sensors.catalogue import Catalogue
from simulators.family import Output
from simulators.interventions import Interventions
from simulators.network import Floats, Ints
from simulators.noise import smooth_noise
from simulators.profile import Moment
from simulators.quay import Cranes

_TEU_PER_MOVE: Final = 1.6
_UNSEEN: Final = 1.4
"""A terminal's cranes, against those with a sensor."""

_RAIL_H: Final = 4.0
"""Moves an hour by rail, in and out, of one block by day; blocks without a quay have eight times as many."""
_NO_QUAY: Final = 8.0

_PLAN: Final = (0.655, 0.04)
"""Share of a block that planners aim at, and how far it wanders in a day and a half."""

_PULL: Final = 2.5
"""How strongly a terminal that is fuller than planned sends more out than it takes in."""

_SLOW_FROM, _SLOWER = 0.80, 5.0
_HAMPERED_FROM, _HAMPERED = 0.85, 4.0
"""From this share on, each further part of the yard makes turns, or gates, so much slower."""

_EVERY_S: Final = 60.0
_BRINGS_WHEN_LATE: Final = 0.9
_STREAM: Final = 4


class Yards:
    """All yard blocks of a catalogue. Arrays are Y, one entry a block; a terminal is an index T."""

    outputs = tuple(Output(name, whole=True) for name in ("teu_used", "teu_capacity", "moves_in", "moves_out"))

    def __init__(self, catalogue: Catalogue, cranes: Cranes, seed: int, interventions: Interventions) -> None:
        self.sensors = tuple(sensor for sensor in catalogue.sensors if sensor.kind == "yard")
        self.names = tuple(sensor.id for sensor in self.sensors)
        self._cranes, self._seed, self._interventions = cranes, seed, interventions
        self._terminal_of = {site.id: site.terminal or site.id for site in catalogue.sites}
        names = list(dict.fromkeys(self._terminal_of.get(s.site, s.site) for s in self.sensors))
        self._index = {name: index for index, name in enumerate(names)}
        self._of = np.array([self._place(s.site) for s in self.sensors], np.intp)
        self._crane_of = np.array([self._place(s.site) for s in cranes.sensors], np.intp)
        self._blocks = [np.flatnonzero(self._of == terminal) for terminal in range(len(names))]
        self._quay = np.isin(np.arange(len(names)), self._crane_of)
        self.capacity = np.array([round(sensor.capacity or 3000) for sensor in self.sensors], np.int64)
        self.used = np.zeros(len(self.sensors), np.int64)
        self.started = False
        self._fill = np.full(len(names), _PLAN[0])
        self._late = np.zeros(len(names))
        self._turn = 0
        self.teu = {"start": 0, "lorries_in": 0, "lorries_out": 0, "other_in": 0, "other_out": 0, "refused": 0}
        self._sums = np.zeros((len(self.sensors), 2), np.int64)

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        """Work ships and trains, once a minute."""
        if self.started and now.at_s % _EVERY_S:
            return
        plan = _PLAN[0] + _PLAN[1] * smooth_noise(self._seed, _STREAM, now.at_s, 36 * 3600, len(self._index))
        if not self.started:
            self._start(plan)
        self._fill = self._filled()
        self._late = np.zeros(len(self._index))
        for one in self._interventions.of(now.at_s, "ship_late"):
            if self._place(one.where) >= 0:
                self._late[self._place(one.where)] = max(one.size, 1.0)
        if self.sensors:
            self._work(self._fill - plan, now, max(step_s, _EVERY_S), rng)

    def bring(self, site: str, teu: int) -> None:
        """A lorry sets a box down; a full yard sends it back with it."""
        self._by_lorry(site, teu, 0)

    def fetch(self, site: str, teu: int) -> None:
        """A lorry takes a box; from an empty yard it leaves without."""
        self._by_lorry(site, teu, 1)

    def brings(self, site: str) -> float:
        """How likely the next lorry brings a box rather than fetches one."""
        terminal = self._place(site)
        if terminal >= 0 and self._late[terminal]:
            return _BRINGS_WHEN_LATE
        return 0.5

    def slower(self, site: str) -> float:
        """By how much a turn takes longer than usual."""
        return 1 + _SLOWER * max(self._full(site) - _SLOW_FROM, 0.0)

    def hampered(self, site: str) -> float:
        """By how much a gate serves slower than usual."""
        return 1 + _HAMPERED * max(self._full(site) - _HAMPERED_FROM, 0.0)

    def state(self) -> Floats:
        """Moves in and out since the start, TEU that are there."""
        return np.column_stack((self._sums, self.used))

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        return np.column_stack((after[:, 2], self.capacity[member], after[:, :2] - before[:, :2]))

    def _place(self, site: str) -> int:
        """The terminal of a site; -1 for one without blocks."""
        return self._index.get(self._terminal_of.get(site, site), -1)

    def _full(self, site: str) -> float:
        terminal = self._place(site)
        return float(self._fill[terminal]) if terminal >= 0 else 0.0

    def _filled(self) -> Floats:
        n = len(self._index)
        filled: Floats = np.bincount(self._of, self.used, n) / np.maximum(np.bincount(self._of, self.capacity, n), 1)
        return filled

    def _start(self, plan: Floats) -> None:
        self.started = True
        self.used = np.rint(plan[self._of] * self.capacity).astype(np.int64)
        self.teu["start"] = int(self.used.sum())

    def _work(self, excess: Floats, now: Moment, step_s: float, rng: np.random.Generator) -> None:
        """Boxes come and go by ship where cranes work, and by rail; in and out tend to the plan."""
        n, hours = len(self._index), step_s / 3600
        known = self._crane_of >= 0
        quay_h = _UNSEEN * np.bincount(self._crane_of[known], self._cranes.moves_h[known], n)
        blocks = np.bincount(self._of, minlength=n)
        rail_h = 2 * _RAIL_H * (0.3 + now.lorries() * 15) * np.where(self._quay, 1.0, _NO_QUAY)
        into = np.clip(0.5 - _PULL * excess, 0.1, 0.9)
        late = self._late > 0
        in_h = np.where(late, self._late * quay_h, into * quay_h) / blocks + into * rail_h
        out_h = np.where(late, 0.0, (1 - into) * quay_h) / blocks + (1 - into) * rail_h
        moves_in = np.minimum(rng.poisson(in_h[self._of] * hours), (self.capacity - self.used) // 2)
        moves_out = np.minimum(rng.poisson(out_h[self._of] * hours), self.used // 2)
        teu_in, teu_out = _teu(moves_in, rng), _teu(moves_out, rng)
        self.used += teu_in - teu_out
        self.teu["other_in"] += int(teu_in.sum())
        self.teu["other_out"] += int(teu_out.sum())
        self._sums += np.stack((moves_in, moves_out), axis=1)

    def _by_lorry(self, site: str, teu: int, out: int) -> None:
        terminal = self._place(site)
        if not teu or terminal < 0:
            return
        self._turn += 1
        blocks = self._blocks[terminal]
        free = self.used[blocks] if out else self.capacity[blocks] - self.used[blocks]
        fits = blocks[free >= teu]
        if not len(fits):
            self.teu["refused"] += teu
            return
        block = fits[self._turn % len(fits)]
        self.used[block] += -teu if out else teu
        self._sums[block, out] += 1
        self.teu["lorries_out" if out else "lorries_in"] += teu


def _teu(moves: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Each move is a box of one or two TEU."""
    return moves + rng.binomial(moves, _TEU_PER_MOVE - 1)
