"""What can still be seen of a thing that is not believed in all: by fault, which quantities it spoils and which not.

A crane whose counter chatters still says itself that it stands; a loop whose speed comes in miles still counts vehicles
and how long they cover it; a gate that tells its wait in minutes still counts its queue. So distrust is of quantities:
a level that rests on a sound one goes on. Where a reading itself shows what is wrong with it, distrust is of readings:
a loop that is locked counts nobody, so who is counted was there. Where nothing sound is left, nothing is seen.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analytics.table import Float32, Mask
from sensors.checks import Below, ZeroWhile
from sensors.fault import Fault
from sensors.kind import Field, Kind
from sensors.rule import Cooling, LevelRule, Limits, Queue, SpeedRatio, TimeRatio, Work

MISTAKABLE: Final = frozenset({"km/h", "s", "m/s", "°C"})
"""Units that are taken for another one: miles an hour, minutes, knots, degrees Fahrenheit."""

COUNTS: Final = frozenset({"1", "veh/h", "1/h"})
"""Units of what is counted, by the piece or by the hour."""

CAR_M, LORRY_M, DETECTOR_M = 4.5, 16.5, 2.0
"""Length of a car, of a lorry, and of the detector (domain section 2)."""

USUAL_HGV_SHARE: Final = 0.15
"""Share of lorries where a reading has none (a loop without classes; 20 % on RN568)."""


_LEAST_PCT, _MOST_VEH_H = 0.001, 20_000.0
"""Occupancy and flow beyond which a loop tells nothing of a speed: a car covers it for longer, and ten lanes carry less
at capacity."""


_MINUTE_S: Final = np.float32(60)

FASTEST_KMH: Final = np.float32(180)
"""Nobody drives over a corridor faster: what would be so in seconds is told in minutes, up to 20 min a kilometre."""


def remaining(kind: Kind, fault: Fault, values: Float32, whole: np.float32) -> Float32 | None:
    """Return the values (n, fields) that a fault leaves, NaN what it spoils; None where no level can rest on the rest.

    `whole` as in `observe`: of a corridor its length in km. The input is not changed.
    """
    left = values.copy()
    if restores(kind, fault):
        _restore(kind, fault, left, whole)
        return left
    return left if _spoil_quantities(kind, fault, left) or _spoil_readings(kind, fault, left) else None


def _spoil_quantities(kind: Kind, fault: Fault, left: Float32) -> bool:
    """Blank or replace what a fault spoils, in place; tell whether all else is sound."""
    match kind.level, fault:
        case SpeedRatio() as rule, (Fault.UNIT_SWAPPED | Fault.DRIFT):
            left[:, _at(kind, rule.speed)] = speed_told(kind, rule, left)
        case Limits(), (Fault.CHATTER | Fault.DIRECTION_SWAPPED):
            left[:, _flows(kind)] = np.nan  # A stock is counted apart from them.
        case ((Limits() | TimeRatio()), Fault.DRIFT):
            pass  # It is off by some pieces, or some percent: a queue is still felt, and nothing else would.
        case Limits() as rule, Fault.UNIT_SWAPPED:
            _blank(kind, left, MISTAKABLE)
            if rule.queue is not None and rule.queue.usual_s is not None:
                _serve(kind, rule.queue, rule.queue.usual_s, left)
        case Work(), (Fault.CHATTER | Fault.DRIFT):
            _blank(kind, left, COUNTS)
        case (Work(), Fault.UNIT_SWAPPED) | (Cooling(), (Fault.UNIT_SWAPPED | Fault.DRIFT)):
            _blank(kind, left, MISTAKABLE)
        case ((Work() | Cooling()), Fault.SENTINEL):
            left[:] = sound(kind, left)
        case _:
            return False
    return True


def _spoil_readings(kind: Kind, fault: Fault, left: Float32) -> bool:
    """Blank the readings that show what is wrong with them, in place; tell whether all others are sound."""
    match kind.level, fault:
        case SpeedRatio() as rule, (Fault.LOCKED_ON | Fault.CARD_OFF | Fault.MISMATCH):
            left[~(left[:, _at(kind, rule.flow)] > 0)] = np.nan
        case _, Fault.SENTINEL:
            shown: Mask = np.logical_or.reduce(np.isnan(sound(kind, left)) & ~np.isnan(left), axis=1)
            _blank_all_but_flows(kind, left, shown)
        case _, Fault.MISMATCH:
            _blank_all_but_flows(kind, left, _contradictory(kind, left))
        case _:
            return False
    return True


def restores(kind: Kind, fault: Fault) -> bool:
    """Whether a travel time is told apart from its fault, whatever its range makes of the reading.

    In minutes it is converted back: when the unit is set right, that shows by itself, as nobody drives so fast. (A wait
    may be as short as it likes: elsewhere a unit that is set right would make a jam.) Beside a number of vehicles that
    cannot be, it stands on one at least.
    """
    return fault in {Fault.UNIT_SWAPPED, Fault.CHATTER} and isinstance(kind.level, TimeRatio)


def has_witness(rule: LevelRule | None) -> bool:
    """Whether a level rests on two things that do not fail together: a machine's word and its rate, plugs and air."""
    return isinstance(rule, Work | Cooling)


