"""What places are called in a sentence and on a sign: names of the catalogue with the articles of French.

Names of sites are labels ("RD268 La Fossette – Graveleau", "Ma Campagne, Port-de-Bouc"): in a sentence the road in
front and what follows a comma are left out, on a sign as many whole words as fit remain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

SIGN_SIGNS: Final = 20
"""Characters of a line of a variable-message sign. More than a sign has: it cuts a word in two."""

_DASH: Final = " – "
_CODE: Final = re.compile(r"([A-Z]{1,3})\d+")
"""A road by its number: RN568, A55."""

_ROAD_IN_FRONT: Final = re.compile(r"[A-Z]{1,3}\d+ (?=\w)")
_ROAD_AT_END: Final = re.compile(r".* ([A-Z]{1,3}\d+)")
_DANGLING: Final = frozenset(
    {"de", "du", "des", "d’", "la", "le", "les", "l’", "à", "au", "aux", "et", "–", "×", "of", "the"}
)
"""Words at which no name ends."""


def spoken(name: str) -> str:
    """Return a site's name as it is said.

    >>> spoken("RD268 La Fossette – Graveleau"), spoken("Ma Campagne, Port-de-Bouc")
    ('La Fossette – Graveleau', 'Ma Campagne')
    """
    return _ROAD_IN_FRONT.sub("", name, count=1).split(", ")[0] if not _CODE.fullmatch(name) else name


def short(name: str) -> str:
    """Return as many whole words of a name as fit on a sign; only a single longer word is cut.

    >>> short("Graveleau – Distriport"), short("Zone de services de Graveleau"), short("Route portuaire RP545")
    ('Graveleau', 'Zone de services', 'RP545')
    """
    said = spoken(name)
    if len(said) > SIGN_SIGNS and (numbered := _ROAD_AT_END.fullmatch(said)):
        return numbered[1]
    if len(said) > SIGN_SIGNS:
        said = said.split(_DASH)[0]
    words = said.split(" ")
    while len(words) > 1 and (len(" ".join(words)) > SIGN_SIGNS or words[-1] in _DANGLING):
        words.pop()
    return " ".join(words)[:SIGN_SIGNS]


def ends(start: str, end: str) -> tuple[str, str]:
    """Return what a stretch from one site to another is called by: of a name in two parts the one that tells more.

    >>> ends("La Fossette", "La Fossette – Graveleau"), ends("Graveleau – Distriport", "La Fossette – Graveleau")
    (('La Fossette', 'Graveleau'), ('Graveleau', 'La Fossette'))
    """
    before, after = spoken(start).split(_DASH), spoken(end).split(_DASH)
    last = next((part for part in after if part not in before), after[0])
    return next((part for part in before if part != last), before[0]), last


def with_article(name: str, article: Mapping[str, Any]) -> str:
    """Put the article before a name, by the words of a language (`headline.toml`)."""
    first, _, rest = name.partition(" ")
    if code := _CODE.fullmatch(first):
        return next((f"{one}{name}" for one, codes in article.get("code", {}).items() if code[1] in codes), name)
    small = first.lower()
    for one, words in article.items():
        if one not in ("code", "at", "proper") and small in words:
            return f"{one}{first if small in article['proper'] else small}{rest and ' '}{rest}"
    return name


def contracted(text: str, article: Mapping[str, Any]) -> str:
    """Join a preposition and the article behind it: "à le" is "au"."""
    for apart, joined in article.get("at", {}).items():
        if text.startswith(apart):
            return f"{joined}{text.removeprefix(apart)}"
    return text


def listed(names: Sequence[str], both: str) -> str:
    """Join names as a sentence does: with commas, and `both` ("{first} et {last}") before the last."""
    if len(names) < 2:  # noqa: PLR2004  one name, or none
        return "".join(names)
    return both.format(first=", ".join(names[:-1]), last=names[-1])
