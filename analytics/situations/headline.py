"""A situation in a sentence that can be read down a telephone, and in two lines for a sign.

Made from its facts by the templates of `headline.toml`: place, what, how long, since when, why if that is known, and
until when. French and English; nothing is guessed, what is not known is left out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from analytics.situations.because import because
from analytics.situations.clock_words import ROUNDED, ClockWords, rounded
from analytics.situations.sight import MINUTE_US
from analytics.situations.sign import BLANK, sign
from analytics.situations.situation import Situation, State
from analytics.situations.whereabouts import Whereabouts
from sensors.catalogue import Catalogue
from sensors.kind import Kinds, Label

Language = Literal["fr", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")

KILOMETRE, HUNDRED = 1000.0, 100.0
MOST_MIN: Final = 60
"""Minutes up to which a sentence says what a queue will reach. More: a guess; fewer: too late to act."""

Sign = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Headline:
    """What is said of a situation; the lines of a sign are blank when it is over."""

    fr: str
    en: str
    sign_fr: Sign
    sign_en: Sign


class Headlines:
    """Words situations of a catalogue."""

    def __init__(self, catalogue: Catalogue, kinds: Kinds) -> None:
        self._where = Whereabouts(catalogue)
        self._titles = {kind.name: kind.title for kind in kinds.values()}
        self._zones = {site.id: ZoneInfo(site.timezone) for site in catalogue.sites}
        self._known: dict[str, tuple[tuple[object, ...], Headline]] = {}

    def of(self, situation: Situation) -> Headline:
        """Word a situation; one whose facts have not changed is not worded again."""
        facts, (known, headline) = _facts(situation), self._known.pop(situation.id, _NOTHING)
        if facts != known:
            headline = self._worded(situation)
        if situation.end_us is None:
            self._known[situation.id] = facts, headline
        return headline

    def _worded(self, situation: Situation) -> Headline:
        fr, en = (self._sentences(situation, language) for language in LANGUAGES)
        sign_fr, sign_en = (sign(situation, self._where, _words()[language]["sign"]) for language in LANGUAGES)
        return Headline(fr, en, sign_fr, sign_en)

    def _sentences(self, situation: Situation, language: Language) -> str:
        words = _words()[language]
        zone = next((self._zones[site] for site in situation.sites if site in self._zones), ZoneInfo("Europe/Paris"))
        clock = ClockWords(words["time"], zone, _now_us(situation))
        fact, why = self._fact(situation, words, clock, language), because(situation, self._where, words)
        reach, end = self._reach(situation, words, clock), _end(situation, words, clock)
        return " ".join(part for part in (fact, why, reach, end) if part)

    def _reach(self, situation: Situation, words: Mapping[str, Any], clock: ClockWords) -> str:
        """Say what it will reach, within the hour."""
        next_ = situation.spillback
        if next_ is None:
            return ""
        place = self._where.ahead(situation.kind, next_, words)
        if next_.reaches_us is None:
            return str(words["reached"].format(place=place))
        minutes = (rounded(next_.reaches_us) - clock.now_us) // MINUTE_US
        form = "reach" if minutes > 0 else "soon"
        told = words[form].format(place=place, minutes=minutes, time=clock.about(next_.reaches_us))
        return str(told) if minutes <= MOST_MIN else ""

    def _fact(self, situation: Situation, words: Mapping[str, Any], clock: ClockWords, language: Language) -> str:
        what = _what(situation, words, self._titles, language)
        where, since = self._where.of(situation, words), clock.since(situation.onset_us)
        if situation.end_us is not None:
            over = {"what": _small(what), "where": where, "since": since, "end": clock.when(situation.end_us)}
            return str(words["over"].format(**over))
        trend = _trend(situation, words)
        length = _length(situation, words)
        return str(words["sentence"].format(what=what, where=where, length=length, since=since, trend=trend))


_NOTHING = (), Headline("", "", BLANK, BLANK)


def _facts(situation: Situation) -> tuple[object, ...]:
    """Return all that a headline is made of."""
    one = situation
    end = one.expected_end
    foreseen = tuple(map(rounded, (end.low_us, end.median_us, end.high_us))) if end else ()
    reach = one.spillback
    ahead = reach and (reach.towards, reach.site, reach.reaches_us and rounded(reach.reaches_us))
    where, when = (one.kind, one.sites, one.head, one.tail, one.length_m, ahead), (one.onset_us, one.end_us, *foreseen)
    return where, when, one.state, one.level, one.sensors, one.trend, one.cause, one.causes, one.parent, _now_us(one)


def _now_us(situation: Situation) -> int:
    """Return the time that sentences are told at: the last 5 min, so that they do not change at every step."""
    step_us = ROUNDED // timedelta(microseconds=1)
    return situation.at_us // step_us * step_us


def _trend(situation: Situation, words: Mapping[str, Any]) -> str:
    """Say how a jam develops; what is counted of other things (gates, cranes) says little of how bad it is."""
    if situation.state is State.CLEARING:
        return str(words["trend"]["clearing"])
    return str(words["trend"][situation.trend.value]) if situation.kind == "road" else ""


def _end(situation: Situation, words: Mapping[str, Any], clock: ClockWords) -> str:
    """Say when it is expected to end, unless that is over."""
    end = situation.expected_end
    if end is None or situation.end_us is not None or rounded(end.median_us) <= clock.now_us:
        return ""
    low_us, high_us = rounded(max(end.low_us, clock.now_us)), rounded(end.high_us)
    low, high = clock.clock(low_us), clock.clock(high_us)
    form = "end" if low_us == high_us else "end_range"
    return str(words[form].format(end=clock.about(end.median_us), low=low, high=high))


def _what(situation: Situation, words: Mapping[str, Any], titles: Mapping[str, Label], language: Language) -> str:
    """Name what it is, by kind and level."""
    forms = words["what"].get(situation.kind, words["what"]["other"])
    form = forms.get(situation.level.label) or forms.get("any") or forms["congested"]
    if isinstance(form, str):
        title = titles.get(situation.kind)
        return form.format(title=getattr(title, language) if title else situation.kind)
    count = len(situation.sensors) or len({span.sensor for span in situation.spans})
    return str(form["one" if count == 1 else "many"].format(n=count))


def _length(situation: Situation, words: Mapping[str, Any]) -> str:
    """Return how long a jam is, as exactly as it is known: sensors are kilometres apart."""
    metres = situation.length_m
    if situation.kind != "road" or metres is None:
        return ""
    text = f"{metres / KILOMETRE:.1f} km" if metres >= KILOMETRE else f"{max(round(metres / HUNDRED), 1) * 100} m"
    return str(words["length"].format(length=text.replace(".", words["decimal"]).replace(" ", "\N{NO-BREAK SPACE}")))


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads((resources.files("analytics.situations") / "headline.toml").read_text("utf-8"))
