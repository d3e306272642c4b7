"""What the sensors of one kind have in common: stepped together, and read together between two states.

A reading follows from what its sensor knew when it read last and what it knows now. So one formula, over arrays, serves
the sensor that is due (`Meter`) and six weeks of a database (`simulators.history`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from simulators.network import Floats, Ints
from simulators.profile import Moment

Values = dict[str, float | str | None]


class Output(NamedTuple):
    """One value of a reading: a measure, a count (`whole`), or one of `choices`, told by its place among them."""

    name: str
    whole: bool = False
    choices: tuple[str, ...] = ()


class Family(Protocol):
    """N sensors of one kind."""

    @property
    def outputs(self) -> tuple[Output, ...]: ...

    def step(self, now: Moment, step_s: float, rng: np.random.Generator) -> None: ...

    def state(self) -> Floats:
        """N,K what a reading may rest on: sums since the start, and the state of now. A new array."""

    def read(self, member: Ints, before: Floats, after: Floats) -> Floats:
        """R,outputs the readings of R members from one state (R,K) to another, NaN for null."""


class Meter:
    """Reads the members of a family one by one, each over the time since its last reading.

    All are computed when the first is asked for: in one step many are due.
    """

    def __init__(self, family: Family, members: int) -> None:
        self._family = family
        self._all = np.arange(members, dtype=np.intp)
        self._after = self._marks = family.state()
        self._rows: list[Sequence[float] | None] | None = None

    def stepped(self) -> None:
        """The family has moved on."""
        self._rows = None

    def mark(self, members: Ints) -> None:
        """The next readings of these members start here."""
        self._marks = self._marks.copy()
        self._marks[members] = self._family.state()[members]
        self._rows = None

    @property
    def marks(self) -> Floats:
        """N,K the state of each member when it was read last."""
        return self._marks.copy()

    def measure(self, member: int) -> Values:
        row = self._row(member)
        self._marks[member] = self._after[member]
        values: Values = {}
        for output, value in zip(self._family.outputs, row, strict=True):
            if value != value:  # noqa: PLR0124  the quickest test for NaN, ten times a sensor and minute
                values[output.name] = None
            elif output.choices:
                values[output.name] = output.choices[int(value)]
            else:
                values[output.name] = int(value) if output.whole else value
        return values

    def _row(self, member: int) -> Sequence[float]:
        """The reading of a member in this step; a second one covers no time."""
        if self._rows is None:
            self._after = self._family.state()
            self._rows = self._family.read(self._all, self._marks, self._after).tolist()
        row, self._rows[member] = self._rows[member], None
        if row is None:
            one = self._all[member : member + 1]
            row = self._family.read(one, self._marks[one], self._after[one])[0].tolist()
        return row
