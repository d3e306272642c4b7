"""What a sender keeps until a receipt covers it, what it sends again, and when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.receipts import receipt_of
from ingest.sequence import Progress
from sensors.receipt import Gap, Receipt, Standing
from simulators.keeper import Keeper, Kept

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def receipt(seq: int, *gaps: Gap, through: int | None = None, boot: int | None = 7, **more: object) -> Receipt:
    return Receipt(boot=boot, seq=seq, through=seq if through is None else through, gaps=gaps, at=NOW, **more)  # type: ignore[arg-type]


@pytest.fixture
def keeper() -> Keeper:
    """Ten readings of one boot, sent at 0 s."""
    keeper = Keeper(repeat_after_s=10, limit=20)
    for number in range(10):
        keeper.keep(("W01", "F1", 7), number, "topic", b"%d" % number, 0.0)
    return keeper


def numbers(again: list[Kept]) -> list[int]:
    return [int(kept.payload) for kept in again]


def test_what_a_receipt_covers_is_dropped(keeper: Keeper) -> None:
    assert keeper.settle("W01", "F1", receipt(6), 1) == []
    assert len(keeper) == 3
    keeper.settle("W01", "F1", receipt(9), 2)
    assert len(keeper) == 0


def test_a_gap_is_sent_again_at_once_and_then_ever_more_rarely(keeper: Keeper) -> None:
    gap = receipt(2, (3, 4), through=7)
    sent = [(second, numbers(keeper.settle("W01", "F1", gap, second))) for second in range(1, 75)]
    assert [(second, again) for second, again in sent if again] == [
        (1, [3, 4]),
        (11, [3, 4]),
        (31, [3, 4]),
        (71, [3, 4]),
    ]
    assert len(keeper) == 4


def test_without_news_the_newest_is_sent_again_and_ever_more_rarely(keeper: Keeper) -> None:
    sent = [(second, numbers(keeper.overdue(second))) for second in range(1, 75)]
    assert [(second, again) for second, again in sent if again] == [(10, [9]), (30, [9]), (70, [9])]


def test_news_put_off_the_question(keeper: Keeper) -> None:
    keeper.settle("W01", "F1", receipt(2), 9)
    assert keeper.overdue(18) == []
    assert numbers(keeper.overdue(19)) == [9]


def test_a_receipt_of_another_boot_or_thing_covers_nothing(keeper: Keeper) -> None:
    for other in (receipt(99, boot=8), receipt(99, boot=None)):
        assert keeper.settle("W01", "F1", other, 1) == []
    assert keeper.settle("W01", "F2", receipt(99), 1) == []
    assert len(keeper) == 10


def test_an_earlier_boot_that_a_receipt_names_is_covered(keeper: Keeper) -> None:
    keeper.settle("W01", "F1", receipt(0, boot=8, earlier=(Standing(boot=7, seq=8, through=8),)), 1)
    assert len(keeper) == 1


def test_room_is_bounded_and_what_is_dropped_is_counted(keeper: Keeper) -> None:
    for number in range(10, 20):
        keeper.keep(("W01", "F1", 7), number, "topic", b"%d" % number, 0.0)
    assert keeper.full
    keeper.forget_oldest()
    assert (len(keeper), keeper.forgotten, keeper.full) == (19, 1, False)
    assert numbers(keeper.settle("W01", "F1", receipt(-1, (0, 1), through=2), 1)) == [1]


@given(st.data())
def test_nothing_is_lost_whatever_the_broker_forgets(data: st.DataObject) -> None:
    keeper, service, road = Keeper(repeat_after_s=10), Progress(begun=1), list(range(30))
    for number in road:
        keeper.keep(("W01", "F1", 7), number, "topic", b"%d" % number, 0.0)
    now = 0.0
    for turn in range(40):
        lost = data.draw(st.sets(st.sampled_from(road))) if road and turn < 6 else set()
        for number in road:
            if number not in lost:
                service = service.settle(number, number)
        now += 200.0
        road = numbers(keeper.overdue(now))
        if service.highest >= 0:
            road += numbers(keeper.settle("W01", "F1", receipt_of({7: service}, 0), now))
    assert len(keeper) == 0
    assert service == Progress(begun=1, highest=29)
