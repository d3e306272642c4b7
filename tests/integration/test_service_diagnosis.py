"""A sensor that sticks, on the real database: told once, kept over a restart, over when it moves again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
from psycopg.rows import TupleRow

from ingest.columns import Batch, Columns
from sensors.kind import Kinds
from sensors.level import Verdict
from service.analyst import READER, open_analyst
from store.catalogue import seed
from store.creep import load_creep
from store.database import Connection, connected
from store.faults import FaultRow, load_faults, write_faults
from store.reader import BatchReader
from store.states import load_states
from store.writer import SlotSink

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
MINUTE = 60
STEP_S = 30


def minutes(make_columns: Callable[..., Columns], first: int, last: int, *, stuck: bool) -> Batch:
    """W12-F1, stuck or not, and W12-F2 that never is, every half minute."""
    seconds = np.repeat(np.arange(first * MINUTE, last * MINUTE, STEP_S), 2)
    columns = make_columns(seconds, things=("W12-F1", "W12-F2"), site="W12")
    noise = seconds % 977 / 100
    noise[1::2] += 1.5
    if stuck:
        noise[::2] = 0
    columns.values[:, :4] = np.stack([10 + 0 * noise, 1200 + noise, 12 + noise / 10, 80 + noise], axis=1)
    return Batch(0, (columns,), (), ())


async def analysed(url: str, kinds: Kinds) -> None:
    """Start analytics, let it take all there is, and end it: every call is a restart."""
    async with BatchReader.open(url, READER, kinds) as reader:
        analyst = await open_analyst(reader, kinds)
        while await analyst.step():
            pass


async def told(conn: Connection, who: str = "W12-F[12]") -> list[TupleRow]:
    cursor = await conn.execute(
        "select type, subject, data ->> 'fault' from event where type like 'vigie.sensor.%%' and subject ~ %s"
        " order by id",
        (who,),
    )
    return await cursor.fetchall()


async def faults(conn: Connection) -> list[tuple[str, str, str]]:
    """Those of the two that speak."""
    rows = await load_faults(conn)
    return [(row.place, row.fault, row.scope) for row in rows if row.place in {"W12-F1", "W12-F2"}]


async def test_a_stuck_sensor_is_told_once_over_restarts_and_until_it_moves(
    migrated_url: str, kinds: Kinds, make_columns: Callable[..., Columns]
) -> None:
    await seed(migrated_url)
    faulty = ("vigie.sensor.faulty.v1", "W12-F1", "stuck")
    async with connected(migrated_url, name="test") as conn, SlotSink.open(migrated_url, 0, kinds) as sink:
        await conn.execute("update site set clock = 'recording'")
        await sink.write(minutes(make_columns, 0, 20, stuck=False))
        await analysed(migrated_url, kinds)
        assert await told(conn) == []
        await sink.write(minutes(make_columns, 20, 50, stuck=True))
        await analysed(migrated_url, kinds)
        assert await told(conn) == [faulty]
        await sink.write(minutes(make_columns, 50, 70, stuck=True))
        await analysed(migrated_url, kinds)
        assert await told(conn) == [faulty]
        assert await faults(conn) == [("W12-F1", "stuck", "sensor")]
        verdicts = {state.sensor: state.verdict for state in await load_states(conn)}
        assert verdicts["W12-F1"] is Verdict.SENSOR
        assert verdicts["W12-F2"] is Verdict.TRAFFIC
        await sink.write(minutes(make_columns, 70, 100, stuck=False))
        await analysed(migrated_url, kinds)
        assert await told(conn) == [faulty, ("vigie.sensor.recovered.v1", "W12-F1", "stuck")]
        assert await faults(conn) == []
        assert await told(conn, "W12-F3") == [("vigie.sensor.faulty.v1", "W12-F3", "silent")], "never heard: told once"
        creep = await load_creep(conn)
        clock = FaultRow("W12-F1", "clock_offset", "sensor", "W12", "traffic", START, START, ahead_h=-2)
        await write_faults(conn, [clock], [])
        assert clock in await load_faults(conn), "the hours are kept for a restart"
        assert {row.thing for row in creep} == {"W12-F1", "W12-F2"}
        for row in creep:
            assert row.until > START + timedelta(hours=1)
            assert row.late_bins == row.misfit_bins == (row.until - START) / timedelta(minutes=5), "each bin once"
