"""Connected components against a plain search."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.situations.components import components


def searched(edges: list[tuple[int, int]], count: int) -> list[int]:
    beside: dict[int, set[int]] = {node: {node} for node in range(count)}
    for one, other in edges:
        beside[one].add(other)
        beside[other].add(one)
    for _ in range(count):
        beside = {node: set().union(*(beside[other] for other in near)) for node, near in beside.items()}
    return [min(near) for near in beside.values()]


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_every_node_is_named_by_the_smallest_that_it_reaches(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    count, edges = drawn
    table = np.array(edges, np.intp).reshape(-1, 2)
    assert components(table[:, 0], table[:, 1], count).tolist() == searched(edges, count)


def test_a_long_chain_in_any_order_is_one() -> None:
    order = np.random.default_rng(1).permutation(5000)
    assert not components(order[:-1], order[1:], 5000).any()
