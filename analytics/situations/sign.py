"""Two lines for a variable-message sign: what, and where. Effects only: a cause that is inferred is not put up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from analytics.situations.called import SIGN_SIGNS, short
from analytics.situations.situation import Situation
from analytics.situations.whereabouts import Whereabouts

BLANK = ("", "")
"""What a sign shows when it is over."""


def sign(situation: Situation, where: Whereabouts, words: Mapping[str, Any]) -> tuple[str, str]:
    """Word a situation in capitals, never more than `SIGN_SIGNS` a line and never half a word."""
    if situation.end_us is not None:
        return BLANK
    if situation.kind != "road":
        return _shown(words.get(situation.kind, words["other"])), _shown(_sites(situation, where))
    what, road = words["road"].get(situation.level.label, words["road"]["congested"]), where.road(situation) or ""
    first = _fitting((f"{what} {road}".strip(), what))
    start = where.behind(situation)
    behind = [] if start is None else [words["after"].format(first=start), start]
    missing = [] if road in first else [road]
    sites = [_sites(situation, where)] if start is None else []
    return _shown(first), _shown(_fitting((*missing, *behind, *sites)))


def _sites(situation: Situation, where: Whereabouts) -> str:
    names = [short(where.name(site)) for site in situation.sites]
    return _fitting((", ".join(names), *names[:1]))


def _fitting(texts: Iterable[str]) -> str:
    """Return the first that fits on a line."""
    return next((text for text in texts if len(text) <= SIGN_SIGNS), "")


def _shown(text: str) -> str:
    return text.upper().replace("’", "'")
