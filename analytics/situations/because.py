"""The cause of a situation in words, with the numbers that led to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from analytics.situations.cause import OF_A_TERMINAL, Cause, Evidence
from analytics.situations.situation import Situation
from analytics.situations.whereabouts import Whereabouts

SLOWER: Final = 1.25
"""Service over usual from which it is told: from there it speaks for an outage (`gates.SLOW_FROM`)."""

KMH_OF_MS: Final = 3.6
SELF_EVIDENT: Final = frozenset({("yard", Cause.YARD_SATURATED)})
"""Kinds that are their own cause: a full yard is full because it is full."""


def because(situation: Situation, where: Whereabouts, words: Mapping[str, Any]) -> str:
    """Return a sentence on the cause; "" while none is named."""
    cause = situation.cause
    if cause is Cause.UNKNOWN or (situation.kind, cause) in SELF_EVIDENT:
        return ""
    evidence = next((hint.evidence for hint in situation.causes if hint.what is cause), {})
    if "after" in evidence:
        why = words["left"][cause.value]
    else:
        why = words["why"][cause.value] + _gate(evidence, situation, where, words) + _numbers(cause, evidence, words)
    return str(words["likely" if cause is Cause.ACCIDENT else "cause"].format(why=why))


def _gate(evidence: Evidence, situation: Situation, where: Whereabouts, words: Mapping[str, Any]) -> str:
    # What led to the name may be over while the queue stands: then its parent tells which gate it was.
    gate = evidence.get("gate") or (where.gate_of(situation.parent) if situation.cause in OF_A_TERMINAL else None)
    if not isinstance(gate, str) or situation.kind == "gate":
        return ""
    return str(words["fact"]["gate"].format(gate=where.at(gate, words)))


def _numbers(cause: Cause, evidence: Evidence, words: Mapping[str, Any]) -> str:
    numbers = {name: value for name, value in evidence.items() if isinstance(value, float | int)}
    match cause:
        case Cause.GATE_OUTAGE:
            return _shut(numbers, words) or _slower(numbers, words)
        case Cause.SURGE if {"arrivals_h", "arrivals_usual_h"} <= numbers.keys():
            now, usual = round(numbers["arrivals_h"]), round(numbers["arrivals_usual_h"])
            return str(words["fact"]["arrivals"].format(now=now, usual=usual))
        case Cause.YARD_SATURATED if "yard_share" in numbers:
            return str(words["fact"]["full"].format(percent=round(100 * numbers["yard_share"])))
        case Cause.WIND_STOP if "gust_ms" in numbers or "wind_ms" in numbers:
            gusts = "gust_ms" in numbers
            kmh = round(KMH_OF_MS * numbers["gust_ms" if gusts else "wind_ms"])
            return str(words["fact"]["gusts" if gusts else "mean"].format(kmh=kmh))
        case Cause.REEFER_TRIP if "plugs_failed" in numbers:
            failed = round(numbers["plugs_failed"])
            return str(words["fact"]["plugs"]["one" if failed == 1 else "many"].format(n=failed))
        case _:
            return ""


def _shut(numbers: Mapping[str, float], words: Mapping[str, Any]) -> str:
    """Return how many lanes are shut, where any is."""
    lanes, opened = round(numbers.get("lanes", 0)), round(numbers.get("lanes_open", numbers.get("lanes", 0)))
    if opened >= lanes:
        return ""
    form = "all" if opened <= 0 else ("one" if lanes - opened == 1 else "many")
    return str(words["fact"]["shut"][form].format(n=lanes - opened, lanes=lanes))


def _slower(numbers: Mapping[str, float], words: Mapping[str, Any]) -> str:
    times = numbers.get("service_ratio", 1.0)
    if times < SLOWER:
        return ""
    return str(words["fact"]["slower"].format(times=f"{times:.1f}".replace(".", words["decimal"])))
