"""Whatever can be measured comes back as it went in: through binary COPY in, plain SQL, and binary COPY out."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.columns import ABSENT, Batch, Columns
from sensors.kind import Kind, Kinds, parse_kind
from store.database import connected
from store.migrate import migrate
from store.reader import BatchReader, advance
from store.spans import at
from store.writer import SlotSink

START_US = 1_772_438_400_000_000
DAY_US = 86_400_000_000

KIND = """
name = "probe"
period_s = 60
title = { en = "Probe", fr = "Sonde" }
fields = [
  { name = "a", unit = "1", title = { en = "A", fr = "A" } },
  { name = "count", unit = "1", title = { en = "B", fr = "B" } },
]
texts = [
  { name = "remark", pattern = ".*", title = { en = "R", fr = "R" } },
  { name = "lid", choices = ["open", "shut"], title = { en = "L", fr = "L" } },
  { name = "mode", pattern = ".*", title = { en = "M", fr = "M" } },
]
"""

reals = st.floats(width=32, allow_nan=False) | st.just(np.nan) | st.sampled_from([3.4028235e38, -0.0, 1e-45, np.inf])
# A text in PostgreSQL is UTF-8 without NUL; ingest's patterns let less through.
texts = st.none() | st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=30)
counters = st.just(ABSENT) | st.integers(0, 2**63 - 1)
rows = st.tuples(
    st.integers(0, 7 * DAY_US),
    st.sampled_from(["A", "W01-F1", "x" * 64]),
    counters,
    counters,
    reals,
    reals,
    texts,
    st.sampled_from(["open", "shut", None, "ajar"]),
    texts,
)


@pytest.fixture
def kind() -> Kind:
    return parse_kind(KIND, origin="test")


@pytest.fixture
async def probe_url(database_url: str, kind: Kind) -> str:
    await migrate(database_url, Kinds({kind.name: kind}))
    return database_url


def columns_of(kind: Kind, given_rows: list[tuple[object, ...]]) -> Columns:
    offset, thing, boot, seq, a, b, remark, lid, mode = map(list, zip(*given_rows, strict=True))
    time_us = np.array(offset, np.int64) + START_US
    return Columns(
        kind, time_us, time_us + 1, thing, ["P"] * len(thing), np.array(boot, np.int64), np.array(seq, np.int64),
        np.zeros(len(thing), np.int16), np.array([a, b], np.float32).T, (remark, lid, mode),
    )  # fmt: skip


def expected(columns: Columns) -> list[tuple[object, ...]]:
    """What plain SQL must answer, in the order of (sensor, time)."""
    numbers = [[None if np.isnan(value) else value.item() for value in row] for row in columns.values]
    counts = [[None if n == ABSENT else int(n) for n in pair] for pair in zip(columns.boot, columns.seq, strict=True)]
    times = [at(int(us)) for us in columns.time_us]
    found = zip(columns.thing, times, counts, numbers, *columns.texts, strict=True)
    return sorted((thing, time, *count, *number, *rest) for thing, time, count, number, *rest in found)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(rows, min_size=1, max_size=40, unique_by=lambda row: row[:2]))
async def test_readings_survive_copy_in_and_out(
    probe_url: str, kind: Kind, given_rows: list[tuple[object, ...]]
) -> None:
    kinds, columns = Kinds({kind.name: kind}), columns_of(kind, given_rows)
    async with SlotSink.open(probe_url, 0, kinds) as sink, BatchReader.open(probe_url, "test", kinds) as reader:
        await sink.write(Batch(0, (columns,), (), ()))
        cursor = await reader.connection.execute(
            "select sensor, time, boot, seq, a::float8, count::float8, remark, lid, mode from probe"
        )
        stored = sorted(await cursor.fetchall(), key=lambda row: row[:2])
        (part,) = await reader.next(1000)
        await reader.connection.execute("delete from probe")
        await advance(reader.connection, "test", dict([part.cursor]))
    assert stored == expected(columns)
    (read,) = part.columns
    order, wrote = np.lexsort((read.thing, read.time_us)), np.lexsort((columns.thing, columns.time_us))
    assert read.thing[order].tolist() == [columns.thing[row] for row in wrote]
    np.testing.assert_array_equal(read.time_us[order], columns.time_us[wrote])
    np.testing.assert_array_equal(read.values[order], columns.values[wrote])
    places = [{"open": 0.0, "shut": 1.0}.get(columns.texts[1][row], np.nan) for row in wrote]
    np.testing.assert_array_equal(read.words[order, 0], places)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(rows, min_size=1, max_size=30))
async def test_everything_delivered_twice_is_stored_once(
    probe_url: str, kind: Kind, given_rows: list[tuple[object, ...]]
) -> None:
    kinds, columns = Kinds({kind.name: kind}), columns_of(kind, given_rows)
    async with SlotSink.open(probe_url, 0, kinds) as sink:
        first = await sink.write(Batch(0, (columns,), (), ()))
        again = await sink.write(Batch(0, (columns,), (), ()))
        async with connected(probe_url, name="test") as conn:
            row = await (await conn.execute("select count(*) from probe")).fetchone()
            await conn.execute("delete from probe")
    keys = {row[:2] for row in given_rows}
    assert row == (len(keys),)
    assert first.committed == len(keys)
    assert first.committed + first.duplicates + first.conflicts == len(given_rows)
    assert (again.committed, again.conflicts) == (0, first.conflicts)


async def test_times_far_apart_keep_their_microseconds(probe_url: str, kind: Kind) -> None:
    instants = [datetime(2000, 1, 1, 0, 0, 0, 1, UTC), datetime(2099, 12, 31, 23, 59, 59, 999_999, UTC)]
    columns = columns_of(
        kind, [(0, "A", 0, 0, 1.0, 1.0, "", None, None), (1, "A", 0, 1, 1.0, 1.0, "\t'\"\\N", None, "é")]
    )
    columns.time_us[:] = [(time - datetime(1970, 1, 1, tzinfo=UTC)) // (at(1) - at(0)) for time in instants]
    async with SlotSink.open(probe_url, 0, Kinds({kind.name: kind})) as sink:
        await sink.write(Batch(0, (columns,), (), ()))
    with psycopg.connect(probe_url) as conn:
        stored = conn.execute("select time, remark, mode from probe order by time").fetchall()
    assert stored == [(instants[0], "", None), (instants[1], "\t'\"\\N", "é")]
