"""How often situations would have called an operator, by the rules of the installation. Pure.

The same desk as for live alarms takes the announcements in order of event time; nobody acknowledges or shelves, no work
is under way, and how unusual it was is not known. So it compares settings, and is not what was called on that day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from analytics.alarms.conditions import SITUATIONS, Happening
from analytics.alarms.desk import Desk
from analytics.alarms.lifecycle import announces
from analytics.alarms.load import Announcement
from analytics.alarms.rules import Rules
from analytics.alarms.standing import Clocks
from sensors.catalogue import Catalogue


def calls(happenings: Iterable[Happening], catalogue: Catalogue, rules: Rules, end: datetime) -> list[Announcement]:
    """Return every call until `end`; delays of rules run by event time, at recordings' sites too."""
    desk = Desk(rules, _by_one_clock(catalogue), SITUATIONS)
    found: list[Announcement] = []
    for event in sorted(happenings, key=lambda one: one.time):
        found += _settled(desk, event.time)
        desk.take(event, event.time)
        found += _called(desk)
    return [*found, *_settled(desk, end)]


def _settled(desk: Desk, until: datetime) -> list[Announcement]:
    """Let delays that end before then have their effect, each at its time."""
    found: list[Announcement] = []
    reached = datetime.min.replace(tzinfo=until.tzinfo)
    while (due := desk.due_at(reached)) is not None and due < until:
        reached = due
        desk.settle(Clocks(due))
        found += _called(desk)
    return found


def _called(desk: Desk) -> Sequence[Announcement]:
    found = []
    for entry in desk.changed():
        source = entry.condition.subject
        found += [Announcement(one.at, source, one.priority) for one in entry.trail if announces(one)]
        entry.trail, entry.touched = [], False
    return found


def _by_one_clock(catalogue: Catalogue) -> Catalogue:
    sites = tuple(msgspec.structs.replace(site, clock="wall") for site in catalogue.sites)
    return msgspec.structs.replace(catalogue, sites=sites)
