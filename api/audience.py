"""What a key is shown: the whole port as it is, or the rows of a terminal's own sites without what names others.

Rows are chosen by their sites; what they say may still name others: the situation behind this one, the road that a
queue grows onto, the gate that a cause was seen at. The place of such a name is left empty; numbers beside it stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from sensors.catalogue import Catalogue
from store.alarms.rows import AlarmRow, TrailRow
from store.api_rows import EventRow
from store.within import lies_within

_NAMING: Final = ("parent", "spillback", "causes", "evidence", "head", "tail", "places", "sensors", "stays", "why")
"""Keys of what is told that may name others. All else is vocabulary, or of the sites by which the row was chosen."""
_WORD: Final = re.compile(r"[\w-]+")
_ROAD_IN_FRONT: Final = re.compile(r"[A-Z]{1,3}\d+( (?=\w)|$)")
_BETWEEN: Final = re.compile(" – | × |, ")
_OTHER: Final = "another"


class View:
    """Of the whole port: every row, itself. within: the sites that rows are chosen by; None: all are."""

    within: list[str] | None = None

    def sees(self, _sites: Collection[str]) -> bool:
        """Whether a row of these sites is shown."""
        return True

    def event(self, row: EventRow) -> EventRow:
        return row

    def alarm(self, row: AlarmRow) -> AlarmRow:
        return row

    def step(self, row: TrailRow) -> TrailRow:
        return row

    def told(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """What an event or a situation says; its shape stays the same."""
        return data


class Audience(View):
    """Of one terminal: `catalogue` is what belongs to it; `event`, `alarm`, `told` leave out what does not."""

    def __init__(self, whole: Catalogue, terminal: str) -> None:
        self.catalogue = _kept_to(whole, terminal)
        self._others = frozenset(_ids(whole)) - frozenset(_ids(self.catalogue))
        own = frozenset(_said_names(self.catalogue))
        self._names = frozenset(name for name in _said_names(whole) if not any(name in mine for mine in own))
        self.within = sorted(self.catalogue.site_by_id)

    def sees(self, sites: Collection[str]) -> bool:
        return lies_within(sites, self.catalogue.site_by_id)

    def event(self, row: EventRow) -> EventRow:
        return replace(row, data=self.told(row.data))

    def alarm(self, row: AlarmRow) -> AlarmRow:
        about, life = row.condition, row.life
        places, sensors = (tuple(self._own(list(ids))) for ids in (about.places, about.sensors))
        hidden = {name: self._worded(getattr(life, name)) for name in ("suppressed_by", "out_of_service_by")}
        condition = replace(about, places=places, sensors=sensors, data=self.told(about.data))
        return replace(row, condition=condition, life=replace(life, **hidden))

    def step(self, row: TrailRow) -> TrailRow:
        return replace(row, transition=replace(row.transition, why=self._worded(row.transition.why)))

    def told(self, data: Mapping[str, Any]) -> dict[str, Any]:
        kept = dict(data) | {name: self._own(data[name]) for name in _NAMING if name in data}
        if kept.get("spillback") != data.get("spillback"):
            kept["spillback"] = None  # where it grows to is what it says
        sites = data.get("sites") or [data.get("site")]
        kept |= {name: sites[0] for name in ("head", "tail") if name in data and kept[name] is None}
        if self._speaks_of_others(data.get("headline")):
            kept |= {name: None for name in ("headline", "sign") if name in data}
        return kept

    def _own(self, value: Any) -> Any:  # noqa: ANN401  any JSON value
        """The value with null, or nothing in a list or an object, for whatever names others."""
        if isinstance(value, str):
            return None if self._names_others(value) else value
        if isinstance(value, list):
            return [self._own(one) for one in value if not (isinstance(one, str) and self._names_others(one))]
        if isinstance(value, Mapping):
            found = {name: self._own(one) for name, one in value.items()}
            return {name: one for name, one in found.items() if one is not None or value[name] is None}
        return value

    def _names_others(self, text: str) -> bool:
        return any(self._of_others(word) for word in _WORD.findall(text))

    def _of_others(self, word: str) -> bool:
        """Whether it is the id of another thing, or is made of one: ids of sections and of situations are."""
        return word in self._others or not self._others.isdisjoint(word.split("-"))

    def _worded(self, text: str | None) -> Any:  # noqa: ANN401  the same as was given
        return text and _WORD.sub(lambda word: _OTHER if self._of_others(word[0]) else word[0], text)

    def _speaks_of_others(self, headline: object) -> bool:
        sentences = headline.values() if isinstance(headline, Mapping) else ()
        return any(name in str(sentence).casefold() for sentence in sentences for name in self._names)


def _ids(catalogue: Catalogue) -> Iterator[str]:
    for things in (catalogue.sites, catalogue.sensors, catalogue.corridors, catalogue.sections, catalogue.bans):
        yield from (thing.id for thing in things)
    yield from (terminal.code for terminal in catalogue.terminals)


def _said_names(catalogue: Catalogue) -> Iterator[str]:
    """Names of sites as sentences have them: by their parts, without the road in front."""
    for site in catalogue.sites:
        parts = (_ROAD_IN_FRONT.sub("", part) for part in _BETWEEN.split(site.name))
        yield from (part.casefold() for part in parts if part)


def _kept_to(catalogue: Catalogue, terminal: str) -> Catalogue:
    sites = {site.id for site in catalogue.sites if site.terminal == terminal}
    return msgspec.structs.replace(
        catalogue,
        sites=tuple(site for site in catalogue.sites if site.id in sites),
        sensors=tuple(sensor for sensor in catalogue.sensors if sensor.site in sites),
        corridors=(),
        sections=tuple(one for one in catalogue.sections if {one.from_site, one.to_site} <= sites),
        ways=(),
        bans=(),
        terminals=tuple(one for one in catalogue.terminals if one.code == terminal),
    )
