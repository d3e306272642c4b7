"""What begins and ends, in the world and in what Vigie says, so that both can be told beside each other. Pure.

The world's congestion is found as the truth of a run defines it (`simulators.truth`), only while it goes on: it is told
once it has lasted for two minutes, with its true onset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np

from sensors.catalogue import Catalogue
from sensors.kind import Kinds
from service.score.feed import Alert
from service.score.watch import watch_of
from simulators.truth.places import Places
from simulators.truth.spells import CONGESTED, HOLDS_S, RELIEF_S, SLOWED
from simulators.view import View

_OPENS: Final = frozenset({"vigie.congestion.began.v1", "vigie.congestion.changed.v1"})
_CLOSES: Final = frozenset({"vigie.congestion.ended.v1", "vigie.congestion.lost.v1"})
_BROKEN: Final = {"vigie.sensor.silent.v1": "silent", "vigie.sensor.faulty.v1": "faulty"}
_MENDED: Final = frozenset({"vigie.sensor.returned.v1", "vigie.sensor.recovered.v1"})


class Change(NamedTuple):
    """At this instant of event time something began for `name`, or became `words`; with None it ended.

    `remark` is told with it once, `words` as long as it stands.
    """

    at_s: float
    name: str
    words: str | None
    remark: str = ""


@dataclass(slots=True)
class _Spell:
    since_s: float
    told: bool = False
    slowed_s: float | None = None


class Truly:
    """Which places are truly congested, from the views of one step after another."""

    def __init__(self, catalogue: Catalogue, kinds: Kinds) -> None:
        self._places = Places(catalogue, kinds)
        self._spells: dict[str, _Spell] = {}
        self._slowed: set[str] = set()

    def observe(self, view: View) -> Iterator[Change]:
        """What one more step changes; what goes on is told again with how bad it is now."""
        levels = self._places.levels(view)
        for name, level, words in zip(self._places.names, levels.tolist(), _words(view), strict=True):
            yield from self._step(name, level, view.at_s, words)
        self._slowed = {self._places.names[place] for place in np.flatnonzero(levels == SLOWED).tolist()}

    def about(self, places: frozenset[str], at_s: float) -> str:
        """What an alarm over these places is worth at that instant."""
        onsets = [self._spells[place].since_s for place in places if place in self._spells]
        if onsets:
            late_s = at_s - min(onsets)
            return f"{delay(abs(late_s))} {'after' if late_s >= 0 else 'before'} the onset"
        return "where it is only slow" if places & self._slowed else "where nothing is congested"

    def _step(self, name: str, level: int, at_s: float, words: str) -> Iterator[Change]:
        spell = self._spells.get(name)
        if level == CONGESTED:
            yield from self._congested(name, spell or self._spells.setdefault(name, _Spell(at_s)), at_s, words)
        elif spell is not None and (not spell.told or level < SLOWED or _slow_for_long(spell, at_s)):
            del self._spells[name]
            if spell.told:
                yield Change(at_s, name, None)
        elif spell is not None:
            yield Change(at_s, name, words)

    @staticmethod
    def _congested(name: str, spell: _Spell, at_s: float, words: str) -> Iterator[Change]:
        spell.slowed_s = None
        if not spell.told and at_s - spell.since_s >= HOLDS_S:
            spell.told = True
            yield Change(spell.since_s, name, words)
        elif spell.told:
            yield Change(at_s, name, words)


class Verdicts:
    """What Vigie says, from the events of its feed; `truly` knows what they are late to."""

    def __init__(self, catalogue: Catalogue, truly: Truly) -> None:
        self._watched = watch_of(catalogue).places
        self._truly = truly

    def read(self, alert: Alert) -> Iterator[Change]:
        """What an event of the feed changes; one that tells neither of congestion nor of a sensor changes nothing."""
        subject, type_, at_s = str(alert["subject"]), str(alert["type"]), _seconds(alert)
        data: Mapping[str, Any] = alert.get("data") or {}
        if type_ in _OPENS:
            yield Change(at_s, subject, str(data.get("level")), self._remark(subject, type_, at_s))
        elif type_ in _BROKEN:
            yield Change(at_s, _of_sensor(subject), str(data.get("fault") or _BROKEN[type_]))
        elif type_ in _CLOSES:
            yield Change(at_s, subject, None)
        elif type_ in _MENDED:
            yield Change(at_s, _of_sensor(subject), None)

    def _remark(self, subject: str, type_: str, at_s: float) -> str:
        """Nothing of those that the truth does not speak of."""
        if subject not in self._watched or not type_.endswith("began.v1"):
            return ""
        return self._truly.about(self._watched[subject], at_s)


def delay(seconds: float) -> str:
    """Minutes and seconds: `1:30`, `-0:30`."""
    minutes, rest = divmod(abs(round(seconds)), 60)
    return f"{'-' if round(seconds) < 0 else ''}{minutes}:{rest:02d}"


def _slow_for_long(spell: _Spell, at_s: float) -> bool:
    spell.slowed_s = at_s if spell.slowed_s is None else spell.slowed_s
    return at_s - spell.slowed_s > RELIEF_S


def _words(view: View) -> list[str]:
    """How bad it is at each place, in the order of `Places.names`."""
    roads = [f"{100 * ratio:.0f} % speed" for ratio in view.speed_ratio.tolist()]
    gates = [f"{wait / 60:.0f} min" for wait in view.gate_wait_s.tolist()]
    full = [f"{100 * fill:.0f} % full" for fill in (*view.yard_fill.tolist(), *view.park_fill.tolist())]
    cranes = ["stopped by wind" if stopped else "at work" for stopped in view.crane_stopped.tolist()]
    racks = [f"{plugs:.0f} plugs dark" for plugs in view.rack_failed.tolist()]
    return [*roads, *gates, *full, *cranes, *racks]


def _of_sensor(subject: str) -> str:
    """A sensor's trouble stands beside the alarm of what it measures."""
    return f"sensor {subject}"


def _seconds(alert: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(str(alert["time"])).timestamp()
