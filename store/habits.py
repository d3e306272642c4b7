"""What is usual at each hour of the week, from the hourly means of the last whole weeks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from sensors.kind import Kind, Kinds
from store.database import Connection

WEEKS = 5
"""Weeks that are taken together (domain section 4: 4 to 6). Fewer: one odd week shows; more: it is late to follow."""

MOST_THINGS = 2000
"""Things of a kind for which hours are read: beyond, a refresh reads millions of rows, and causes do without."""

_HOURS = 168

# Whole weeks of the data's own time: within a week it is the same after every restart, for a recording too.
_READ = """
with known as (
    select date_trunc('week', max({table}.time) at time zone 'Europe/Paris') at time zone 'Europe/Paris' as until
    from {table}
)
select {subject},
    (extract(isodow from time at time zone 'Europe/Paris')::int - 1) * 24
        + extract(hour from time at time zone 'Europe/Paris')::int as hour,
    {means}
from {table}, known where time < until and time >= until - interval '{weeks} weeks' group by 1, 2"""

Table = NDArray[np.float32]


async def load_habits(
    conn: Connection, kinds: Kinds, fields: Mapping[str, Iterable[str]]
) -> dict[tuple[str, str], Table]:
    """Means by thing and field: float32 (168,) from Monday 00:00 of the port's time, NaN where nothing is known."""
    found: dict[tuple[str, str], Table] = {}
    for name, wanted in fields.items():
        if name in kinds:
            here = [field for field in wanted if field in kinds[name].field_names]
            found |= await _of_kind(conn, kinds[name], here)
    return found


async def _of_kind(conn: Connection, kind: Kind, fields: list[str]) -> dict[tuple[str, str], Table]:
    counted = await (await conn.execute("select count(*) from sensor where kind = %s", (kind.name,))).fetchone()
    if not fields or counted is None or not 0 < counted[0] <= MOST_THINGS:
        return {}
    statement = sql.SQL(_READ).format(
        table=sql.Identifier(f"{kind.name}_1h"),
        subject=sql.Identifier(kind.subject),
        means=sql.SQL(", ").join(sql.SQL("avg({})").format(sql.Identifier(f"{field}_mean")) for field in fields),
        weeks=sql.SQL(str(WEEKS)),
    )
    found: dict[tuple[str, str], Table] = {}
    for thing, hour, *means in await (await conn.execute(statement)).fetchall():
        for field, mean in zip(fields, means, strict=True):
            table = found.setdefault((thing, field), np.full(_HOURS, np.nan, np.float32))
            table[hour] = np.nan if mean is None else mean
    return found
