"""The feed for those who follow it: events in order, those that were chosen, and how far each follower has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row

from store.api_rows import EventRow
from store.database import Connection
from store.within import lies_within

EVENT_CHANNEL = "vigie_event"

_CHOSEN = """
  and (%(types)s::text[] is null or type like any(%(types)s))
  and (%(subjects)s::text[] is null or subject = any(%(subjects)s))
  and (%(sites)s::text[] is null or data ->> 'site' = any(%(sites)s) or data -> 'sites' ?| %(sites)s)
  and (%(within)s::text[] is null or (
    (data ->> 'site' = any(%(within)s) or data -> 'sites' ?| %(within)s)
    and coalesce(data ->> 'site' = any(%(within)s), true)
    and coalesce(nullif(data -> 'sites', 'null') <@ to_jsonb(%(within)s::text[]), true)))
  and (%(levels)s::text[] is null or data ->> 'level' = any(%(levels)s))
  and (%(priorities)s::text[] is null or data ->> 'priority' = any(%(priorities)s))"""
_AFTER = f"""
select id, time, type, subject, data from event where id > %(after)s {_CHOSEN} order by id limit %(limit)s"""  # noqa: S608  constants
_NEWEST = f"""
select id, time, type, subject, data from event where true {_CHOSEN} order by id desc limit %(limit)s"""  # noqa: S608  constants
_OF_SUBJECTS = """
select id, time, type, subject, data from event where subject = any(%(subjects)s) and type like %(types)s order by id"""
_LATEST = "select coalesce(max(id), 0) from event"
_CURSOR = "select event from feed_cursor where reader = %s"
_MOVE = """
insert into feed_cursor (reader, event) values (%s, %s)
on conflict (reader) do update set event = excluded.event, moved_at = clock_timestamp()"""


@dataclass(frozen=True, slots=True)
class FeedChoice:
    """Which events; None leaves a question open.

    types: whole types, or their beginnings with a star. sites: the event's site, or one of its sites. levels,
    priorities: only events that have one, and one of these. within: only events that have sites, all of them of these.
    """

    types: Sequence[str] | None = None
    subjects: Sequence[str] | None = None
    sites: Sequence[str] | None = None
    levels: Sequence[str] | None = None
    priorities: Sequence[str] | None = None
    within: Sequence[str] | None = None

    def matches(self, row: EventRow) -> bool:
        data, listed = row.data, row.data.get("sites")
        sites = {data.get("site"), *(listed if isinstance(listed, list) else (listed,))}
        return (
            (self.types is None or any(_of_type(row.type, wanted) for wanted in self.types))
            and (self.subjects is None or row.subject in self.subjects)
            and (self.sites is None or not sites.isdisjoint(self.sites))
            and (self.within is None or lies_within(sites - {None}, self.within))
            and (self.levels is None or data.get("level") in self.levels)
            and (self.priorities is None or data.get("priority") in self.priorities)
        )

    def values(self) -> dict[str, object]:
        """As values of the queries."""
        found = {name: None if (some := getattr(self, name)) is None else list(some) for name in self.__slots__}
        if self.types is not None:
            found["types"] = [_like(wanted) for wanted in self.types]
        return dict(found)


EVERYTHING = FeedChoice()


def _of_type(type_: str, wanted: str) -> bool:
    return type_.startswith(wanted[:-1]) if wanted.endswith("*") else type_ == wanted


def _like(wanted: str) -> str:
    """As a pattern of LIKE, in which only a star at the end means anything."""
    plain, star = wanted.removesuffix("*"), wanted.endswith("*")
    for sign in "\\%_":
        plain = plain.replace(sign, f"\\{sign}")
    return plain + "%" * star


async def feed_cursor(conn: Connection, reader: str) -> int | None:
    """The last event that a follower has dealt with; None where it never began."""
    row = await (await conn.execute(_CURSOR, (reader,))).fetchone()
    return None if row is None else int(row[0])


async def move_feed_cursor(conn: Connection, reader: str, event: int) -> None:
    """In the transaction that stores what the follower made of the events up to this one."""
    await conn.execute(_MOVE, (reader, event))


async def feed_after(conn: Connection, event: int, limit: int, choice: FeedChoice = EVERYTHING) -> list[EventRow]:
    """Events with a higher id, oldest first."""
    return await _events(conn, _AFTER, {"after": event, "limit": limit, **choice.values()})


async def feed_newest(conn: Connection, limit: int, choice: FeedChoice = EVERYTHING) -> list[EventRow]:
    """The newest events, oldest first."""
    return (await _events(conn, _NEWEST, {"limit": limit, **choice.values()}))[::-1]


async def feed_of(conn: Connection, subjects: Sequence[str], types: str) -> list[EventRow]:
    """All events of subjects whose type is like `types` (a pattern of LIKE), oldest first."""
    return await _events(conn, _OF_SUBJECTS, {"subjects": list(subjects), "types": types})


async def latest_event(conn: Connection) -> int:
    """The highest id of the feed, 0 while it is empty."""
    row = await (await conn.execute(_LATEST)).fetchone()
    return int(row[0]) if row else 0


async def _events(conn: Connection, statement: str, values: dict[str, object]) -> list[EventRow]:
    async with conn.cursor(row_factory=class_row(EventRow)) as cursor:
        await cursor.execute(statement.encode(), values)
        return await cursor.fetchall()
