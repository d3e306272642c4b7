"""Situations against the connected components of a truth: how well they gather what belongs together.

A component is what congested station-steps are joined into by neighbours at one time and by one station's next time. A
situation's station-steps are those from the first to the last congested reading of each sensor's stay; what the truth
does not care about is left out of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from analytics.situations.components import components
from analytics.situations.situation import Step
from service.evaluate.drive import Shown
from service.evaluate.runs import runs_of
from simulators.recording import Recording

CLOSE = 0.3
"""Closeness of neighbours (the recordings' description)."""

_LOAD_S = 600.0
_DO_NOT_CARE = -1

Owners = NDArray[np.intp]
"""Which component or situation each station-step belongs to, (times, stations), -1 = none."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How many situations there were, and how well they gather; NaN without a truth.

    purity: the mean over situations of the share of their station-steps that lie in their main component. completeness:
    the same the other way round.
    """

    situations: int
    alarm_starts: int
    max_new_per_10min: int
    purity: float
    completeness: float


def grouping(recording: Recording, shown: Shown) -> Grouping:
    """Score the situations that were open or had ended at the end of a recording."""
    began_us = np.array([one.situation.at_us for one in shown.notices if one.step is Step.BEGAN], np.int64)
    owners = _owners(recording, shown)
    purity = completeness = nan
    if recording.truth is not None:
        truth = truth_components(recording)
        purity = _main_share(np.where(recording.truth == _DO_NOT_CARE, -1, owners), truth)
        completeness = _main_share(truth, owners)
    return Grouping(
        situations=len(shown.situations),
        alarm_starts=len(runs_of(shown.alarm)),
        max_new_per_10min=_busiest(np.sort(began_us)),
        purity=purity,
        completeness=completeness,
    )


def truth_components(recording: Recording) -> Owners:
    """Number the connected components of the congested station-steps."""
    assert recording.truth is not None
    congested = recording.truth == 1
    number = np.full(congested.shape, -1, np.intp)
    number[congested] = np.arange(int(congested.sum()))
    one, other = np.nonzero(np.triu(_adjacent(recording), 1))
    edges = [(number[:-1], number[1:]), (number[:, one], number[:, other])]
    first, second = (np.concatenate([pair[side].ravel() for pair in edges]) for side in (0, 1))
    both = (first >= 0) & (second >= 0)
    number[congested] = components(first[both], second[both], int(congested.sum()))
    return number


def _adjacent(recording: Recording) -> NDArray[np.bool_]:
    count = len(recording.station)
    near = np.zeros((count, count), np.bool_)
    if recording.adjacency is not None:
        near = recording.adjacency >= CLOSE
    elif recording.position_km is not None:
        order = np.argsort(recording.position_km, kind="stable")
        near[order[:-1], order[1:]] = True
    return near | near.T


def _owners(recording: Recording, shown: Shown) -> Owners:
    owners = np.full((len(recording.time), len(recording.station)), -1, np.intp)
    station = {name: place for place, name in enumerate(shown.names)}
    for number, situation in enumerate(shown.situations):
        for span in situation.spans:
            until_s = np.inf if span.to_us is None else span.to_us / 1e6
            inside = (recording.time >= span.from_us / 1e6) & (recording.time <= until_s)
            owners[inside, station[span.sensor]] = number
    return owners


def _main_share(owners: Owners, others: Owners) -> float:
    """Return the mean share of each owner's station-steps that lie in the one of `others` that has most of them."""
    mine = owners >= 0
    pairs, counts = np.unique(np.stack((owners[mine], others[mine])), axis=1, return_counts=True)
    if not len(counts):
        return nan
    names, total = np.unique(owners[mine], return_counts=True)
    main = np.zeros(len(names))
    known = pairs[1] >= 0
    np.maximum.at(main, np.searchsorted(names, pairs[0][known]), counts[known])
    return float((main / total).mean())


def _busiest(began_us: NDArray[np.int64]) -> int:
    """Return the most situations that began within 10 min."""
    first = np.searchsorted(began_us, began_us - round(_LOAD_S * 1e6), side="right")
    return int((np.arange(len(began_us)) - first + 1).max(initial=0))
