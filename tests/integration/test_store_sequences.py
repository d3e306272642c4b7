"""The numbers of senders in the ingest transaction: named, repaired, restored, true whatever fails in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest

from ingest.columns import Batch, Columns, Quarantined, SinkUnavailable
from ingest.sequence import GAPS_OPEN, Settled
from sensors.kind import Kinds
from sensors.payload import Reason
from store.sequences import BOOTS_REMEMBERED
from store.writer import SlotSink

Numbered = Callable[..., Batch]


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


def gaps(url: str) -> list[tuple[Any, ...]]:
    return ask(url, "select thing, boot, first_seq, last_seq from sequence_gap order by 1, 2, 3")


@pytest.fixture
def numbered(make_columns: Callable[..., Columns]) -> Numbered:
    """A batch whose readings have these numbers; a number is also the second of its reading."""

    def make(seqs: Sequence[int], *, boot: int = 5, things: Sequence[str] = ("W01-F1",), **rest: Any) -> Batch:
        columns = make_columns([seq % 10**6 + boot * 10**6 for seq in seqs], things=things, **rest)
        boots, numbers = np.full(len(seqs), boot, np.int64), np.array(seqs, np.int64)
        return Batch(0, (replace(columns, boot=boots, seq=numbers),), (), ())

    return make


def told(settled: Settled, boot: int = 5) -> tuple[int, int, tuple[tuple[int, int], ...]]:
    progress = settled.boots[boot]
    return progress.contiguous, progress.highest, progress.gaps


async def test_a_gap_is_named_and_repaired(migrated_url: str, kinds: Kinds, numbered: Numbered) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        (first,) = (await sink.write(numbered([0, 1, 2, 6, 7, 9]))).settled
        assert (first.site, first.thing, told(first)) == ("W01", "W01-F1", (2, 9, ((3, 5), (8, 8))))
        assert gaps(migrated_url) == [("W01-F1", 5, 3, 5), ("W01-F1", 5, 8, 8)]
        (second,) = (await sink.write(numbered([4]))).settled
        assert gaps(migrated_url) == [("W01-F1", 5, 3, 3), ("W01-F1", 5, 5, 5), ("W01-F1", 5, 8, 8)]
        assert told(second)[0] == 2
        (third,) = (await sink.write(numbered([5, 3, 8, 10]))).settled
    assert told(third) == (10, 10, ())
    assert gaps(migrated_url) == []


async def test_a_repetition_settles_nothing_and_is_told_all_the_same(
    migrated_url: str, kinds: Kinds, numbered: Numbered
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(numbered(range(5)))
        (again,) = (await sink.write(numbered(range(5)))).settled
    assert not again.changed
    assert told(again) == (4, 4, ())


async def test_the_next_holder_of_a_slot_sees_no_false_gap(migrated_url: str, kinds: Kinds, numbered: Numbered) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(numbered([0, 1, 2, 4]))
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        (after,) = (await sink.write(numbered([5, 6]))).settled
        assert told(after) == (2, 6, ((3, 3),))
        await sink.write(numbered([3]))
    assert gaps(migrated_url) == []


async def test_a_sink_that_lost_its_connection_learns_what_another_settled_meanwhile(
    migrated_url: str, kinds: Kinds, numbered: Numbered
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(numbered([0, 1]))
        ask(
            migrated_url,
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'vigie ingest 0'",
        )
        with pytest.raises(SinkUnavailable):
            await sink.write(numbered([2]))
        async with SlotSink.open(migrated_url, 0, kinds) as other:
            await other.write(numbered([2, 3]))
        (after,) = (await sink.write(numbered([4]))).settled
    assert told(after) == (4, 4, ())


REFUSE = """
create function refuse() returns trigger language plpgsql as $$ begin raise serialization_failure; end $$;
create constraint trigger refuse after insert or update on sequence deferrable initially deferred
for each row execute function refuse()"""


async def test_what_did_not_commit_is_not_settled(migrated_url: str, kinds: Kinds, numbered: Numbered) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        await sink.write(numbered([0]))
        with psycopg.connect(migrated_url, autocommit=True) as conn:
            conn.execute(REFUSE.encode())
            with pytest.raises(SinkUnavailable):
                await sink.write(numbered([1, 2]))
            conn.execute("drop trigger refuse on sequence")
        (after,) = (await sink.write(numbered([3]))).settled
    assert told(after) == (0, 3, ((1, 2),))


async def test_kinds_of_one_sensor_share_its_numbers_and_corridors_have_their_own(
    migrated_url: str, kinds: Kinds, make_columns: Callable[..., Columns]
) -> None:
    def some(kind: str, thing: str, seq: int, texts: tuple[list[str | None], ...] | None = None) -> Columns:
        return make_columns([seq], kind=kinds[kind], things=[thing], seq=seq, texts=texts)

    passage = some("passage", "W01-G1", 1, (["in"], [None], [None]))
    columns = (some("traffic", "W01-G1", 0), passage, some("travel_time", "W02-W01", 0))
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        outcome = await sink.write(Batch(0, columns, (), ()))
    assert {entry.thing: told(entry, -1) for entry in outcome.settled} == {
        "W01-G1": (1, 1, ()),
        "W02-W01": (0, 0, ()),
    }


async def test_a_message_in_quarantine_settles_the_number_that_can_be_read(
    migrated_url: str, kinds: Kinds, numbered: Numbered
) -> None:
    topic = "vigie/1/readings/W01/W01-F1/traffic"
    bad = Quarantined(
        topic, b"{}", Reason.TIME, "no time", 1_772_438_400_000_000, "W01", "W01-F1", 2, numbers=((5, 1),)
    )
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        (entry,) = (await sink.write(replace(numbered([0, 2]), quarantined=(bad,)))).settled
    assert told(entry) == (2, 2, ())
    assert entry.boots[5].quarantined == (1,)
    assert ask(migrated_url, "select thing, boot, seq from sequence_quarantined") == [("W01-F1", 5, 1)]


async def test_boots_stand_apart_and_an_old_one_is_not_begun_anew(
    migrated_url: str, kinds: Kinds, numbered: Numbered
) -> None:
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        for boot in range(BOOTS_REMEMBERED + 2):
            (entry,) = (await sink.write(numbered([0, 1], boot=boot))).settled
        assert list(entry.boots) == [2, 3, 4, 5]
        (late,) = (await sink.write(numbered([2], boot=0))).settled
        assert told(late, 0) == (2, 2, ())
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        (late,) = (await sink.write(numbered([3], boot=0))).settled
    assert told(late, 0) == (3, 3, ())
    assert gaps(migrated_url) == []


async def test_more_gaps_than_are_waited_for_are_all_named_in_the_table(
    migrated_url: str, kinds: Kinds, numbered: Numbered
) -> None:
    every_other = range(0, 2 * GAPS_OPEN + 20, 2)
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        (entry,) = (await sink.write(numbered(every_other))).settled
        assert len(entry.boots[5].gaps) == GAPS_OPEN
    assert len(gaps(migrated_url)) == GAPS_OPEN + 9
    async with SlotSink.open(migrated_url, 0, kinds) as sink:
        (entry,) = (await sink.write(numbered([2 * GAPS_OPEN + 20]))).settled
    assert len(entry.boots[5].gaps) == GAPS_OPEN
    assert len(gaps(migrated_url)) == GAPS_OPEN + 10
