"""How the level of a kind is judged: declarative rules, chosen in its definition by `level = { rule = ... }`.

What a rule computes is in `analytics` (`fold` names the module of each); here is what a definition can say, and which
of its fields and texts that names. Numbers stand in the definition of the kind, with their sources.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class SpeedRatio(msgspec.Struct, frozen=True, tag_field="rule", tag="speed_ratio", forbid_unknown_fields=True):
    """Judged by smoothed speed over free speed, standing traffic as second witness (domain: road detectors)."""

    speed: str
    occupancy: str
    flow: str


class Queue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A wait in seconds from fields: `waiting` served by `lanes` that take `service` seconds each.

    `usual_s` stands in for a service time that nobody believes.
    """

    waiting: str
    lanes: str
    service: str
    usual_s: float | None = None


class Limits(msgspec.Struct, frozen=True, tag_field="rule", tag="limits", forbid_unknown_fields=True):
    """Judged by a field, or by its share of another (`of`), against three limits; a level holds from its limit up.

    Where the field is missing, `queue` stands in for it: how long who waits will wait at the rate of service.
    """

    field: str
    dense: float
    congested: float
    jammed: float
    of: str | None = None
    queue: Queue | None = None


class TimeRatio(msgspec.Struct, frozen=True, tag_field="rule", tag="time_ratio", forbid_unknown_fields=True):
    """Judged by free travel time over travel time, of a corridor; never on fewer than `least` vehicles matched."""

    time: str
    matches: str
    least: int


class Work(msgspec.Struct, frozen=True, tag_field="rule", tag="work", forbid_unknown_fields=True):
    """Judged by a rate of work over the least that is normal; at the words `stopped` of the text `state` it stands.

    At the words `idle` there is nothing to do, which is not a stoppage.
    """

    rate: str
    normal: float
    state: str
    idle: tuple[str, ...]
    stopped: tuple[str, ...]


class Cooling(msgspec.Struct, frozen=True, tag_field="rule", tag="cooling", forbid_unknown_fields=True):
    """Judged by how many plugs are without power, against three limits, and by whether the return air is as set.

    Off by more than `tolerance_c` it is congested, unless that is a defrost: at most `defrost_c` warmer than set for at
    most `defrost_s`, the next one not before `defrost_every_s`.
    """

    failed: str
    used: str
    temperature: str
    setpoint: str
    dense: float
    congested: float
    jammed: float
    tolerance_c: float
    defrost_c: float
    defrost_s: float
    defrost_every_s: float


LevelRule = SpeedRatio | Limits | TimeRatio | Work | Cooling


def fields_of(rule: LevelRule | None) -> tuple[str, ...]:
    """Names of the fields that a rule needs."""
    match rule:
        case SpeedRatio(speed=speed, occupancy=occupancy, flow=flow):
            return speed, occupancy, flow
        case Limits(field=field, of=of, queue=queue):
            return field, *([of] if of else ()), *((queue.waiting, queue.lanes, queue.service) if queue else ())
        case TimeRatio(time=time, matches=matches):
            return time, matches
        case Work(rate=rate):
            return (rate,)
        case Cooling(failed=failed, used=used, temperature=temperature, setpoint=setpoint):
            return failed, used, temperature, setpoint
        case None:
            return ()


def shown_of(rule: LevelRule | None) -> str | None:
    """The field whose value a level speaks of."""
    return next(iter(fields_of(rule)), None)


def problems(rule: LevelRule | None) -> Iterator[str]:
    """What is wrong with the numbers of a rule."""
    match rule:
        case Limits() | Cooling() if not rises(rule.dense, rule.congested, rule.jammed):
            yield "the limits of its level must rise from dense over congested to jammed"
        case TimeRatio(least=least) if least < 1:
            yield f"least is {least}; expected at least one vehicle"
        case Work(normal=normal) if not normal > 0:
            yield f"normal is {normal:g}; expected more than 0"
        case _:
            pass
    if isinstance(rule, Cooling) and not (
        0 < rule.tolerance_c < rule.defrost_c and 0 < rule.defrost_s < rule.defrost_every_s
    ):
        yield "a defrost must be warmer than tolerance_c and shorter than defrost_every_s"


def rises(dense: float, congested: float, jammed: float) -> bool:
    return dense < congested < jammed
