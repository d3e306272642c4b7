"""Which numbers are settled and which are missing: any order, repetitions, boots, gaps, huge numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.numbering import settled_by
from ingest.receipts import GAPS_NAMED, ReceiptBook, ReceiptSettings, receipt_of
from ingest.sequence import GAPS_OPEN, QUARANTINED_NAMED, Progress, Settled
from sensors.receipt import decode_receipt, encode_receipt

HUGE = 2**63 - 1
NEW = Progress(begun=1)
numbers = st.lists(st.integers(0, 60), max_size=40)


def missing(progress: Progress) -> set[int]:
    return {number for first, last in progress.gaps for number in range(first, last + 1)}


@given(numbers)
def test_any_order_with_repetitions_gives_exactly_what_is_missing(order: list[int]) -> None:
    progress = NEW
    for number in order:
        progress = progress.settle(number, number)
    assert progress.highest == max(order, default=-1)
    assert missing(progress) == set(range(progress.highest + 1)) - set(order)
    assert progress.contiguous == min(set(range(progress.highest + 2)) - set(order)) - 1


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=30))
def test_runs_settle_what_their_numbers_would_one_by_one(found: list[tuple[int, int]]) -> None:
    together = single = NEW
    for first, length in found:
        together = together.settle(first, first + length)
        for number in range(first, first + length + 1):
            single = single.settle(number, number)
    assert together == single


@given(numbers, numbers)
def test_a_receipt_covers_what_is_settled_and_nothing_else(order: list[int], kept_apart: list[int]) -> None:
    progress = NEW
    for number in order:
        progress = progress.settle(number, number)
    for number in kept_apart:
        progress = progress.quarantine(number)
    if progress is NEW:
        return
    receipt = receipt_of({3: progress}, 1_772_000_000_000_000)
    assert decode_receipt(encode_receipt(receipt)) == receipt
    assert {number for number in range(100) if receipt.covers(number)} == {*order, *kept_apart}
    assert set(receipt.quarantined) == set(kept_apart)


def test_a_known_number_changes_nothing() -> None:
    progress = NEW.settle(0, 9).settle(12, 20)
    assert progress.settle(3, 9) is progress
    assert progress.settle(13, 20) is progress
    assert progress.quarantine(5).quarantine(5) == progress.quarantine(5)


def test_huge_numbers_are_numbers() -> None:
    progress = NEW.settle(HUGE, HUGE)
    assert progress.gaps == ((0, HUGE - 1),)
    assert progress.settle(0, HUGE - 1).contiguous == HUGE


def test_gaps_beyond_the_bound_are_given_up_oldest_first() -> None:
    progress = NEW
    for number in range(0, 2 * GAPS_OPEN + 6, 2):
        progress = progress.settle(number, number)
    assert progress.gaps[0] == (1, 1)
    bounded = progress.bounded()
    assert len(bounded.gaps) == GAPS_OPEN
    assert (bounded.given_up, bounded.contiguous) == (3, 4)


def test_of_the_quarantined_the_latest_are_named() -> None:
    progress = NEW
    for number in range(QUARANTINED_NAMED + 5):
        progress = progress.quarantine(number)
    assert progress.quarantined == tuple(range(5, QUARANTINED_NAMED + 5))
    assert progress.contiguous == QUARANTINED_NAMED + 4


def test_a_receipt_says_nothing_beyond_the_gaps_that_it_has_room_to_name() -> None:
    progress = NEW
    for number in range(0, 400, 2):
        progress = progress.settle(number, number)
    receipt = receipt_of({1: progress}, 0)
    assert len(receipt.gaps) == GAPS_NAMED
    assert receipt.through == 200
    assert receipt.covers(200)
    assert not receipt.covers(202)


def test_a_receipt_speaks_first_of_the_boot_that_began_last_and_of_those_before() -> None:
    receipt = receipt_of({900: Progress(1).settle(0, 5), 7: Progress(2).settle(0, 1), -1: Progress(0).settle(0, 0)}, 0)
    assert (receipt.boot, receipt.seq) == (7, 1)
    assert [(standing.boot, standing.seq) for standing in receipt.earlier] == [(900, 5), (None, 0)]
    assert receipt.of(900) == receipt.earlier[0]
    assert receipt.of(5) is None


def settled(thing: str, highest: int) -> Settled:
    return Settled("W01", thing, {0: Progress(1, highest)}, changed=True)


def test_a_thing_is_told_at_once_and_then_not_before_its_time() -> None:
    book = ReceiptBook(ReceiptSettings(every_s=10))
    book.note([settled("a", 1)])
    assert [entry.thing for entry in book.take(100.0)] == ["a"]
    book.told("a", 100.0)
    book.note([settled("a", 2)])
    book.note([settled("a", 3)])
    assert book.take(109.9) == []
    assert [entry.boots[0].highest for entry in book.take(110.0)] == [3]
    assert book.take(200.0) == []


def test_with_a_budget_whoever_waits_longest_is_told_first() -> None:
    book = ReceiptBook(ReceiptSettings(every_s=1))
    for now, thing in enumerate("abc"):
        book.told(thing, now)
    book.note([settled(thing, 1) for thing in "cbad"])
    assert [entry.thing for entry in book.take(50.0, 3)] == ["d", "a", "b"]
    assert [entry.thing for entry in book.take(50.0, 3)] == ["c"]


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (b'{"seq": 4, "boot": 2, "speed": "fast"}', ((2, 4),)),
        (b'{"seq": 4}', ((-1, 4),)),
        (b'[{"seq": 4}, {"x": 1}, {"seq": 5, "boot": 1}]', ((-1, 4), (1, 5))),
        (b'{"seq": -1}', ()),
        (b'{"seq": 9223372036854775808}', ()),
        (b'{"seq": 1, "boot": -7}', ()),
        (b'{"seq": "4"}', ()),
        (b"{", ()),
        (b"\xff", ()),
        (b"[" * 5000, ()),
        (b"7", ()),
    ],
)
def test_the_number_of_an_unusable_message_is_read_where_it_can_be(
    payload: bytes, found: tuple[tuple[int, int], ...]
) -> None:
    assert settled_by(payload) == found
