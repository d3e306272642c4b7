"""The books of ingest, written in the transaction that stores the readings: batches, accounts, devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.columns import DeviceHealth, Quarantined
from store.database import Connection
from store.spans import Span, at
from store.staging import Fate

_BATCH = """
insert into batch (batch, slot, kind, min_time, max_time, rows)
select %s, %s, * from unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::int[])"""

# Sites in a fixed order, so that two slots never wait for each other. Only sites that exist get a row: the site of a
# quarantined message is whatever its topic says, and anybody can invent those.
_ACCOUNT = """
insert into account (site, committed, duplicates, conflicts, quarantined)
select coalesce(site.id, ''), sum(committed), sum(duplicates), sum(conflicts), sum(quarantined)
from unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    as new (site, committed, duplicates, conflicts, quarantined)
left join site on site.id = new.site
group by 1 order by 1
on conflict (site) do update set
    committed = account.committed + excluded.committed,
    duplicates = account.duplicates + excluded.duplicates,
    conflicts = account.conflicts + excluded.conflicts,
    quarantined = account.quarantined + excluded.quarantined"""

_HEALTH = """
insert into device_health (sensor, time, battery_v, rssi_dbm, firmware)
select * from unnest(%s::text[], %s::timestamptz[], %s::real[], %s::real[], %s::text[])
on conflict do nothing"""


@dataclass(slots=True)
class Account:
    """Messages of a site by what became of them."""

    committed: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0


@dataclass(slots=True)
class Tally:
    """Accounts by site of one transaction."""

    sites: dict[str, Account] = field(default_factory=dict)

    def readings(self, sites: Sequence[str], fates: NDArray[np.int8] | None) -> None:
        """Count readings by their `Fate`; None says that all are committed."""
        if fates is None:
            for site, count in Counter(sites).items():
                self._of(site).committed += count
            return
        for (site, fate), count in Counter(zip(sites, fates.tolist(), strict=True)).items():
            account = self._of(site)
            account.committed += count * (fate == Fate.COMMITTED)
            account.duplicates += count * (fate == Fate.DUPLICATE)
            account.conflicts += count * (fate == Fate.CONFLICT)

    def quarantined(self, messages: Iterable[Quarantined]) -> None:
        for message in messages:
            self._of(storable(message.site) or "").quarantined += 1

    def total(self) -> Account:
        rows = [(a.committed, a.duplicates, a.conflicts, a.quarantined) for a in self.sites.values()]
        return Account(*map(sum, zip(*rows, strict=True))) if rows else Account()

    def _of(self, site: str) -> Account:
        return self.sites.setdefault(site, Account())


async def book_batch(conn: Connection, batch: int, slot: int, stored: dict[str, list[Span]]) -> None:
    """Tell the readers of committed rows what to read; `stored` by kind."""
    rows = [(kind, at(span.min_us), at(span.max_us), span.rows) for kind, parts in stored.items() for span in parts]
    if rows:
        await conn.execute(_BATCH, (batch, slot, *_columns(rows)))
        await conn.execute("select pg_notify('vigie_batch', %s)", (str(batch),))


async def book_accounts(conn: Connection, tally: Tally) -> None:
    if tally.sites:
        rows = [(site, a.committed, a.duplicates, a.conflicts, a.quarantined) for site, a in tally.sites.items()]
        await conn.execute(_ACCOUNT, tuple(_columns(rows)))


async def book_health(conn: Connection, health: Sequence[DeviceHealth]) -> None:
    rows = [(h.thing, at(h.time_us), h.battery_v, h.rssi_dbm, h.firmware) for h in health]
    if rows:
        await conn.execute(_HEALTH, tuple(_columns(rows)))


def storable(text: str | None) -> str | None:
    """What PostgreSQL accepts as a text: no NUL, no half of a surrogate pair."""
    return None if text is None else text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _columns(rows: Sequence[tuple[object, ...]]) -> Iterator[list[object]]:
    return map(list, zip(*rows, strict=True))
