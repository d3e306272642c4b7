"""The present states as JSON, each written once per change and shared by all who ask.

A look costs the database its marks alone, which say of each state whether it is still the one that was written; only
the others are read. The marks are read first, so that what is written is at least as new as its mark: a state that
changes in between is written again at the next look, and never missed. One look writes at a time: what another had read
before a change would take the place of what was written after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from api.kept import entity_tag
from api.shapes import Installation, installations, state_out
from api.source import Source
from sensors.catalogue import Catalogue
from sensors.kind import Kinds

Marks = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Picture:
    """All states at one look, by thing in the order of the catalogue; what never spoke is unknown."""

    texts: dict[str, str]
    body: bytes
    tag: str
    """The ETag of `body`."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A state as JSON; mark, of: what it was written from."""

    mark: object
    of: Installation
    text: str


class Present:
    """What is known of everything installed, as it is now."""

    def __init__(self, source: Source, kinds: Kinds) -> None:
        self._source = source
        self._kinds = kinds
        self._written: dict[str, _Written] = {}
        self._writing = asyncio.Lock()
        self._pictures: dict[str | None, tuple[Catalogue, Marks, Picture]] = {}

    async def look(self, catalogue: Catalogue, audience: str | None = None) -> Picture:
        """The states of what a catalogue holds; `audience` names who it is for, so that its picture can be kept."""
        marks = await self._source.state_marks()
        async with self._writing:
            kept = self._pictures.get(audience)
            if kept is not None and kept[0] is catalogue and kept[1] == marks:
                return kept[2]
            installed = list(installations(catalogue, self._kinds))
            if stale := [one for one in installed if not self._holds(one, marks)]:
                await self._write(stale, marks)
            picture = _picture({one.thing: self._written[one.thing].text for one in installed})
            self._pictures[audience] = (catalogue, marks, picture)
            return picture

    def _holds(self, one: Installation, marks: Marks) -> bool:
        written = self._written.get(one.thing)
        return written is not None and written.of == one and written.mark == marks.get(one.thing)

    async def _write(self, stale: list[Installation], marks: Marks) -> None:
        rows = {row.thing: row for row in await self._source.states([one.thing for one in stale])}
        for one in stale:
            text = state_out(one, rows.get(one.thing)).model_dump_json()
            self._written[one.thing] = _Written(marks.get(one.thing), one, text)


def _picture(texts: dict[str, str]) -> Picture:
    body = f'{{"items":[{",".join(texts.values())}]}}'.encode()
    return Picture(texts, body, entity_tag(body))
