"""What a level rests on, in numbers with their origin.

An origin is measured (by the sensor), learnt (from it), configured (in the catalogue) or that of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, isnan

import numpy as np

from analytics.settings import Rule, Thing
from sensors.level import Abnormality
from sensors.rule import Cooling, Limits, Queue, TimeRatio, Work

Reading = Mapping[str, float | str | None]
Evidence = Mapping[str, float | str | None]


def number(value: float) -> float | None:
    """The shortest decimal that is the same float32, None for NaN: 20.28 and not 20.280000686645508."""
    return float(str(np.float32(value))) if isfinite(value) else None


def reading(thing: Thing, values: Sequence[float]) -> Reading:
    """The fields, and the texts with choices, of a row of values; empty where there is no row."""
    kind = thing.kind
    fields = dict(zip(kind.field_names, map(number, values), strict=False))
    places = values[len(kind.fields) : len(kind.fields) + len(kind.choices)]
    words = {text.name: _word(text.choices, place) for text, place in zip(kind.choices, places, strict=False)}
    return {**fields, **words}


def _word(choices: Sequence[str], place: float) -> str | None:
    return choices[int(place)] if isfinite(place) and 0 <= place < len(choices) else None


def shown(thing: Thing, observed: float) -> float | None:
    """An observation as people read it: a speed, a travel time in seconds, a rate, a limited value or share."""
    match thing.rule:
        case Rule.TIME:
            return round(thing.length_km / observed * 3600, 1) if observed > 0 else None
        case Rule.WORK:
            return number(max(observed, 0.0)) if isfinite(observed) else None
        case _:
            return number(observed)


def evidence(thing: Thing, value: float, learnt_kmh: float, told: Reading) -> Evidence:
    """What a level was judged by.

    `value` is the smoothed ratio, or what is limited; NaN = none. `told` is the reading that it was judged at.
    """
    match thing.kind.level:
        case Limits() as rule:
            return {"value": number(value), **_limits(thing, rule.congested), **_whole(thing, rule, told)}
        case TimeRatio(matches=matches):
            return {"ratio": number(value), **_free_time(thing, learnt_kmh), "matches": told.get(matches)}
        case Work(state=state, normal=normal):
            return {"ratio": number(value), "normal": normal, "state": told.get(state)}
        case Cooling() as rule:
            return {
                "value": number(value),
                "of": told.get(rule.used),
                **_limits(thing, rule.congested),
                **_off(rule, told),
            }
        case None:
            return {}
        case _:
            free_kmh, origin = _free_speed(thing, learnt_kmh)
            return {"ratio": number(value), "free_speed_kmh": number(free_kmh), "free_speed_origin": origin}


def comparison(thing: Thing, usual_kmh: float, z: float, unusual: Abnormality) -> Evidence:
    """How unusual it is for the time of week; nothing for kinds that are not compared."""
    if thing.rule is not Rule.SPEED:
        return {}
    return {"abnormality": unusual.label, "usual_speed_kmh": tenth(usual_kmh), "deviations": tenth(z)}


def tenth(value: float) -> float | None:
    return round(float(value), 1) if isfinite(value) else None


def _free_speed(thing: Thing, learnt_kmh: float) -> tuple[float, str]:
    learning = isnan(thing.free_speed_kmh)
    return (learnt_kmh, "learnt") if learning else (thing.free_speed_kmh, "configured")


def _free_time(thing: Thing, learnt_kmh: float) -> Evidence:
    free_kmh, origin = _free_speed(thing, learnt_kmh)
    time_s = thing.length_km / free_kmh * 3600 if free_kmh > 0 else float("nan")
    return {"free_time_s": number(round(time_s, 1)), "free_time_origin": origin}


def _limits(thing: Thing, congested: float) -> Evidence:
    own = thing.limits
    return {"congested_from": own[1] if own else congested, "limits_origin": "catalogue" if own else "kind"}


def _whole(thing: Thing, rule: Limits, told: Reading) -> Evidence:
    if not told:
        return {}
    if rule.of is not None:
        measured = told.get(rule.of)
        capacity = number(thing.capacity) if measured is None else measured
        return {"capacity": capacity, "capacity_origin": "configured" if measured is None else "measured"}
    return _queue(rule.field, rule.queue, told) if rule.queue else {}


def _queue(field: str, queue: Queue, told: Reading) -> Evidence:
    origin = "queue" if told.get(field) is None else "measured"
    return {f"{field}_origin": origin} | {name: told.get(name) for name in (queue.waiting, queue.lanes, queue.service)}


def _off(rule: Cooling, told: Reading) -> Evidence:
    air, set_to = told.get(rule.temperature), told.get(rule.setpoint)
    if not isinstance(air, float) or not isinstance(set_to, float):
        return {"off_c": None}
    return {"off_c": round(air - set_to, 2)}
