"""Looking at everything, and judging it: the order is that in which things depend on each other."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import get_args

from api.routes.health import readiness
from api.security import LOOPBACK_NAMES
from api.settings import ApiSettings
from ingest.examination import BrokerSilentError, examine_broker
from sensors.broker_url import BrokerUrlError, parse_broker_url
from sensors.errors import OperatorError
from sensors.kind import Kinds
from service.clocks import now
from service.doctor import broker as of_broker
from service.doctor import database as of_database
from service.doctor import machine as of_machine
from service.doctor.finding import Check, Finding, well
from service.endpoints import Endpoints, home_folder
from service.keeping import retention_of
from service.settings import IN_FILE, PREFIX, SECRETS, Settings
from service.signing import FILE
from store.api_queries import DatabaseSource
from store.database import Connection, DatabaseUnavailable, Pool, patient, place
from store.edition import edition_of
from store.examination import Server, growth_of, migrations_missing, overdue_chunks, rights_of, server_of

CHECKS: tuple[Check, ...] = get_args(Check)
_LATE_DAYS = 1.0
"""Retention runs every hour: a chunk that is a day overdue was left for another reason."""
_LOOKS = {
    "database": ("database", "versions", "schema", "edition", "permissions", "clock", "disk", "retention"),
    "progress": ("ingest", "analytics"),
    "broker": ("broker", "queue", "certificate"),
}


async def examine(
    settings: Settings,
    kinds: Kinds,
    endpoints: Endpoints,
    *,
    only: Collection[Check],
    disk: Path | None,
    environ: Mapping[str, str] = os.environ,
) -> AsyncGenerator[Finding]:
    """The findings of the checks in `only`."""
    looks = (
        (_LOOKS["database"], _database(settings, kinds, endpoints.database_url, disk)),
        (_LOOKS["progress"], _progress(endpoints.database_url)),
        (_LOOKS["broker"], _broker(endpoints.broker_url)),
        (("files",), _files(settings, environ)),
    )
    for checks, look in looks:
        async with aclosing(look) as findings:
            if not set(checks).isdisjoint(only):
                async for finding in findings:
                    if finding.check in only:
                        yield finding


async def _database(settings: Settings, kinds: Kinds, url: str, disk: Path | None) -> AsyncGenerator[Finding]:
    try:
        async with patient(url, name="doctor") as conn:
            started = time.monotonic()
            server = await server_of(conn)
            took_s = time.monotonic() - started
            yield well("database", f"{place(url)} answers in {took_s * 1000:.0f} ms")
            yield of_database.versions(server)
            yield of_machine.clock((now() - server.now).total_seconds() - took_s, took_s, of_machine.kernel_clock())
            missing, newer = await migrations_missing(conn)
            yield of_database.schema(missing, newer)
            if not missing:
                async for finding in _tables(settings, kinds, conn, server, _free_bytes(settings, disk)):
                    yield finding
    except DatabaseUnavailable as exc:
        yield Finding("database", "wrong", str(exc), "is it running? does database_url name it, its user and password?")


async def _tables(
    settings: Settings, kinds: Kinds, conn: Connection, server: Server, free_bytes: int | None
) -> AsyncGenerator[Finding]:
    """What can be looked at once there are tables."""
    rights = await rights_of(conn)
    yield of_database.permissions(rights, server)
    if rights.may_create:
        yield of_database.edition(await edition_of(conn))
    if rights.locked:
        return
    retention = retention_of(settings, kinds)
    days = {table: days for kind in kinds.values() for table, days in retention.days_of(kind).items()}
    yield of_database.disk(await growth_of(conn, kinds, server.now), free_bytes, days)
    late = server.now - timedelta(days=_LATE_DAYS)
    yield of_database.kept_too_long(await overdue_chunks(conn, kinds, days, late))


def _free_bytes(settings: Settings, disk: Path | None) -> int | None:
    """Of the disk of the database: the one named, else that of the embedded stack."""
    if disk is None and settings.database_url is not None:
        return None
    folder = disk or home_folder(settings)
    try:
        return shutil.disk_usage(folder).free
    except OSError as exc:
        raise DiskError(f"--disk {folder}: {exc.strerror}; name a folder on the disk of the database") from exc


class DiskError(OperatorError):
    """A folder whose disk cannot be looked at."""


async def _progress(url: str) -> AsyncGenerator[Finding]:
    remedies: Mapping[str, str] = {
        "ingest": "start `vigie ingest`; where it runs, its log says what it waits for",
        "analytics": "start `vigie analyse`; where it runs, its log says what it waits for",
    }
    async with Pool(url, name="doctor", size=1) as pool:
        try:
            checks = readiness(await DatabaseSource(pool, url).progress(), ApiSettings().behind_s)
        except (DatabaseUnavailable, OperatorError) as exc:
            yield Finding("ingest", "unknown", str(exc), "mend the database first")
            yield Finding("analytics", "unknown", str(exc), "mend the database first")
            return
    for check in checks:
        if check.name != "database":
            yield Finding(
                check.name, "well" if check.ok else "wrong", check.detail, "" if check.ok else remedies[check.name]
            )


async def _broker(url: str) -> AsyncGenerator[Finding]:
    try:
        address = parse_broker_url(url)
        facts = await asyncio.to_thread(examine_broker, address)
    except BrokerUrlError as exc:
        yield Finding("broker", "wrong", str(exc), "mend broker_url: docs/settings.md")
        return
    except BrokerSilentError as exc:
        for finding in of_broker.unusable(address.label, str(exc)):
            yield finding
        return
    yield of_broker.broker(facts, address.label)
    yield of_broker.queue(facts)
    yield of_broker.certificate(facts.certificate_until, now(), loopback=address.host in LOOPBACK_NAMES)


async def _files(settings: Settings, environ: Mapping[str, str]) -> AsyncGenerator[Finding]:
    yield of_machine.files(_secret_files(settings, environ))


def _secret_files(settings: Settings, environ: Mapping[str, str]) -> Iterator[Path]:
    yield Path(settings.webhook_key_file).expanduser() if settings.webhook_key_file else home_folder(settings) / FILE
    yield home_folder(settings) / "embedded.json"
    named = (environ.get(f"{PREFIX}{name.upper()}{IN_FILE}") for name in sorted(SECRETS))
    yield from map(Path, filter(None, named))
