"""The account of a day, to the unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from ingest.columns import Batch, Columns, Quarantined
from sensors.kind import Kinds
from sensors.payload import Reason
from service.accounting import Account, account, accounts
from store.catalogue import load_catalogue, seed
from store.database import connected
from store.days import account_of_day
from store.writer import SlotSink

DAY = date(2026, 3, 2)
MIDNIGHT_S = 16 * 3600
TOPIC = "vigie/1/readings/W01/W01-F1/traffic"


@pytest.fixture
def numbered(make_columns: Callable[..., Columns]) -> Callable[..., Batch]:
    """Readings ten a second from a second after the start on; the number is also the tenth."""

    def make(numbers: list[int], start_s: float = 0, value: float = 50.0, bad: tuple[Quarantined, ...] = ()) -> Batch:
        columns = make_columns([start_s + number / 10 for number in numbers], value=value)
        columns = replace(columns, boot=np.full(len(numbers), 5, np.int64), seq=np.array(numbers, np.int64))
        return Batch(0, (columns,), bad, ())

    return make


async def test_every_number_is_accounted_for(migrated_url: str, kinds: Kinds, numbered: Callable[..., Batch]) -> None:
    await seed(migrated_url)
    at_us = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()) * 1_000_000
    bad = Quarantined(TOPIC, b"{}", Reason.TIME, "no time", at_us, "W01", "W01-F1", 2, numbers=((5, 3),))
    unread = Quarantined(TOPIC, b"{", Reason.MALFORMED, "not JSON", at_us, "W01", "W01-F1", 1)
    invented = Quarantined(TOPIC, b"{", Reason.UNKNOWN_SENSOR, "who?", at_us, "W01", "W01-F99", 1)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(numbered([0, 1, 2, 5, 6, 9], bad=(bad, unread, invented)))
        await sink.write(numbered([1, 2]))
        await sink.write(numbered([6], value=51.0))
        # The next day begins behind a gap.
        await sink.write(numbered([12, 13], start_s=MIDNIGHT_S))
    today = {entry.sensor: entry for entry in await account(migrated_url, kinds, DAY)}
    assert today["W01-F1"] == Account(
        "W01-F1",
        "W01",
        expected=11,
        stored=6,
        duplicate=2,
        conflict=1,
        quarantined=2,
        missing=3,
        missing_named=[(5, 4, 4), (5, 7, 8)],
    )
    assert "W01-F99" not in today
    tomorrow = {entry.sensor: entry for entry in await account(migrated_url, kinds, DAY + timedelta(days=1))}
    assert tomorrow["W01-F1"] == Account("W01-F1", "W01", 4, 2, 0, 0, 0, 2, [(5, 10, 11)])


async def test_without_numbers_the_period_says_what_was_expected(
    migrated_url: str, kinds: Kinds, make_batch: Callable[..., Batch]
) -> None:
    await seed(migrated_url)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(make_batch(range(0, 600, 60)))
    async with connected(migrated_url, name="test") as conn:
        catalogue, days = await load_catalogue(conn), await account_of_day(conn, kinds, DAY)
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    found = {entry.sensor: entry for entry in accounts(catalogue, kinds, days, DAY, noon)}
    expected = int(12 * 3600 / kinds["traffic"].period_s)
    assert found["W01-F1"] == Account("W01-F1", "W01", expected, 10, 0, 0, 0, expected - 10, [])
    silent = next(sensor.id for sensor in catalogue.sensors if sensor.kind == "traffic" and sensor.id != "W01-F1")
    assert found[silent].missing == expected
