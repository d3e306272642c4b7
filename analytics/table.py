"""Tables of equally long numpy columns: the shape of everything analytics keeps over its things.

A table is a dataclass whose fields are arrays, equally long along their first axis. Columns are apart (not a structured
array) because one step over 90,000 sensors touches few of them at a time, and contiguous ones are three times as fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
Int8 = NDArray[np.int8]
Int16 = NDArray[np.int16]
Int64 = NDArray[np.int64]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]


Rows = Index | Mask | slice


def run_of(index: Index) -> Rows:
    """Return the slice that an index is, where it is one: copying a slice is ten times as fast."""
    if len(index) and index[-1] - index[0] == len(index) - 1 and (np.diff(index) == 1).all():
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def passed(group: Index | Int64) -> Float64:
    """What share of its group has passed at each row, (n,): the rows of a group come one after the other."""
    order = np.argsort(group, kind="stable")
    first = np.flatnonzero(np.append(True, np.diff(group[order]) != 0)[: len(group)])
    counts = np.diff(first, append=len(group))
    share = np.empty(len(group))
    share[order] = (np.arange(len(group)) - np.repeat(first, counts) + 0.5) / np.repeat(counts, counts)
    return share


def _numbers(index: Index | Mask) -> Index:
    """Return the numbers of rows: taking rows by number is several times as fast as by mask, most of all in 2-D."""
    return np.flatnonzero(index) if index.dtype == np.bool_ else index.astype(np.intp, copy=False)


class Table:
    """Base of the dataclasses whose every field is a column; adds selection, assignment and concatenation."""

    __slots__ = ()

    @classmethod
    @cache
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))  # type: ignore[arg-type]  # every subclass is a dataclass

    def columns(self) -> Iterator[NDArray[Any]]:
        return (getattr(self, name) for name in self.names())

    def take(self, index: Rows) -> Self:
        """Copy the rows of `index`."""
        if isinstance(index, slice):
            return type(self)(*(column[index].copy() for column in self.columns()))
        rows = _numbers(index)
        return type(self)(*(column.take(rows, axis=0) for column in self.columns()))

    def look(self, index: Rows) -> Self:
        """Take the rows of `index` to be read: for a slice nothing is copied."""
        if isinstance(index, slice):
            return type(self)(*(column[index] for column in self.columns()))
        return self.take(index)

    def put(self, index: Rows, rows: Self) -> None:
        """Overwrite the rows of `index`."""
        place = index if isinstance(index, slice) else _numbers(index)
        for column, value in zip(self.columns(), rows.columns(), strict=True):
            column[place] = value

    def head(self, count: int) -> Self:
        """View the first `count` rows: writing to it writes here."""
        return type(self)(*(column[:count] for column in self.columns()))

    def join(self, other: Self) -> Self:
        """Copy both into one, this first."""
        return self.joined([self, other])

    @classmethod
    def joined(cls, tables: Sequence[Self]) -> Self:
        """Copy tables into one, in their order."""
        return cls(*map(np.concatenate, zip(*(table.columns() for table in tables), strict=True)))
