"""Clock offsets through the sink into the table, and back for the API."""

from __future__ import annotations

from datetime import UTC, datetime

from ingest.columns import Batch, ClockOffset
from sensors.kind import Kinds
from store.api_rows import ClockRow
from store.clocks import newest_clock
from store.database import connected
from store.writer import SlotSink

AT = datetime(2026, 3, 2, 7, 30, tzinfo=UTC)
AT_US = int(AT.timestamp()) * 1_000_000


def told(*clocks: ClockOffset) -> Batch:
    return Batch(0, (), (), (), clocks=clocks)


async def test_the_newest_offset_of_a_sensor_is_kept(migrated_url: str, kinds: Kinds) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink, connected(migrated_url, name="test") as conn:
        await sink.write(told(ClockOffset("B", -95.5, AT_US), ClockOffset("A", 7199.75, AT_US)))
        assert await newest_clock(conn, ["A"]) == ClockRow(7199.75, AT, 2)
        assert await newest_clock(conn, ["B"]) == ClockRow(-95.5, AT, None)

        await sink.write(told(ClockOffset("A", 0.5, AT_US + 300_000_000)))
        await sink.write(told(ClockOffset("A", 3600, AT_US + 1)))
        newest = await newest_clock(conn, ["A", "B"])
        assert newest is not None
        assert (newest.offset_s, newest.whole_hours) == (0.5, None)
        assert await newest_clock(conn, ["C"]) is None
