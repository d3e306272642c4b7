"""Binary COPY into PostgreSQL, built from numpy columns without an object per row.

The format is a header, then per row the number of fields and per field a length and its bytes (-1 for NULL). Rows that
are null in the same fields and whose texts have the same lengths have one fixed layout, hence one structured dtype:
rows are grouped by layout, each group is filled column by column and its memory is the wire format.
Rows leave in another order than they came; where order matters a column must carry it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
POSTGRES_EPOCH_US = 946_684_800_000_000
"""PostgreSQL counts microseconds since 2000-01-01 UTC."""

_NULL = -1
_DENSE = 1 << 40
"""Layout numbers are made dense again before they can overflow 63 bits (a text is shorter than 2**20)."""

Null = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column of fixed width: big-endian values, and where they are NULL (None: nowhere)."""

    values: NDArray[np.generic]
    null: Null | None = None


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of UTF-8 texts of any length, None for NULL."""

    encoded: list[bytes | None]


Column = NumberColumn | TextColumn


def bigints(values: NDArray[np.int64], *, absent: int | None = None) -> NumberColumn:
    """A bigint column; NULL where the value is `absent`."""
    return NumberColumn(values.astype(">i8"), None if absent is None else values == absent)


def smallints(values: NDArray[np.int16]) -> NumberColumn:
    return NumberColumn(values.astype(">i2"))


def integers(values: NDArray[np.int64]) -> NumberColumn:
    return NumberColumn(values.astype(">i4"))


def timestamps(time_us: NDArray[np.int64]) -> NumberColumn:
    """A timestamptz column from microseconds since 1970 UTC."""
    return NumberColumn((time_us - POSTGRES_EPOCH_US).astype(">i8"))


def reals(values: NDArray[np.float32]) -> NumberColumn:
    """A real column; NULL where NaN."""
    return NumberColumn(values.astype(">f4"), np.isnan(values))


def texts(values: Iterable[str | None]) -> TextColumn:
    return TextColumn([None if value is None else value.encode() for value in values])


def binary_copy(columns: Sequence[Column], rows: int) -> list[bytes]:
    """The pieces of a binary COPY of `rows` rows, to be sent in turn."""
    return [HEADER, *(_group(columns, index) for index in _groups(columns, rows)), TRAILER]


def _groups(columns: Sequence[Column], rows: int) -> list[NDArray[np.intp]]:
    """Row numbers of each layout, in order within a layout."""
    layout = np.zeros(rows, np.int64)
    for column in columns:
        match column:
            case NumberColumn(null=null):
                layout = layout if null is None else layout * 2 + null
            case TextColumn(encoded=encoded):
                lengths = _lengths(encoded)
                layout = layout * (int(lengths.max(initial=0)) + 2) + lengths + 1
        if layout.max(initial=0) >= _DENSE:
            layout = np.unique(layout, return_inverse=True)[1].astype(np.int64)
    order = np.argsort(layout, kind="stable")
    borders = np.flatnonzero(np.diff(layout[order])) + 1
    return [group for group in np.split(order, borders) if len(group)]


def _lengths(encoded: list[bytes | None]) -> NDArray[np.int64]:
    return np.fromiter((_NULL if text is None else len(text) for text in encoded), np.int64, len(encoded))


def _group(columns: Sequence[Column], index: NDArray[np.intp]) -> bytes:
    """The wire format of rows of one layout."""
    first = int(index[0])
    formats = tuple(_format(column, first) for column in columns)
    rows = np.empty(len(index), _row_type(formats))
    rows["n"] = len(columns)
    for number, (column, format_) in enumerate(zip(columns, formats, strict=True)):
        rows[f"length{number}"] = np.dtype(format_).itemsize if format_ else _NULL
        if format_:
            rows[f"value{number}"] = _values(column, index, format_)
    return rows.tobytes()


def _format(column: Column, row: int) -> str:
    """The numpy format of a column in the layout of `row`; empty for NULL."""
    if isinstance(column, NumberColumn):
        return "" if column.null is not None and column.null[row] else column.values.dtype.str
    text = column.encoded[row]
    return "" if text is None else f"V{len(text)}"


def _values(column: Column, index: NDArray[np.intp], format_: str) -> NDArray[np.generic]:
    if isinstance(column, NumberColumn):
        return column.values[index]
    joined = b"".join(text for row in index.tolist() if (text := column.encoded[row]) is not None)
    return np.frombuffer(joined, format_) if joined else np.zeros(len(index), format_)


@lru_cache(maxsize=4096)
def _row_type(formats: tuple[str, ...]) -> np.dtype[np.void]:
    fields = [("n", ">i2")]
    for number, format_ in enumerate(formats):
        fields.append((f"length{number}", ">i4"))
        if format_:
            fields.append((f"value{number}", format_))
    return np.dtype(fields)
