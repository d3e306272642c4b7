"""A batch of a fast replay in rounds: two readings of each thing at a time, in the order they arrived.

A replay at a thousand times the pace brings minutes in one batch. What its group has reached is known only at the end
of it, and then a reading of the future looks like one of now: it would be let in, and all true ones after it would be
late. In rounds the same readings are looked at as they came at the pace of the road.

That costs steps, and without somebody who goes back in time it changes nothing: then a batch stays whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from analytics.readings import Readings
from analytics.table import Index, passed
from analytics.window import WINDOW_US

EACH: Final = 2
"""Readings of each thing in a round, a minute of the port: what its group has reached is known as exactly. Fewer: more
steps; more: who is let in from the future makes all that follows late for longer."""

LEAST: Final = 64
"""Readings that a round has at least. Fewer: a step for every reading where only some stations are replayed; more:
hours of them are looked at at once."""


def rounds(batch: Sequence[Readings], things: int) -> list[Sequence[Readings]]:
    """Cut a batch into rounds of so many things.

    It stays whole where it is short, where nobody goes back in time, or where nobody knows when it arrived.
    """
    received = [readings.received_us for readings in batch if readings.received_us is not None]
    count = sum(map(len, received)) // max(EACH * things, LEAST)
    if count <= 1 or len(received) < len(batch) or not any(map(_goes_back, batch)):
        return [batch]
    # Kinds that arrived in one instant came side by side.
    order = np.lexsort((np.concatenate([passed(column) for column in received]), np.concatenate(received)))
    turn = np.empty(len(order), np.intp)
    turn[order] = np.arange(len(order)) * count // len(order)
    turns = np.split(turn, np.cumsum([len(column) for column in received])[:-1])
    return [list(_of_turn(batch, turns, part)) for part in range(count)]


def _goes_back(readings: Readings) -> bool:
    """Whether a thing tells of a time before the window of what it had told."""
    newest: dict[str, int] = {}
    for thing, time_us in zip(readings.thing, readings.time_us.tolist(), strict=True):
        before_us = newest.get(thing, time_us)
        if time_us < before_us - WINDOW_US:
            return True
        newest[thing] = max(before_us, time_us)
    return False


def _of_turn(batch: Sequence[Readings], turns: Sequence[Index], part: int) -> Iterator[Readings]:
    for readings, turn in zip(batch, turns, strict=True):
        rows = np.flatnonzero(turn == part)
        if len(rows):
            yield readings.take(rows)
