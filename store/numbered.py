"""What is stored of numbered readings, for whoever compares it with what was sent, value by value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from sensors.kind import Kind
from store.copy_in import HEADER, POSTGRES_EPOCH_US, TRAILER
from store.database import Connection
from store.ledger import Account

_ACCOUNTS = """
select coalesce(sum(committed), 0)::bigint, coalesce(sum(duplicates), 0)::bigint,
    coalesce(sum(conflicts), 0)::bigint, coalesce(sum(quarantined), 0)::bigint
from account"""

_STORED = "select {columns} from {table} where {subject} = {thing} order by time"

_MISSING = "select first_seq, last_seq from sequence_gap where thing = %s and boot = %s"

_DURABILITY = ("fsync", "synchronous_commit")


@dataclass(frozen=True, slots=True)
class StoredNumbers:
    """One thing's readings by time; n = len(time_us)."""

    time_us: NDArray[np.int64]
    """(n,) microseconds since 1970 UTC."""
    boot: NDArray[np.int64]
    """(n,) -1 where absent."""
    seq: NDArray[np.int64]
    """(n,) -1 where absent."""
    values: NDArray[np.float32]
    """(n, len(kind.fields)) in the units of the fields; NaN = missing."""


async def accounts(conn: Connection) -> Account:
    """What became of all messages so far."""
    row = await (await conn.execute(_ACCOUNTS)).fetchone()
    assert row is not None
    return Account(*row)


async def durability(conn: Connection) -> dict[str, str]:
    """What the server says of `fsync` and `synchronous_commit` for a connection like those that store."""
    shown = {}
    for name in _DURABILITY:
        row = await (await conn.execute(sql.SQL("show {}").format(sql.Identifier(name)))).fetchone()
        assert row is not None
        shown[name] = str(row[0])
    return shown


async def stored_numbers(conn: Connection, kind: Kind, thing: str) -> StoredNumbers:
    """All readings of one kind that are stored of a sensor or corridor."""
    own = [sql.SQL("time"), *(sql.SQL("coalesce({}, -1)").format(sql.Identifier(name)) for name in ("boot", "seq"))]
    fields = [sql.SQL("coalesce({}, 'NaN')").format(sql.Identifier(name)) for name in kind.field_names]
    query = sql.SQL(_STORED).format(
        columns=sql.SQL(", ").join([*own, *fields]),
        table=sql.Identifier(kind.name),
        subject=sql.Identifier(kind.subject),
        thing=sql.Literal(thing),
    )
    async with conn.cursor().copy(sql.SQL("copy ({}) to stdout (format binary)").format(query)) as copy:
        data = b"".join([bytes(piece) async for piece in copy])
    rows = np.frombuffer(data[len(HEADER) : -len(TRAILER)], _row_type(len(kind.fields)))
    return StoredNumbers(
        time_us=rows["value0"].astype(np.int64) + POSTGRES_EPOCH_US,
        boot=rows["value1"].astype(np.int64),
        seq=rows["value2"].astype(np.int64),
        values=np.column_stack([rows[f"value{3 + number}"].astype(np.float32) for number in range(len(kind.fields))]),
    )


async def missing_numbers(conn: Connection, thing: str, boot: int) -> list[tuple[int, int]]:
    """What is named as missing of a thing's boot: first and last number of each gap."""
    return await (await conn.execute(_MISSING, (thing, boot))).fetchall()


def settled(account: Account) -> int:
    """How many different messages an account speaks of: each is stored, kept apart or in quarantine."""
    return account.committed + account.conflicts + account.quarantined


def _row_type(fields: int) -> np.dtype[np.void]:
    parts = [("n", ">i2")]
    for number, format_ in enumerate((">i8", ">i8", ">i8", *[">f4"] * fields)):
        parts += [(f"length{number}", ">i4"), (f"value{number}", format_)]
    return np.dtype(parts)
