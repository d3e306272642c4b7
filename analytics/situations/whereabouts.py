"""Where a situation is, in words: the road with its direction and two places on it, or the sites."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from analytics.situations.called import contracted, ends, listed, short, spoken, with_article
from analytics.situations.situation import Situation, Spillback
from sensors.catalogue import Catalogue, Section, Sensor

MOST_SITES: Final = 4
"""Sites that a sentence names. More: nobody remembers them; fewer: cranes of a quay are left out."""


class Whereabouts:
    """The places of a catalogue by their names."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._sites = catalogue.site_by_id
        self._sensors = catalogue.sensor_by_id
        self._sections = {section.id: section for section in catalogue.sections}
        self._directions = {(way.road, *leg): way.direction for way in catalogue.ways for leg in pairwise(way.sites)}

    def of(self, situation: Situation, words: Mapping[str, Any]) -> str:
        """Say where it is."""
        if situation.kind != "road":
            return listed([self.at(site, words) for site in situation.sites[:MOST_SITES]], words["list"])
        head, tail = self._sections.get(situation.head), self._sections.get(situation.tail)
        if head is None:
            return self._off_sections(situation, words)
        first, last = self._ends(head, tail or head)
        named = {"first": with_article(first, words["article"]), "last": with_article(last, words["article"])}
        return str(words["where"]["between" if first != last else "inside"].format(road=self._on(head, words), **named))

    def at(self, site: str, words: Mapping[str, Any]) -> str:
        """Say "at" a site."""
        place = with_article(spoken(self.name(site)), words["article"])
        return contracted(words["where"]["at"].format(place=place), words["article"])

    def gate_of(self, situation: str | None) -> str | None:
        """Return the site of a gate's situation, which is called by its first sensor; None for any other."""
        sensor = self._sensors.get((situation or "").partition("-")[2])
        return sensor.site if sensor and sensor.kind == "gate" else None

    def ahead(self, kind: str, next_: Spillback, words: Mapping[str, Any]) -> str:
        """Name what a queue reaches: of a gate's the road, of a road's the place."""
        section = self._sections.get(next_.towards or "")
        name = section.road if section and kind == "gate" else spoken(self.name(next_.site))
        return with_article(name, words["article"])

    def name(self, site: str) -> str:
        """Return what the catalogue calls a site, else its id."""
        return self._sites[site].name if site in self._sites else site

    def road(self, situation: Situation) -> str | None:
        """Return the road of a jam's head."""
        head = self._sections.get(situation.head)
        sensor = self._sensor(situation)
        return head.road if head else (sensor.road if sensor else None)

    def behind(self, situation: Situation) -> str | None:
        """Return what vehicles pass before they meet a jam, short enough for a sign."""
        head = self._sections.get(situation.head)
        return short(self._ends(head, self._sections.get(situation.tail, head))[0]) if head else None

    def _ends(self, head: Section, tail: Section) -> tuple[str, str]:
        return ends(self.name(tail.from_site), self.name(head.to_site))

    def _on(self, section: Section, words: Mapping[str, Any]) -> str:
        return self._towards(
            section.road, self._directions.get((section.road, section.from_site, section.to_site)), words
        )

    def _towards(self, road: str, direction: str | None, words: Mapping[str, Any]) -> str:
        form, article = words["where"]["to" if direction else "on"], words["article"]
        return str(form.format(road=with_article(road, article), direction=with_article(direction or "", article)))

    def _off_sections(self, situation: Situation, words: Mapping[str, Any]) -> str:
        """A road of its own at a site, or stations of a recording, by their names."""
        sensor, where = self._sensor(situation), words["where"]
        if sensor and sensor.road:
            road = self._towards(sensor.road, sensor.direction, words)
            return str(where["join"].format(road=road, site=self.at(sensor.site, words)))
        first, last = self._station(situation.tail), self._station(situation.head)
        return str(where["near" if first == last else "along"].format(first=first, last=last))

    def _station(self, name: str) -> str:
        sensor = self._sensors.get(name)
        return (sensor.name or name) if sensor else name

    def _sensor(self, situation: Situation) -> Sensor | None:
        inside = (*situation.sensors, *(span.sensor for span in situation.spans))
        return next((self._sensors[name] for name in inside if name in self._sensors), None)
