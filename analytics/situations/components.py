"""Connected components without a loop over nodes: labels hook onto smaller ones until no edge joins two of them.

Shiloach and Vishkin (Journal of Algorithms 3, 1982): in each round every label takes the least label that an edge joins
it with, then all chains of labels are cut short; rounds grow with the logarithm of the longest chain.

>>> components(np.array([0, 3]), np.array([1, 4]), 5).tolist()
[0, 0, 2, 3, 3]
"""

from __future__ import annotations

import numpy as np

from analytics.table import Index


def components(first: Index, second: Index, count: int) -> Index:
    """Return the component of each node 0..count-1, named by its smallest node; edge k joins first[k] and second[k]."""
    label: Index = np.arange(count, dtype=np.intp)
    while True:
        one, other = label[first], label[second]
        apart = one != other
        if not apart.any():
            return label
        first, second = one[apart], other[apart]
        np.minimum.at(label, np.maximum(first, second), np.minimum(first, second))
        _shorten(label)


def _shorten(label: Index) -> None:
    """Point every label at the end of its chain, in place."""
    while True:
        further = label[label]
        if np.array_equal(further, label):
            return
        label[:] = further
