from __future__ import annotations

import numpy as np
import pytest

from store.spans import MAX_SPANS, SPAN_GAP_US, Span, spans

HOUR_US = SPAN_GAP_US


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], []),
        ([5], [Span(5, 5, 1)]),
        ([HOUR_US, 0], [Span(0, HOUR_US, 2)]),
        ([0, HOUR_US + 8, 7], [Span(0, 7, 2), Span(HOUR_US + 8, HOUR_US + 8, 1)]),
    ],
)
def test_spans_are_cut_where_nothing_lies_for_an_hour(times: list[int], expected: list[Span]) -> None:
    assert spans(np.array(times, np.int64)) == expected


def test_of_many_gaps_the_widest_are_cut() -> None:
    times = np.cumsum([HOUR_US * (2 + n) for n in range(40)]).astype(np.int64)
    found = spans(times)
    assert len(found) == MAX_SPANS
    assert sum(span.rows for span in found) == len(times)
    assert found[0].rows == len(times) - MAX_SPANS + 1
