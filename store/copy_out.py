"""Readings out of PostgreSQL by binary COPY, into numpy columns without an object per value.

The query makes every row equally long: ids are padded with blanks, NULL becomes NaN (which is never stored, so nothing
is confused). What arrives is then the memory of one structured array behind a header.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from sensors.kind import Kind, Text
from store.copy_in import HEADER, POSTGRES_EPOCH_US, TRAILER
from store.database import Connection

ID_BYTES = 64
"""The longest id: a topic level (`sensors.topics`)."""
_BLANK = ord(" ")

_COPY = "copy ({}) to stdout (format binary)"


@dataclass(frozen=True, slots=True)
class ReadColumns:
    """Committed readings of one kind, oldest first; n = len(time_us)."""

    kind: Kind
    thing: NDArray[np.str_]
    """(n,) sensor or corridor ids."""
    time_us: NDArray[np.int64]
    """(n,) when it was measured, microseconds since 1970 UTC."""
    received_us: NDArray[np.int64]
    """(n,) when it reached us, microseconds since 1970 UTC."""
    boot: NDArray[np.int64]
    """(n,) the sender's boot, -1 where absent."""
    seq: NDArray[np.int64]
    """(n,) the sender's count within its boot, -1 where absent."""
    quality: NDArray[np.int16]
    """(n,) bits of `sensors.level.Quality`."""
    values: NDArray[np.float32]
    """(n, len(kind.fields)) in the units of the fields; NaN = missing."""
    words: NDArray[np.float32]
    """(n, len(kind.choices)) the place of each word among the choices of its text; NaN = missing or no choice."""


def selected(kind: Kind) -> sql.Composed:
    """The columns a query must select for `copy_columns`."""
    padded = sql.SQL("rpad({}, {})").format(sql.Identifier(kind.subject), sql.Literal(ID_BYTES))
    fields = (sql.SQL("coalesce({}, 'NaN')").format(sql.Identifier(field)) for field in kind.field_names)
    counted = (sql.SQL("coalesce({}, -1)").format(sql.Identifier(name)) for name in ("boot", "seq"))
    own = (sql.Identifier(name) for name in ("time", "received_at", "quality"))
    return sql.SQL(", ").join((padded, *own, *counted, *fields, *map(_place, kind.choices)))


def _place(text: Text) -> sql.Composed:
    place = sql.SQL("coalesce((array_position({}::text[], {}) - 1)::float4, 'NaN')")
    return place.format(sql.Literal(list(text.choices)), sql.Identifier(text.name))


async def copy_columns(conn: Connection, kind: Kind, query: sql.Composable) -> ReadColumns:
    """Run a query that selects `selected(kind)` and decode all of its rows."""
    async with conn.cursor().copy(sql.SQL(_COPY).format(query)) as copy:
        pieces = [bytes(piece) async for piece in copy]
    return decode(kind, b"".join(pieces))


def decode(kind: Kind, data: bytes) -> ReadColumns:
    """Decode a binary COPY of `selected(kind)`."""
    rows = np.frombuffer(data[len(HEADER) : -len(TRAILER)], _row_type(kind))
    count = len(kind.fields)
    numbers = [rows[f"value{place}"].astype(np.float32) for place in range(6, 6 + count + len(kind.choices))]
    table = np.column_stack(numbers)
    return ReadColumns(
        kind=kind,
        thing=_ids(rows["value0"]),
        time_us=rows["value1"].astype(np.int64) + POSTGRES_EPOCH_US,
        received_us=rows["value2"].astype(np.int64) + POSTGRES_EPOCH_US,
        quality=rows["value3"].astype(np.int16),
        boot=rows["value4"].astype(np.int64),
        seq=rows["value5"].astype(np.int64),
        values=table[:, :count],
        words=table[:, count:],
    )


def joined(kind: Kind, parts: Sequence[ReadColumns]) -> ReadColumns:
    """Several reads of one kind as one, oldest first."""
    time_us = np.concatenate([part.time_us for part in parts])
    order = np.argsort(time_us, kind="stable")
    return ReadColumns(
        kind=kind,
        thing=np.concatenate([part.thing for part in parts])[order],
        time_us=time_us[order],
        received_us=np.concatenate([part.received_us for part in parts])[order],
        boot=np.concatenate([part.boot for part in parts])[order],
        seq=np.concatenate([part.seq for part in parts])[order],
        quality=np.concatenate([part.quality for part in parts])[order],
        values=np.concatenate([part.values for part in parts])[order],
        words=np.concatenate([part.words for part in parts])[order],
    )


def _row_type(kind: Kind) -> np.dtype[np.void]:
    measured = (">f4" for _ in (*kind.fields, *kind.choices))
    formats = (f"V{ID_BYTES}", ">i8", ">i8", ">i2", ">i8", ">i8", *measured)
    fields = [("n", ">i2")]
    for number, format_ in enumerate(formats):
        fields += [(f"length{number}", ">i4"), (f"value{number}", format_)]
    return np.dtype(fields)


def _ids(padded: NDArray[np.void]) -> NDArray[np.str_]:
    """Strip the blanks: as wide as the longest id, because a numpy text is as wide as its column."""
    signs = np.frombuffer(padded.tobytes(), np.uint8).reshape(len(padded), ID_BYTES)
    width = int(np.flatnonzero((signs != _BLANK).any(axis=0)).max(initial=0)) + 1
    narrow = np.where(signs[:, :width] == _BLANK, 0, signs[:, :width]).astype(np.uint8)
    return np.frombuffer(narrow.tobytes(), f"S{width}").astype(np.str_)
