from __future__ import annotations

from simulators.outbox import Outbox


def send_due(outbox: Outbox) -> list[str]:
    due = outbox.due()
    for owed in due:
        outbox.sent(owed.number, packet=owed.number)
    return [owed.topic for owed in due]


def filled() -> Outbox:
    outbox = Outbox()
    for topic in "abc":
        outbox.add(topic, b"")
    return outbox


def test_the_oldest_goes_alone_until_it_is_accepted() -> None:
    outbox = filled()
    assert send_due(outbox) == ["a"]
    assert send_due(outbox) == []
    outbox.accept(0)
    assert send_due(outbox) == ["b", "c"]


def test_a_lost_connection_repeats_everything_in_order() -> None:
    outbox = filled()
    send_due(outbox)
    outbox.accept(0)
    send_due(outbox)
    outbox.lose()
    assert send_due(outbox) == ["b"]
    outbox.accept(1)
    assert send_due(outbox) == ["c"]
    outbox.accept(2)
    assert len(outbox) == 0
    assert outbox.accepted == 3


def test_a_refused_message_waits_in_its_place_and_holds_the_others() -> None:
    outbox = filled()
    send_due(outbox)
    outbox.accept(0)
    send_due(outbox)
    refused = outbox.refuse(1)
    assert refused is not None
    assert refused.topic == "b"
    outbox.accept(2)
    assert not outbox.open
    outbox.add("d", b"")
    assert send_due(outbox) == ["b"]
    outbox.accept(1)
    assert send_due(outbox) == ["d"]


def test_an_acknowledgement_of_nothing_changes_nothing() -> None:
    outbox = filled()
    outbox.accept(77)
    assert outbox.refuse(77) is None
    assert len(outbox) == 3
    assert outbox.accepted == 0


def test_no_more_are_under_way_than_the_broker_receives() -> None:
    outbox = filled()
    outbox.limit = 1
    send_due(outbox)
    outbox.accept(0)
    assert send_due(outbox) == ["b"]
    assert send_due(outbox) == []
    outbox.accept(1)
    assert send_due(outbox) == ["c"]
