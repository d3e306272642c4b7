"""The catalogue in the database: seeded once from the shipped one, from then on the truth.

A recording registers a site of its own beside the port. Every change is notified on `vigie_catalogue`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from numpy.typing import NDArray
from psycopg import sql
from psycopg.rows import dict_row

from sensors.catalogue import Ban, Catalogue, Corridor, Section, Sensor, Site, Terminal, Way, shipped_catalogue
from sensors.errors import OperatorError
from sensors.kind import Kinds
from sensors.rule import Cooling, Limits, rises
from sensors.topics import is_topic_level
from store.database import Connection, connected

CATALOGUE_CHANNEL = "vigie_catalogue"

_TABLES: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("terminal", Terminal),
    ("site", Site),
    ("sensor", Sensor),
    ("corridor", Corridor),
    ("section", Section),
    ("way", Way),
    ("ban", Ban),
)
"""In the order in which rows may refer to each other."""

# Recordings may have come before; the port itself may live by a recording's clock, in a scratch database for one.
_SEEDED = "select exists (select from site where clock = 'wall' or id = any(%s))"

_NEIGHBOURS = """
insert into neighbour (sensor, neighbour, closeness) select * from unnest(%s::text[], %s::text[], %s::real[])"""

_USUAL_SPEED = "insert into usual_speed (sensor, interval_s, start_s, speed_kmh) values (%s, %s, %s, %s)"

NeighbourRow = tuple[str, str, float]
"""Sensor, neighbour, closeness 0..1."""
UsualSpeedRow = tuple[str, int, int, "NDArray[Any]"]
"""Sensor, interval in seconds, start in seconds of the ISO week (UTC), speeds in km/h with NaN where unknown."""


class CatalogueRefused(OperatorError):  # noqa: N818  as DatabaseUnavailable
    """What should be registered contradicts what is installed."""


async def seed(url: str, catalogue: Catalogue | None = None) -> bool:
    """Fill an empty database with `catalogue`, the shipped one by default; False where there is a catalogue already."""
    async with connected(url, name="seed") as conn, conn.transaction():
        # Two processes that start together: the second waits here and then sees what the first wrote.
        await conn.execute("lock table site in exclusive mode")
        cursor = await conn.execute(_SEEDED, ([site.id for site in (catalogue or shipped_catalogue()).sites],))
        row = await cursor.fetchone()
        if row is None or row[0]:
            return False
        await _write(conn, catalogue or shipped_catalogue())
        return True


async def load_catalogue(conn: Connection) -> Catalogue:
    """Everything that is installed, in one consistent view, ordered by id."""
    async with conn.transaction():
        await conn.execute("set transaction isolation level repeatable read")
        return await _load(conn)


async def load_neighbours(conn: Connection) -> list[NeighbourRow]:
    """What recordings said about which of their sensors are near each other."""
    cursor = await conn.execute("select sensor, neighbour, closeness from neighbour order by sensor, neighbour")
    return [(str(sensor), str(neighbour), float(closeness)) for sensor, neighbour, closeness in await cursor.fetchall()]


async def _load(conn: Connection) -> Catalogue:
    found = {f"{table}s": await _read(conn, table, type_) for table, type_ in _TABLES}
    return msgspec.convert(found, Catalogue)


async def register_recording(
    conn: Connection,
    site: Site,
    sensors: Sequence[Sensor],
    *,
    corridors: Sequence[Corridor] = (),
    neighbours: Iterable[NeighbourRow] = (),
    usual_speeds: Iterable[UsualSpeedRow] = (),
) -> None:
    """Install a recording's site with everything it brings; registering it again changes nothing.

    Raises `CatalogueRefused` when the site is one of the port's, or a sensor belongs to another site.
    """
    ids = [sensor.id for sensor in sensors]
    async with conn.transaction():
        await _require_free(conn, site, ids)
        await _write(conn, Catalogue(sites=(site,), sensors=tuple(sensors), corridors=tuple(corridors)))
        await conn.execute("delete from neighbour where sensor = any(%s)", (ids,))
        await conn.execute("delete from usual_speed where sensor = any(%s)", (ids,))
        near = list(neighbours)
        await conn.execute(_NEIGHBOURS, tuple([row[part] for row in near] for part in range(3)))
        async with conn.cursor() as cursor:
            await cursor.executemany(_USUAL_SPEED, [_usual_speed(row) for row in usual_speeds])


async def register_sensor(conn: Connection, sensor: Sensor, kinds: Kinds) -> None:
    """Install one more sensor; raises `CatalogueRefused` when its id is taken, or its site or kind does not exist."""
    async with conn.transaction():
        catalogue = await _load(conn)
        if sensor.kind not in kinds:
            raise CatalogueRefused(f"there is no kind {sensor.kind!r}: choose one of {', '.join(kinds)}")
        if sensor.site not in catalogue.site_by_id:
            raise CatalogueRefused(f"there is no site {sensor.site!r}: 'vigie sensors list' shows the sites")
        if sensor.id in catalogue.sensor_by_id or sensor.id in catalogue.corridor_by_id:
            raise CatalogueRefused(f"{sensor.id} is installed already: choose another id")
        await _write(conn, Catalogue(sites=(), sensors=(sensor,)))


async def set_limits(
    conn: Connection, place: str, kind: str | None, limits: tuple[float, float, float] | None, kinds: Kinds
) -> list[str]:
    """Give a sensor, or those of one kind at a site, limits of their own; None gives the kind's back.

    Returns whose limits they are; raises `CatalogueRefused`.
    """
    if limits is not None and not rises(*limits):
        raise CatalogueRefused(f"the limits {', '.join(f'{n:g}' for n in limits)} must rise: dense, congested, jammed")
    dense, congested, jammed = limits or (None, None, None)
    own = {"dense": dense, "congested": congested, "jammed": jammed}
    async with conn.transaction():
        found = _limited(await _load(conn), place, kind, kinds)
        await _write(conn, Catalogue(sites=(), sensors=tuple(msgspec.structs.replace(s, **own) for s in found)))
    return [sensor.id for sensor in found]


def _limited(catalogue: Catalogue, place: str, kind: str | None, kinds: Kinds) -> list[Sensor]:
    """The sensors of one kind at a place whose levels have limits."""
    judged = {name for name, one in kinds.items() if isinstance(one.level, Limits | Cooling)}
    found = [s for s in catalogue.sensors if place in (s.id, s.site) and s.kind in judged and kind in (None, s.kind)]
    names = sorted({sensor.kind for sensor in found})
    if not names:
        raise CatalogueRefused(f"{place}: no sensor here is judged by limits; 'vigie sensors list' shows the sensors")
    if len(names) > 1:
        raise CatalogueRefused(f"{place} has sensors of several kinds, name one with --kind: {', '.join(names)}")
    return found


async def _require_free(conn: Connection, site: Site, ids: list[str]) -> None:
    if site.clock != "recording":
        raise CatalogueRefused(f"site {site.id}: a recording's site needs the clock 'recording', not {site.clock!r}")
    cursor = await conn.execute("select clock from site where id = %s", (site.id,))
    for (clock,) in await cursor.fetchall():
        if clock != "recording":
            raise CatalogueRefused(f"site {site.id} is one of the port's: name the replay's otherwise")
    cursor = await conn.execute("select id, site from sensor where id = any(%s) and site <> %s limit 1", (ids, site.id))
    for sensor, owner in await cursor.fetchall():
        raise CatalogueRefused(f"sensor {sensor} belongs to site {owner} already, it cannot be one of {site.id}'s")


async def _write(conn: Connection, catalogue: Catalogue) -> None:
    """Insert or replace everything of `catalogue`, in the caller's transaction, and say so."""
    for table, type_ in _TABLES:
        rows = getattr(catalogue, f"{table}s")
        for row in rows:
            name = row.code if isinstance(row, Terminal) else row.id
            if not is_topic_level(name):
                raise CatalogueRefused(f"{table} {name!r}: an id has 1 to 64 letters, digits and _ . : -")
        async with conn.cursor() as cursor:
            await cursor.executemany(_upsert(table, type_), [_values(row) for row in rows])
    await conn.execute("select pg_notify(%s, '')", (CATALOGUE_CHANNEL,))


def _upsert(table: str, type_: type[msgspec.Struct]) -> sql.Composed:
    names = type_.__struct_fields__
    key, *rest = (sql.Identifier(name) for name in names)
    return sql.SQL("insert into {} ({}) values ({}) on conflict ({}) do update set {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join((key, *rest)),
        sql.SQL(", ").join(sql.Placeholder() * len(names)),
        key,
        sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(name) for name in rest),
    )


def _values(row: msgspec.Struct) -> list[object]:
    """The values of a row; a tuple is an array to the database, psycopg would make it a record."""
    return [list(value) if isinstance(value, tuple) else value for value in msgspec.structs.astuple(row)]


async def _read(conn: Connection, table: str, type_: type[msgspec.Struct]) -> list[dict[str, Any]]:
    names = [sql.Identifier(name) for name in type_.__struct_fields__]
    query = sql.SQL("select {} from {} order by 1").format(sql.SQL(", ").join(names), sql.Identifier(table))
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query)
        return await cursor.fetchall()


def _usual_speed(row: UsualSpeedRow) -> tuple[str, int, int, list[float | None]]:
    sensor, interval_s, start_s, speeds = row
    return sensor, interval_s, start_s, [speed if math.isfinite(speed) else None for speed in speeds.tolist()]