def credible(kind: Kind, values: Float32) -> Float32:
    """Return what is left (n, fields and words) of readings that are implausible, NaN the rest.

    A stock is counted apart from what comes and goes, and a witness stands beside the level of a machine; elsewhere
    whoever sends an impossible number is not believed on another.
    """
    partly = isinstance(kind.level, Limits) or has_witness(kind.level)
    return sound(kind, values) if partly else np.full_like(values, np.nan)


def sound(kind: Kind, values: Float32) -> Float32:
    """Blank what is no measurement: outside the range of its field, or a number that stands for none."""
    left = values.copy()
    for place, field in enumerate(kind.fields):
        left[_unsound(kind, field, values[:, place]), place] = np.nan
    return left


def _unsound(kind: Kind, field: Field, values: Float32) -> Mask:
    low, high = (-np.inf if field.low is None else field.low), (np.inf if field.high is None else field.high)
    stand_for_none = {*field.sentinels, *(common for common in kind.sentinels if not field.covers(common))}
    found: Mask = (values < low) | (values > high) | np.isin(values, np.array(sorted(stand_for_none), np.float32))
    return found


def _contradictory(kind: Kind, values: Float32) -> Mask:
    """Tell which readings contradict themselves as their kind declares it, (n,)."""
    found = np.zeros(len(values), np.bool_)
    for one in kind.mismatches:
        value, other = (values[:, _at(kind, name)] for name in (one.field, one.other))
        match one:
            case Below():
                found |= value < other
            case ZeroWhile(above=above, until=until):
                found |= (value == 0) & (other > above) & (other < (np.inf if until is None else until))
    return found


def _serve(kind: Kind, queue: Queue, service_s: float, values: Float32) -> None:
    """Let a queue be served at a rate, in place; where no lane is open, it waits at least as long as before one."""
    values[:, _at(kind, queue.service)] = service_s
    lanes = values[:, _at(kind, queue.lanes)]
    lanes[lanes == 0] = 1


def speed_told(kind: Kind, rule: SpeedRatio, values: Float32) -> Float32:
    """The speed in km/h that flow and occupancy tell, (n,); NaN where they tell none.

    occupancy% = 100 x flow / speed x effective length (domain section 2).
    """
    flow, occupancy = values[:, _at(kind, rule.flow)], values[:, _at(kind, rule.occupancy)]
    fit = (occupancy >= _LEAST_PCT) & (occupancy <= 100) & (flow > 0) & (flow <= _MOST_VEH_H)  # noqa: PLR2004  percent
    speed = np.full(len(values), np.nan, np.float32)
    lorries = values[:, _at(kind, "hgv_share")] if "hgv_share" in kind.field_names else np.full_like(flow, np.nan)
    flow, occupancy = np.where(fit, flow, 0), np.where(fit, occupancy, 1)
    np.divide(flow * effective_m(lorries), occupancy * 10, out=speed, where=fit)
    return speed


def effective_m(hgv_share: Float32) -> Float32:
    """Mean length of vehicle and detector in m, (n,), by the share of lorries; NaN is the usual one."""
    share = np.where((hgv_share >= 0) & (hgv_share <= 1), hgv_share, np.float32(USUAL_HGV_SHARE))
    length: Float32 = (CAR_M + (LORRY_M - CAR_M) * share + DETECTOR_M).astype(np.float32)
    return length


def _restore(kind: Kind, fault: Fault, values: Float32, length_km: np.float32) -> None:
    """Tell travel times of a corridor apart from their fault, in place; NaN where they are none."""
    assert isinstance(kind.level, TimeRatio)
    place = _at(kind, kind.level.time)
    told = values[:, place]
    if fault is Fault.CHATTER:
        values[:, _at(kind, kind.level.matches)] = 1
    else:
        minutes = told < length_km / FASTEST_KMH * np.float32(3600)
        told = np.where(minutes, told * _MINUTE_S, np.float32(np.nan))
    values[:, place] = np.where(_unsound(kind, kind.fields[place], told), np.float32(np.nan), told)


def _blank(kind: Kind, values: Float32, units: frozenset[str]) -> None:
    values[:, [place for place, field in enumerate(kind.fields) if field.unit in units]] = np.nan


def _blank_all_but_flows(kind: Kind, values: Float32, which: Mask) -> None:
    """Blank readings, in place, but for what comes into a stock and goes out, which is counted apart from it."""
    spoilt = np.setdiff1d(np.arange(values.shape[1]), _flows(kind))
    values[np.ix_(which, spoilt)] = np.nan


def _flows(kind: Kind) -> list[int]:
    """Columns of what comes into a stock and goes out of it."""
    return [] if kind.balance is None else [_at(kind, kind.balance.inflow), _at(kind, kind.balance.outflow)]


def _at(kind: Kind, name: str) -> int:
    return kind.field_names.index(name)
