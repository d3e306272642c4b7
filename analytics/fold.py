"""Stepping many things through their readings: a loop over rounds (the k-th reading of each), never over things."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analytics import abnormal, company, cooling, coverage, detector, limits, plausible, stoppage, travel
from analytics.readings import Arrivals
from analytics.settings import Rule, Settings
from analytics.state import HOLD_STEPS, NEVER, SILENT_AFTER_PERIODS, States, age, hold
from analytics.table import Index, Int16, Mask


def step(rule: Rule, states: States, settings: Settings, rows: Arrivals) -> None:
    """Step every state by its row, in place; all of one rule, and no reading older than its state."""
    stands_for = steps(states, settings, rows)
    age(states, settings.pace, rows.time_us)
    shown = states.level.copy()
    faulty, observed = rows.faulty, rows.observed
    if rule is Rule.SPEED:
        odd = plausible.implausible(states, rows) | company.waiting(states, settings, rows)
        faulty, observed = faulty | odd, np.where(odd, np.float32(np.nan), observed)
        abnormal.judge(states, settings, rows, observed)
        company.catch_up(states, settings, observed)
    valid = _judge(rule, states, settings, replace(rows, observed=observed), stands_for)
    coverage.count(states, settings.silence_us, rows.time_us, valid)
    hold(states, valid)
    if rule is Rule.SPEED:
        company.give_up(states, settings, rows)
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


def steps(states: States, settings: Settings, rows: Arrivals) -> Int16:
    """How many readings each stands for, (things,): those that the level is held over are counted with the next one.

    Else a link that loses two readings in three would keep an alarm open for three times as long.
    """
    period_us = np.maximum(settings.silence_us // SILENT_AFTER_PERIODS, 1)
    passed = (rows.time_us - states.time_us + period_us // 2) // period_us
    found: Int16 = np.clip(passed, 1, HOLD_STEPS + 1).astype(np.int16)
    return found


def _judge(rule: Rule, states: States, settings: Settings, rows: Arrivals, stands_for: Int16) -> Mask:
    observed = rows.observed
    match rule:
        case Rule.SPEED:
            return detector.judge(states, settings, observed, stands_for)
        case Rule.LIMITS:
            return limits.judge(states, settings, limits.Told(observed, rows.beside, rows.faulty), stands_for)
        case Rule.TIME:
            return travel.judge(states, settings, travel.possible(states, settings, rows), rows.beside)
        case Rule.WORK:
            return stoppage.judge(states, settings, observed, stands_for)
        case Rule.COOLING:
            return cooling.judge(states, settings, observed, rows.beside)
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
