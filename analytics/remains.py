"""What can still be seen of a thing that is not believed in all: by fault, which quantities it spoils and which not.

A crane whose counter chatters still says itself that it stands; a loop whose speed comes in miles still counts vehicles
and how long they cover it; a gate that tells its wait in minutes still counts its queue. So distrust is of quantities:
a level that rests on a sound one goes on. Where nothing sound is left, nothing is seen.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analytics.table import Float32, Mask
from sensors.fault import Fault
from sensors.kind import Field, Kind
from sensors.rule import Cooling, LevelRule, Limits, SpeedRatio, Work

MISTAKABLE: Final = frozenset({"km/h", "s", "m/s", "°C"})
"""Units that are taken for another one: miles an hour, minutes, knots, degrees Fahrenheit."""

COUNTS: Final = frozenset({"1", "veh/h", "1/h"})
"""Units of what is counted, by the piece or by the hour."""

CAR_M, LORRY_M, DETECTOR_M = 4.5, 16.5, 2.0
"""Length of a car, of a lorry, and of the detector (domain section 2)."""

USUAL_HGV_SHARE: Final = 0.15
"""Share of lorries where a reading has none (a loop without classes; 20 % on RN568)."""


def remaining(kind: Kind, fault: Fault, values: Float32) -> Float32 | None:
    """Return the values (n, fields) that a fault leaves, NaN what it spoils; None where no level can rest on the rest.

    The input is not changed.
    """
    left = values.copy()
    match kind.level, fault:
        case SpeedRatio() as rule, (Fault.UNIT_SWAPPED | Fault.DRIFT):
            left[:, _at(kind, rule.speed)] = speed_told(kind, rule, values)
        case Limits(), Fault.CHATTER:
            pass  # A stock is counted apart from what comes in and goes out.
        case Limits() as rule, Fault.UNIT_SWAPPED:
            _blank(kind, left, MISTAKABLE)
            if rule.queue is not None and rule.queue.usual_s is not None:
                left[:, _at(kind, rule.queue.service)] = rule.queue.usual_s
        case Work(), (Fault.CHATTER | Fault.DRIFT):
            _blank(kind, left, COUNTS)
        case ((Work() | Cooling()), Fault.UNIT_SWAPPED):
            _blank(kind, left, MISTAKABLE)
        case ((Work() | Cooling()), Fault.SENTINEL):
            return sound(kind, values)
        case _:
            return None
    return left


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


def speed_told(kind: Kind, rule: SpeedRatio, values: Float32) -> Float32:
    """The speed in km/h that flow and occupancy tell, (n,); NaN where they tell none.

    occupancy% = 100 x flow / speed x effective length (domain section 2).
    """
    flow, occupancy = values[:, _at(kind, rule.flow)], values[:, _at(kind, rule.occupancy)]
    fit = (occupancy > 0) & (flow > 0) & np.isfinite(occupancy + flow)
    speed = np.full(len(values), np.nan, np.float32)
    lorries = values[:, _at(kind, "hgv_share")] if "hgv_share" in kind.field_names else np.full_like(flow, np.nan)
    np.divide(flow * effective_m(lorries), occupancy * 10, out=speed, where=fit)
    return speed


def effective_m(hgv_share: Float32) -> Float32:
    """Mean length of vehicle and detector in m, (n,), by the share of lorries; NaN is the usual one."""
    share = np.where(np.isfinite(hgv_share), hgv_share, np.float32(USUAL_HGV_SHARE))
    length: Float32 = (CAR_M + (LORRY_M - CAR_M) * share + DETECTOR_M).astype(np.float32)
    return length


def _blank(kind: Kind, values: Float32, units: frozenset[str]) -> None:
    values[:, [place for place, field in enumerate(kind.fields) if field.unit in units]] = np.nan


def _at(kind: Kind, name: str) -> int:
    return kind.field_names.index(name)
