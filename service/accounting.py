"""`vigie account`: of each sensor what a day should have brought and what became of it, to the unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from store.catalogue import load_catalogue
from store.database import connected
from store.days import ThingDay, account_of_day


@dataclass(frozen=True, slots=True)
class Account:
    """One sensor or corridor on one day.

    `expected` counts numbers where the sender gives them, else the periods of the day; None where neither says. Each
    entry of `missing_named` is a boot with the first and last number that is missing.
    """

    sensor: str
    site: str
    expected: int | None
    stored: int
    duplicate: int
    conflict: int
    quarantined: int
    missing: int
    missing_named: list[tuple[int | None, int, int]]


async def account(database_url: str, kinds: Kinds, day: date) -> list[Account]:
    """The account of every sensor and corridor for a UTC day. Raises `DatabaseUnavailable`."""
    async with connected(database_url, name="account") as conn:
        catalogue = await load_catalogue(conn)
        days = await account_of_day(conn, kinds, day)
    return list(accounts(catalogue, kinds, days, day, datetime.now(UTC)))


def accounts(
    catalogue: Catalogue, kinds: Kinds, days: Mapping[str, ThingDay], day: date, now: datetime
) -> Iterator[Account]:
    """Of everything that is installed at a site with the wall's clock, and of what spoke elsewhere."""
    begun = datetime.combine(day, time(), UTC)
    elapsed_s = max(0.0, (min(now, begun + timedelta(days=1)) - begun).total_seconds())
    for thing, site, period_s in sorted(_things(catalogue, kinds)):
        wall = catalogue.site_by_id[site].clock == "wall"
        if thing in days or wall:
            periods = int(elapsed_s / period_s) if wall and period_s > 0 else None
            yield _account(thing, site, days.get(thing, ThingDay()), periods)


def _things(catalogue: Catalogue, kinds: Kinds) -> Iterator[tuple[str, str, float]]:
    """Each with its site and its period in seconds, 0 where it has none."""
    for sensor in catalogue.sensors:
        yield sensor.id, sensor.site, sensor.period_s or kinds[sensor.kind].period_s if sensor.kind in kinds else 0.0
    periods = [kind.period_s for kind in kinds.values() if kind.subject == "corridor"]
    for corridor in catalogue.corridors:
        yield corridor.id, corridor.to_site, periods[0] if len(periods) == 1 else 0.0


def _account(thing: str, site: str, found: ThingDay, periods: int | None) -> Account:
    counted = {boot: numbers.missing(found.gaps.get(boot, ())) for boot, numbers in found.boots.items()}
    named = [(None if boot < 0 else boot, *gap) for boot, (_, gaps) in sorted(counted.items()) for gap in gaps]
    missing = sum(last - first + 1 for _, first, last in named)
    stored = found.unnumbered + sum(numbers.stored for numbers in found.boots.values())
    quarantined = found.quarantined + sum(len(numbers.quarantined) for numbers in found.boots.values())
    expected: int | None = found.unnumbered + found.quarantined + sum(count for count, _ in counted.values())
    if not counted:
        expected, missing = periods, max(0, (periods or 0) - stored - quarantined)
    return Account(thing, site, expected, stored, found.duplicates, found.conflicts, quarantined, missing, named)


def account_json(day: date, found: list[Account]) -> dict[str, object]:
    return {"day": day.isoformat(), "sensors": [asdict(entry) for entry in found]}


def account_rows(found: list[Account]) -> Iterator[tuple[str, ...]]:
    """A table: heads, then one line a sensor."""
    yield "sensor", "expected", "stored", "duplicate", "conflict", "quarantined", "missing", "which"
    for entry in found:
        counts = (entry.expected, entry.stored, entry.duplicate, entry.conflict, entry.quarantined, entry.missing)
        named = " ".join(f"{'-' if boot is None else boot}:{first}-{last}" for boot, first, last in entry.missing_named)
        yield entry.sensor, *("?" if count is None else str(count) for count in counts), named
