from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.score.play import Portions
from simulators.message import Message


def messages(*sizes: int) -> Iterator[Message]:
    return (Message(float(number), f"t{number}", bytes(size)) for number, size in enumerate(sizes))


@pytest.mark.parametrize(
    ("sizes", "portions"),
    [
        ([], [[]]),
        ([1, 2, 3], [[1, 2, 3]]),
        ([5, 5, 5], [[5, 5], [5]]),
        ([5, 5], [[5, 5], []]),
        ([100, 1], [[100], [1]]),
    ],
)
def test_every_message_is_in_one_portion_in_its_order(sizes: list[int], portions: list[list[int]]) -> None:
    some, found = Portions(messages(*sizes), most_bytes=10), []
    while not some.over:
        found.append([len(message.payload) for message in some.next()])
    assert found == portions
