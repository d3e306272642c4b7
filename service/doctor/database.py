"""Judging what was seen of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from service.doctor.finding import Finding, well
from store.edition import Edition
from store.examination import Growth, Rights, Server

_POSTGRES = range(15, 18)
_TIMESCALE_SINCE = (2, 13)
"""The hypertable interface that the migrations use."""
_MUCH_LEFT_DAYS = 90.0
"""A disk that lasts longer is well: time enough to order another. Shorter warns when it is too late to buy."""
_LITTLE_LEFT_DAYS = 14.0
_SOON_DAYS = 2.0
"""Of growth, before a forecast means anything."""
_GB = 1e9


def versions(server: Server) -> Finding:
    major, extension = server.version // 10_000, server.extension or "none"
    seen = f"PostgreSQL {major}.{server.version % 10_000}, TimescaleDB {extension}"
    if major not in _POSTGRES:
        return Finding("versions", "warning", seen, "Vigie is tested with PostgreSQL 15 to 17: move to one of them")
    if not server.extension:
        remedy = (
            "run `vigie db migrate`; where that says no, install TimescaleDB and add it to shared_preload_libraries"
        )
        return Finding("versions", "wrong", seen, remedy)
    if _number(server.extension) < _TIMESCALE_SINCE:
        return Finding("versions", "wrong", seen, "update TimescaleDB to 2.13 or newer")
    if server.available != server.extension:
        remedy = (
            f"the server has {server.available}: psql -X -c 'alter extension timescaledb update', as the first command"
        )
        return Finding("versions", "warning", seen, remedy)
    return well("versions", seen)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.partition("-")[0].split(".")[:2] if part.isdigit())


def schema(missing: Sequence[str], newer: Sequence[str]) -> Finding:
    if missing:
        seen = f"{len(missing)} migrations are missing: {', '.join(missing[:3])}"
        return Finding("schema", "wrong", seen, "run `vigie db migrate`, then start the processes again")
    if newer:
        seen = f"the database is newer than this Vigie: it has {', '.join(newer[:3])}"
        return Finding("schema", "warning", seen, "older code may run on it for a while; update this Vigie")
    return well("schema", "all migrations are applied")


def edition(found: Edition) -> Finding:
    name = "Community" if found.community else "Apache"
    seen = f"{name} edition, as tried; timescaledb.license says {found.licence or 'nothing'!r}"
    if not found.community and found.licence == "timescale":
        seen += ", which is not what is installed"
    return well("edition", seen + ("" if found.community else ": readings are not compressed"))


def permissions(rights: Rights, server: Server) -> Finding:
    if rights.locked:
        seen = f"this role may not read and write {', '.join(rights.locked[:5])}"
        return Finding("permissions", "wrong", seen, "let the role own the tables: `reassign owned by OTHER to vigie`")
    if not rights.may_create:
        seen = "this role may not make tables, which updates and new kinds need"
        return Finding("permissions", "warning", seen, "as a superuser: `grant create on schema public to vigie`")
    if server.superuser:
        seen = "this role is a superuser: whoever breaks into Vigie has the whole server"
        return Finding("permissions", "warning", seen, "as another superuser: `alter role vigie nosuperuser`")
    return well("permissions", "this role may do what it must, and is no superuser")


def disk(growth: Growth, free_bytes: int | None, days_of: Mapping[str, float]) -> Finding:
    """Whether what comes until retention begins to drop as much fits; `days_of` is how long each table is kept."""
    per_day = sum(growth.bytes_per_day.values())
    size = f"{growth.total_bytes / _GB:.2f} GB"
    if growth.days < _SOON_DAYS:
        return Finding(
            "disk", "unknown", f"{size}; {growth.days:.1f} days are too few for a forecast", "look again later"
        )
    whole = sum(bytes_ * days_of[table] for table, bytes_ in growth.bytes_per_day.items())
    seen = f"{size}, {per_day / 1e6:.1f} MB a day, {whole / _GB:.1f} GB when everything is as old as it may become"
    if free_bytes is None:
        remedy = "run this where the database is, with --disk FOLDER on its disk"
        return Finding("disk", "unknown", f"{seen}; the disk of the database cannot be seen from here", remedy)
    left_days = free_bytes / per_day if per_day else float("inf")
    seen += f"; {free_bytes / _GB:.1f} GB are free"
    if left_days > _MUCH_LEFT_DAYS or growth.total_bytes + free_bytes > whole:
        return well("disk", seen)
    seen += f", full in {left_days:.0f} days"
    remedy = "give it a larger disk, or keep less: raw_days, kind_days, resolution_days"
    return Finding("disk", "wrong" if left_days < _LITTLE_LEFT_DAYS else "warning", seen, remedy)


def kept_too_long(overdue: Mapping[str, datetime]) -> Finding:
    if not overdue:
        return well("retention", "nothing is older than it may become")
    table, end = min(overdue.items(), key=lambda item: item[1])
    seen = f"{len(overdue)} tables hold what should be gone, {table} readings from before {end:%F}"
    return Finding("retention", "wrong", seen, "is `vigie analyse` running? its log says why it could not drop them")
