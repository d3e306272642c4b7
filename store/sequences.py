"""How far each sender's numbers are settled: kept with the readings in one transaction, and remembered between batches.

What is remembered is only what has committed; after any failure it is forgotten and read again, because a transaction
whose COMMIT broke may have happened, and another process may have held the slot meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.columns import Batch
from ingest.numbering import Run, runs
from ingest.sequence import Progress, Settled
from sensors.receipt import Gap
from store.database import Connection
from store.spans import at

BOOTS_REMEMBERED = 4
"""Boots of one thing that its receipt speaks of: a sender that restarts may still hold readings of the last ones."""

Pair = tuple[str, int]
"""Thing and boot."""

# By begun, so that the receipts after a restart speak of the same boots as before.
_READ_THINGS = """
select thing, boot, begun, highest, given_up, quarantined from unnest(%s::text[]) as wanted (name)
cross join lateral (select * from sequence where thing = name order by begun desc limit %s) sequence"""

_READ_PAIRS = """
select thing, boot, begun, highest, given_up, quarantined
from unnest(%s::text[], %s::bigint[]) as wanted (thing, boot) join sequence using (thing, boot)"""

_READ_GAPS = """
select thing, boot, first_seq, last_seq
from unnest(%s::text[], %s::bigint[], %s::bigint[]) as wanted (thing, boot, given_up)
join sequence_gap using (thing, boot) where first_seq > given_up order by thing, boot, first_seq"""

_WRITE = """
insert into sequence (thing, boot, begun, highest, given_up, quarantined)
select thing, boot, begun, highest, given_up, quarantined::bigint[]
from unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[])
    as new (thing, boot, begun, highest, given_up, quarantined)
order by thing, boot
on conflict (thing, boot) do update set highest = excluded.highest, given_up = excluded.given_up,
    quarantined = excluded.quarantined, changed_at = excluded.changed_at"""

_CLOSE_GAPS = """
delete from sequence_gap using unnest(%s::text[], %s::bigint[], %s::bigint[]) as gone (thing, boot, first_seq)
where (sequence_gap.thing, sequence_gap.boot, sequence_gap.first_seq) = (gone.thing, gone.boot, gone.first_seq)"""

_OPEN_GAPS = """
insert into sequence_gap (thing, boot, first_seq, last_seq)
select * from unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
on conflict (thing, boot, first_seq) do update set last_seq = excluded.last_seq"""

_QUARANTINED = """
insert into sequence_quarantined (thing, boot, seq, received_at)
select * from unnest(%s::text[], %s::bigint[], %s::bigint[], %s::timestamptz[]) on conflict do nothing"""


class Sequences:
    """The standing of the senders of one slot."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, Progress]] = {}
        self._changed: dict[str, dict[int, Progress]] = {}
        self._open = False

    async def book(self, conn: Connection, batch: Batch, number: int) -> tuple[Settled, ...]:
        """Settle the numbers of a batch in the caller's transaction; what to tell its senders once it has committed."""
        if self._open:
            self.forget()
        self._open = True
        found = list(runs(batch))
        if not found:
            return ()
        await self._learn(conn, found)
        before, after = self._settled(found, number)
        await _write(conn, before, after)
        await _write_quarantined(conn, batch)
        return self._told(found, after)

    def committed(self) -> None:
        """The transaction of the last `book` has committed: what it settled is true."""
        self._known |= self._changed
        self._changed, self._open = {}, False

    def forget(self) -> None:
        """Remember nothing: what is true stands in the database."""
        self._known, self._changed = {}, {}

    async def _learn(self, conn: Connection, found: list[Run]) -> None:
        """Read the standing of things and boots not seen before."""
        things = list({run.thing for run in found} - self._known.keys())
        if things:
            rows = await (await conn.execute(_READ_THINGS, (things, BOOTS_REMEMBERED))).fetchall()
            self._known |= {thing: {} for thing in things}
            await self._remember(conn, rows)
        older = {(run.thing, run.boot) for run in found if self._maybe_older(run)}
        if older:
            rows = await (await conn.execute(_READ_PAIRS, _columns(sorted(older), 2))).fetchall()
            await self._remember(conn, rows)

    def _maybe_older(self, run: Run) -> bool:
        boots = self._known[run.thing]
        return run.boot not in boots and len(boots) >= BOOTS_REMEMBERED

    async def _remember(self, conn: Connection, rows: list[tuple[str, int, int, int, int, list[int]]]) -> None:
        gaps: dict[Pair, list[Gap]] = {}
        wanted = _columns([(thing, boot, given_up) for thing, boot, _, _, given_up, _ in rows], 3)
        for thing, boot, first, last in await (await conn.execute(_READ_GAPS, wanted)).fetchall() if rows else ():
            gaps.setdefault((thing, boot), []).append((first, last))
        for thing, boot, begun, highest, given_up, quarantined in rows:
            held = tuple(gaps.get((thing, boot), ()))
            self._known[thing][boot] = Progress(begun, highest, given_up, held, tuple(quarantined))

    def _settled(self, found: list[Run], number: int) -> tuple[dict[Pair, Progress], dict[Pair, Progress]]:
        """The standing of what changes, before and after."""
        before: dict[Pair, Progress] = {}
        after: dict[Pair, Progress] = {}
        for run in found:
            pair = run.thing, run.boot
            old = self._known[run.thing].get(run.boot) or Progress(number)
            new = after.get(pair, old)
            new = new.quarantine(run.first) if run.quarantined else new.settle(run.first, run.last)
            if new is not old:
                before[pair], after[pair] = old, new
        return before, after

    def _told(self, found: list[Run], after: dict[Pair, Progress]) -> tuple[Settled, ...]:
        for (thing, boot), progress in after.items():
            boots = self._changed.setdefault(thing, dict(self._known[thing]))
            boots[boot] = progress.bounded()
            if len(boots) > BOOTS_REMEMBERED:
                del boots[min(boots.keys() - {boot}, key=lambda name: boots[name].begun)]
        sites = {run.thing: run.site for run in found}
        return tuple(
            Settled(site, thing, self._changed.get(thing) or self._known[thing], changed=thing in self._changed)
            for thing, site in sites.items()
        )


async def _write(conn: Connection, before: dict[Pair, Progress], after: dict[Pair, Progress]) -> None:
    rows = [
        (thing, boot, new.begun, new.highest, new.bounded().given_up, _array(new.quarantined))
        for (thing, boot), new in after.items()
    ]
    if rows:
        await conn.execute(_WRITE, _columns(rows, 6))
    closed, opened = [], []
    for pair, new in after.items():
        old_gaps, new_gaps = before[pair].gaps, new.gaps
        if old_gaps is not new_gaps:
            closed += [(*pair, first) for first, _ in set(old_gaps) - set(new_gaps)]
            opened += [(*pair, first, last) for first, last in set(new_gaps) - set(old_gaps)]
    if closed:
        await conn.execute(_CLOSE_GAPS, _columns(closed, 3))
    if opened:
        await conn.execute(_OPEN_GAPS, _columns(opened, 4))


async def _write_quarantined(conn: Connection, batch: Batch) -> None:
    rows = [
        (message.thing, boot, seq, at(message.received_us))
        for message in batch.quarantined
        if message.thing is not None
        for boot, seq in message.numbers
    ]
    if rows:
        await conn.execute(_QUARANTINED, _columns(rows, 4))


def _array(numbers: tuple[int, ...]) -> str:
    """As PostgreSQL writes it: arrays of arrays of different lengths cannot be sent as such."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _columns(rows: Iterable[tuple[object, ...]], width: int) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
