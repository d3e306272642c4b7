"""Turns of lorries at terminals: gate-in and gate-out of one visit, paired, and kept by the hour.

The number of a visit is forgotten after 30 days (`store.retention`); what remains is, for each hour, how long the turns
took that ended in it, in seconds and in order, and how many passages found no partner. The seconds themselves and no
sketch of them: an hour has about a hundred, which is the size of a sketch, and hours add up exactly to days and months.
They lead to nobody, because what would lead from a turn to a lorry is gone.

Hours that a new batch touched are computed again, completely, as in `store.rollups`: late passages need no case of
their own. An hour whose visits may be forgotten already is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from sensors.kind import Kinds
from sensors.level import DISTRUSTED
from store.database import Connection
from store.leadership import Lock, lock_transaction
from store.reader import advance, unread

READER = "turn"
PASSAGE = "passage"

LONGEST = timedelta(hours=24)
"""The longest turn (own choice: a lorry that stays over night has broken down or has lost its paper). Shorter: the
worst turns are not counted; longer: a number that is used again pairs two lorries."""

_SPARE = timedelta(days=2)
"""So long before visits are forgotten hours are no longer computed: partners may be forgotten sooner."""

# Each passage of a visit is compared with the one before and the one after. What has no partner after LONGEST has none.
_COMPUTE = """
insert into turn_hour (terminal, hour, turns_s, open, unpaired_in, unpaired_out)
with event as (
    select site.terminal, passage.time, passage.direction, passage.visit
    from passage join sensor on sensor.id = passage.sensor join site on site.id = sensor.site
    where site.terminal is not null and passage.direction is not null and passage.quality & %(distrusted)s = 0
      and passage.time >= %(low)s - %(longest)s::interval and passage.time < %(high)s + %(longest)s::interval
),
newest as (select terminal, max(time) as time from event group by terminal),
beside as (
    select *, lag(direction) over visits = 'in' and time - lag(time) over visits <= %(longest)s as has_in,
        lead(direction) over visits = 'out' and lead(time) over visits - time <= %(longest)s as has_out,
        extract(epoch from time - lag(time) over visits) as turn_s
    from event where visit is not null
    window visits as (partition by terminal, visit order by time, direction)
),
judged as (
    select terminal, time, direction, turn_s,
        case direction when 'in' then coalesce(has_out, false) else coalesce(has_in, false) end as paired, true as known
    from beside
    union all select terminal, time, direction, null, false, false from event where visit is null
),
waiting as (
    select judged.*, known and judged.time >= newest.time - %(longest)s::interval as young
    from judged join newest using (terminal)
)
select terminal, date_trunc('hour', time),
    coalesce(array_agg(round(turn_s)::int order by turn_s) filter (where direction = 'out' and paired), '{}'),
    count(*) filter (where direction = 'in' and not paired and young),
    count(*) filter (where direction = 'in' and not paired and not young),
    count(*) filter (where direction = 'out' and not paired)
from waiting
where time >= %(low)s and time < %(high)s and (time >= %(kept)s or terminal = any(%(played)s))
group by 1, 2
on conflict (terminal, hour) do update set turns_s = excluded.turns_s, open = excluded.open,
    unpaired_in = excluded.unpaired_in, unpaired_out = excluded.unpaired_out"""

# Of a recording of years ago the visits are known as long after it was received (`store.retention`).
_PLAYED = "select distinct terminal from site where clock = 'recording' and terminal is not null"

_HOURS = """
select hour, turns_s, open, unpaired_in, unpaired_out from turn_hour
where terminal = %(terminal)s and hour >= %(start)s and hour < %(end)s order by hour"""

_INSIDE = """
select coalesce(sum(open), 0)::int from turn_hour
where terminal = %(terminal)s and hour > %(now)s - %(longest)s::interval - interval '1 hour'"""


@dataclass(frozen=True, slots=True)
class TurnHour:
    """Turns that ended in the hour from `hour` on, in seconds, ascending; passages of that hour without a partner.

    `open` are lorries that came in and may still come out.
    """

    hour: datetime
    turns_s: list[int]
    open: int
    unpaired_in: int
    unpaired_out: int


async def update_turns(conn: Connection, kinds: Kinds, *, limit_rows: int, now: datetime) -> bool:
    """Take about `limit_rows` new readings per slot into account, in one transaction; False when there were none."""
    async with conn.transaction():
        await lock_transaction(conn, Lock.TURN)
        found = await unread(conn, READER, limit_rows)
        spans = [span for part in found for span in part.spans if span.kind == PASSAGE]
        if spans and PASSAGE in kinds:
            # A passage tells of its partner's hour too, before it or, when it came late, after it.
            low = _hour(min(span.min_time for span in spans) - LONGEST) - timedelta(hours=1)
            high = _hour(max(span.max_time for span in spans) + LONGEST) + timedelta(hours=1)
            await _compute(conn, low, high, _kept_from(kinds, now))
        if found:
            await advance(conn, READER, {part.slot: part.last for part in found})
    return bool(found)


async def turn_hours(conn: Connection, terminal: str, start: datetime, end: datetime) -> list[TurnHour]:
    """Read the hours that begin in [start, end), in order."""
    async with conn.cursor(row_factory=class_row(TurnHour)) as cursor:
        await cursor.execute(_HOURS, {"terminal": terminal, "start": start, "end": end})
        return await cursor.fetchall()


async def lorries_inside(conn: Connection, terminal: str, now: datetime) -> int:
    """Count who came in within the longest turn and is not out."""
    values = {"terminal": terminal, "now": now, "longest": LONGEST}
    row = await (await conn.execute(_INSIDE, values)).fetchone()
    return int(row[0]) if row else 0


async def _compute(conn: Connection, low: datetime, high: datetime, kept: datetime) -> None:
    played = [terminal async for (terminal,) in await conn.execute(_PLAYED)]
    low = low if played else max(low, kept)
    if low < high:
        values = {"low": low, "high": high, "kept": kept, "played": played}
        values |= {"longest": LONGEST, "distrusted": int(DISTRUSTED)}
        await conn.execute(_COMPUTE, values, prepare=False)


def _kept_from(kinds: Kinds, now: datetime) -> datetime:
    """The first hour of which all visits are still known."""
    days: Sequence[float] = [
        text.forget_days for text in kinds[PASSAGE].texts if text.name == "visit" and text.forget_days is not None
    ]
    return _hour(now - timedelta(days=min(days)) + _SPARE) if days else datetime.min.replace(tzinfo=now.tzinfo)


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)
