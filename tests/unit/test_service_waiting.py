from __future__ import annotations

import itertools

import pytest

from service.waiting import StuckError, until


async def test_it_waits_as_long_as_something_moves() -> None:
    steps = itertools.count()

    async def moved() -> tuple[bool, object]:
        step = next(steps)
        return step == 3, step

    await until(moved, "nothing came", patience_s=0)
    assert next(steps) == 4


async def test_what_does_not_move_is_given_up() -> None:
    async def moved() -> tuple[bool, object]:
        return False, 7

    with pytest.raises(StuckError, match="nothing came"):
        await until(moved, "nothing came", patience_s=0)


async def test_an_hour_in_which_the_machine_stood_still_is_no_hour_of_waiting() -> None:
    looks, clock = itertools.count(1), itertools.count(0.0, 3600.0)

    async def moved() -> tuple[bool, object]:
        return next(looks) == 4, 7

    await until(moved, "nothing came", patience_s=60, monotonic=clock.__next__)
