"""The hand-over of a shift as Markdown, in the words of the port's two languages. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Literal
from zoneinfo import ZoneInfo

from api.models.catalogue import LabelOut
from api.models.duty import FloodOut, HandoverOut, StandingOut, WorkOut

Language = Literal["fr", "en"]

_PARTS: Sequence[Literal["unanswered", "in_hand", "shelved", "muted"]] = ("unanswered", "in_hand", "shelved", "muted")


@cache
def _words() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((resources.files("api") / "handover.toml").read_text("utf-8"))


def markdown(handover: HandoverOut, language: Language, zone: ZoneInfo, todo: dict[str, LabelOut]) -> str:
    """What the next shift must know, to be read aloud or printed. todo: what to do, by the id of an alarm."""
    return "\n".join(_Page(language, zone, todo, handover.at).lines(handover)) + "\n"


class _Page:
    def __init__(self, language: Language, zone: ZoneInfo, todo: dict[str, LabelOut], at: datetime) -> None:
        self._language = language
        self._words = _words()[language]
        self._zone = zone
        self._todo = todo
        self._today = at.astimezone(zone).date()

    def lines(self, handover: HandoverOut) -> Iterator[str]:
        words = self._words
        yield f"# {words['title']}, {handover.at.astimezone(self._zone):%d/%m/%Y %H:%M}"
        yield ""
        operator = handover.operator or words["nobody"]
        yield words["shift"].format(operator=_plain(operator), since=self._time(handover.since)) + "."
        yield words["load"].format(alarms=handover.alarms, escalated=handover.escalated) + "."
        for flood in handover.floods:
            yield self._flood(flood) + "."
        for part in _PARTS:
            yield from self._section(part, [line for one in getattr(handover, part) for line in self._alarm(one)])
        yield from self._section("maintenance", [self._work(work) for work in handover.maintenance])
        yield from self._section("false_alarms", [f"- {self._say(alarm.title)}" for alarm in handover.false_alarms])

    def _section(self, name: str, lines: Sequence[str]) -> Iterator[str]:
        yield from ("", f"## {self._words[name]}", "")
        yield from lines or [self._words["none"]]

    def _alarm(self, standing: StandingOut) -> Iterator[str]:
        alarm, words = standing.alarm, self._words
        said = self._say(alarm.headline or alarm.title)
        facts = [words["since"].format(time=self._time(alarm.onset))]
        if alarm.shelved_until:
            facts.append(words["until"].format(time=self._time(alarm.shelved_until)))
        if alarm.respond_by:
            facts.append(words["by"].format(time=self._time(alarm.respond_by)))
        if alarm.hidden_by:
            facts.append(_plain(alarm.hidden_by))
        where, urgency = ", ".join(alarm.sites) or alarm.subject, words[alarm.priority.value]
        yield words["line"].format(urgency=urgency, said=said, where=where, facts=", ".join(facts))
        noted = [words[done] for done in standing.last_done] + ([standing.last_note] if standing.last_note else [])
        if noted:
            yield f"  - {_plain(', '.join(noted))}"
        elif alarm.id in self._todo:
            yield f"  - {words['todo'].format(do=self._say(self._todo[alarm.id]))}"

    def _work(self, work: WorkOut) -> str:
        until = self._words["until"].format(time=self._time(work.ends))
        return self._words["work"].format(target=work.target, reason=_plain(work.reason), until=until)

    def _flood(self, flood: FloodOut) -> str:
        if flood.ended is None:
            return self._words["flood"].format(began=self._time(flood.began), most=flood.most)
        times = {"began": self._time(flood.began), "ended": self._time(flood.ended)}
        return self._words["was_flood"].format(most=flood.most, **times)

    def _say(self, label: LabelOut) -> str:
        return label.fr if self._language == "fr" else label.en

    def _time(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local:%H:%M}" if local.date() == self._today else f"{local:%d/%m %H:%M}"


def _plain(text: str) -> str:
    """Free text without what Markdown would take for its own."""
    return " ".join(text.split()).translate({ord(sign): f"\\{sign}" for sign in "\\`*_[]<>#|"})
