"""Where a condition lies: sites, basins, terminals, roads, and whose fault would take its sensors' word away."""

from __future__ import annotations

from collections.abc import Iterator

from analytics.alarms.conditions import Condition
from analytics.alarms.rules import PlaceRule, Rules
from sensors.catalogue import Catalogue, Site


class Ground:
    """The catalogue as alarms see it; ids that it does not have lie nowhere."""

    def __init__(self, catalogue: Catalogue, rules: Rules) -> None:
        self._catalogue = catalogue
        self._rules = rules
        self._sections = {section.id: section for section in catalogue.sections}

    def covering(self, thing: str) -> tuple[str, ...]:
        """Whose fault befalls a sensor, corridor, site or basin: itself, its reader, its site, its basin."""
        sensor = self._catalogue.sensor_by_id.get(thing)
        corridor = self._catalogue.corridor_by_id.get(thing)
        site = self._site_of(thing)
        found = [thing, corridor.reader if corridor else None]
        if sensor or corridor or thing in self._catalogue.site_by_id:
            found += [site.id, site.basin] if site else []
        return tuple(dict.fromkeys(name for name in found if name))

    def sites(self, condition: Condition) -> tuple[str, ...]:
        """The sites of a condition: those it names, else those of its sensors, its places or its subject."""
        if condition.sites:
            return condition.sites
        things = condition.sensors or condition.places or (condition.subject,)
        return tuple(dict.fromkeys(site.id for thing in things if (site := self._site_of(thing))))

    def place(self, condition: Condition) -> PlaceRule | None:
        """The sort of place that counts most among all that a condition touches."""
        return max(self._places(condition), key=lambda place: place.factor, default=None)

    def public_road(self, condition: Condition) -> bool:
        return any(place.public for place in self._places(condition))

    def recording(self, condition: Condition) -> str | None:
        """The site whose recording this is, any of a basin that is played as a whole; None for the wall's clock."""
        sites = [self._catalogue.site_by_id[id_] for id_ in self.sites(condition) if id_ in self._catalogue.site_by_id]
        basin = [] if sites else [site for site in self._catalogue.sites if site.basin == condition.subject]
        played = [site.id for site in sites or basin if site.clock == "recording"]
        return played[0] if played and (sites or len(played) == len(basin)) else None

    def terminals(self, condition: Condition) -> set[str | None]:
        """The terminals of its sites, None among them for a site without."""
        sites = map(self._catalogue.site_by_id.get, self.sites(condition))
        return {site.terminal if site else None for site in sites}

    def _places(self, condition: Condition) -> Iterator[PlaceRule]:
        for thing in dict.fromkeys((condition.subject, *condition.sensors, *condition.places)):
            place = self._place_of(thing)
            if place is not None:
                yield place

    def _place_of(self, thing: str) -> PlaceRule | None:
        sensor, section = self._catalogue.sensor_by_id.get(thing), self._sections.get(thing)
        site, road, kind = self._site_of(thing), None, None
        if sensor is not None:
            road, kind = sensor.road, sensor.kind
        elif section is not None:
            road, kind = section.road, "traffic"
        elif thing in self._catalogue.corridor_by_id:
            kind = "travel_time"
        elif site is None:
            return None
        return next((rule for rule in self._rules.place if _fits(rule, road, kind, site)), None)

    def _site_of(self, thing: str) -> Site | None:
        """The site of a sensor, where a corridor or a section ends, or the site of that id itself."""
        sensor, corridor = self._catalogue.sensor_by_id.get(thing), self._catalogue.corridor_by_id.get(thing)
        section = self._sections.get(thing)
        if sensor is not None:
            return self._catalogue.site_by_id.get(sensor.site)
        end = corridor.to_site if corridor else section.to_site if section else thing
        return self._catalogue.site_by_id.get(end)


def _fits(rule: PlaceRule, road: str | None, kind: str | None, site: Site | None) -> bool:
    return (
        (not rule.roads or road in rule.roads)
        and (not rule.kinds or kind in rule.kinds)
        and (not rule.sites or (site is not None and site.id in rule.sites))
    )
