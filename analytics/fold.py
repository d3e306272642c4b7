"""Stepping many things through their readings: a loop over rounds (the k-th reading of each), never over things."""

from __future__ import annotations

import numpy as np

from analytics import abnormal, cooling, coverage, detector, limits, plausible, stoppage, travel
from analytics.readings import Arrivals
from analytics.settings import Rule, Settings
from analytics.state import NEVER, States, age, hold
from analytics.table import Float32, Index, Mask


def step(rule: Rule, states: States, settings: Settings, rows: Arrivals) -> None:
    """Step every state by its row, in place; all of one rule, and no reading older than its state."""
    age(states, settings.silence_us, rows.time_us)
    shown = states.level.copy()
    faulty, observed = rows.faulty, rows.observed
    if rule is Rule.SPEED:
        odd = plausible.implausible(states, rows)
        faulty, observed = faulty | odd, np.where(odd, np.float32(np.nan), observed)
        abnormal.judge(states, settings, rows, observed)
    valid = _judge(rule, states, settings, observed, rows.beside)
    coverage.count(states, settings.silence_us, rows.time_us, valid)
    hold(states, valid)
    np.copyto(states.since_us, rows.time_us, where=(states.level != shown) | (states.time_us == NEVER))
    states.time_us[:] = rows.time_us
    states.faulty[:] = faulty


def step_all(states: States, settings: Settings, rows: Arrivals) -> None:
    """Step every state by its row, in place, each by its own rule."""
    for rule in Rule:
        some = settings.rule == rule
        if some.all():
            step(rule, states, settings, rows)
            return
        if some.any():
            part = states.take(some)
            step(rule, part, settings.take(some), rows.take(some))
            states.put(some, part)


def _judge(rule: Rule, states: States, settings: Settings, observed: Float32, beside: Float32) -> Mask:
    match rule:
        case Rule.SPEED:
            return detector.judge(states, settings, observed)
        case Rule.LIMITS:
            return limits.judge(states, settings, observed)
        case Rule.TIME:
            return travel.judge(states, settings, observed, beside)
        case Rule.WORK:
            return stoppage.judge(states, settings, observed)
        case Rule.COOLING:
            return cooling.judge(states, settings, observed, beside)
        case Rule.ALIVE:
            valid = ~np.isnan(observed)
            states.level[valid] = 0
            return valid


def fold(start: States, settings: Settings, rows: Arrivals, counts: Index) -> tuple[States, States]:
    """Step states (things,) through `rows`, which lie thing by thing in order of time, `counts` of them each.

    Return the state before every row, and the states after all.
    """
    before, after = start.take(np.repeat(np.arange(len(counts)), counts)), start.take(np.arange(len(counts)))
    first = np.cumsum(counts) - counts
    for rule in Rule:
        some = np.flatnonzero(settings.rule == rule)
        order = some[np.argsort(-counts[some], kind="stable")]
        if len(order):
            states = start.take(order)
            _rounds(rule, states, settings.take(order), rows, first=first[order], counts=counts[order], before=before)
            after.put(order, states)
    return before, after


def _rounds(
    rule: Rule, states: States, settings: Settings, rows: Arrivals, *, first: Index, counts: Index, before: States
) -> None:
    """Step the longest things first, so that those with a k-th reading are always the head of the table."""
    for k in range(int(counts[0])):
        having = int(np.searchsorted(-counts, -k))
        now, at = states.head(having), first[:having] + k
        before.put(at, now)
        step(rule, now, settings.head(having), rows.take(at))
