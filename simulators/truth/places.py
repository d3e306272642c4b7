"""The places that can be congested, how bad each is in a view of the world, and which sensors would see it."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from sensors.roads import RoadGraph
from sensors.rule import Cooling, Limits
from simulators.network import Floats
from simulators.truth.lines import PlaceKind
from simulators.truth.spells import CONGESTED, FREE, SLOWED, Levels
from simulators.view import View

RATIO: Final = (0.75, 0.60)
"""Mean speed over free speed below which a section is slowed, and congested (domain of the port: dense, congested)."""


class Places:
    """P places: sections, gates, yard blocks, lorry parks, cranes, reefer racks; known from the first view on."""

    def __init__(self, catalogue: Catalogue, kinds: Kinds) -> None:
        self._catalogue = catalogue
        self._wait_s, self._fill = _limits(kinds, "gate"), _limits(kinds, "yard")
        self._parked, self._unplugged = _limits(kinds, "parking"), _limits(kinds, "reefer")
        self.names: tuple[str, ...] = ()
        self.kind: dict[str, PlaceKind] = {}
        self._sensors: dict[str, list[str]] = defaultdict(list)

    def levels(self, view: View) -> Levels:
        """P levels of one step: free, slowed or congested.

        A section is slowed too where only the cell is slow that one of its sensors sees.
        """
        if not self.names:
            self._learn(view)
        seen_slow = view.cell_section[view.loop_cell[view.cell_ratio[view.loop_cell] < RATIO[0]]]
        sections = _judge(-view.speed_ratio, (-RATIO[0], -RATIO[1]), below=True)
        sections[seen_slow] = np.maximum(sections[seen_slow], SLOWED)
        return np.concatenate(
            [
                sections,
                _judge(view.gate_wait_s, self._wait_s),
                _judge(view.yard_fill, self._fill),
                _judge(view.park_fill, self._parked),
                np.where(view.crane_stopped, CONGESTED, FREE).astype(np.int8),
                _judge(view.rack_failed, self._unplugged),
            ]
        )

    def sensors(self, name: str) -> tuple[str, ...]:
        """Road sensors on a section, corridors over it, gates that it ends at; the others are their own."""
        return tuple(self._sensors[name])

    def _learn(self, view: View) -> None:
        alone: tuple[tuple[PlaceKind, tuple[str, ...]], ...] = (
            ("gate", view.gates),
            ("yard", view.yards),
            ("parking", view.parks),
            ("crane", view.cranes),
            ("reefer", view.racks),
        )
        self.names = view.sections + tuple(name for _, names in alone for name in names)
        self.kind.update((name, "section") for name in view.sections)
        self.kind.update((name, kind) for kind, names in alone for name in names)
        for loop, cell in zip(view.loops, view.loop_cell, strict=True):
            self._sensors[view.sections[view.cell_section[cell]]].append(loop)
        graph = RoadGraph(self._catalogue)
        for corridor in self._catalogue.corridors:
            for section in graph.along(corridor):
                self._sensors[section.id].append(corridor.id)
        for gate in (s for s in self._catalogue.sensors if s.kind == "gate" and s.direction != "out"):
            for section in self._catalogue.sections:
                if section.to_site == gate.site:
                    self._sensors[section.id].append(gate.id)
        for _, names in alone:
            for name in names:
                self._sensors[name].append(name)


def _limits(kinds: Kinds, name: str) -> tuple[float, float]:
    """The dense and the congested limit of a kind; never reached where it is judged by none."""
    level = kinds[name].level if name in kinds else None
    return (level.dense, level.congested) if isinstance(level, Limits | Cooling) else (np.inf, np.inf)


def _judge(values: Floats, limits: tuple[float, float], *, below: bool = False) -> Levels:
    """A level holds from its limit on, or only beyond it."""
    dense, congested = limits
    over = np.greater if below else np.greater_equal
    levels: Levels = np.where(over(values, congested), CONGESTED, np.where(over(values, dense), SLOWED, FREE)).astype(
        np.int8
    )
    return levels
