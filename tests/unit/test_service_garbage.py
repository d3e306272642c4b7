from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from service.garbage import leave_out_what_stays


class Ring:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_stays_is_not_looked_at_again_and_what_was_a_part_before_is_freed() -> None:
    ring = Ring()
    part = weakref.ref(ring)
    leave_out_what_stays()
    assert all(one is not ring for one in gc.get_objects())
    del ring
    gc.collect()
    assert part() is not None
    leave_out_what_stays()
    assert part() is None
