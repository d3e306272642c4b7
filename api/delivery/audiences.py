"""Whom a receiver is kept to: what a terminal's key registered gets what that key would be shown, and no more."""

from __future__ import annotations

from collections.abc import Sequence

from api.audience import Audience
from api.feed_choice import with_terminals
from api.installed import Installed
from store.api_rows import EventRow
from store.feed import FeedChoice
from store.subscriptions import Subscription


async def audience_of(one: Subscription, installed: Installed) -> Audience | None:
    """None: it is the port's. `installed` is the whole port, or that terminal's."""
    return None if one.terminal is None else await installed.of(one.terminal).audience()


async def choice_of(one: Subscription, installed: Installed) -> FeedChoice:
    """Which events it gets: of those it may, those it wants."""
    wanted, sites = one.wanted, one.wanted.sites
    if wanted.terminals is not None:
        sites = tuple(with_terminals(sites or (), wanted.terminals, await installed.catalogue()))
    audience = await audience_of(one, installed)
    within = None if audience is None else sorted(audience.sites)
    return FeedChoice(wanted.types, wanted.subjects, sites, wanted.levels, wanted.priorities, within)


async def shown_to(one: Subscription, installed: Installed, rows: Sequence[EventRow]) -> list[EventRow]:
    """Events as it gets them, without those that it may not."""
    audience = await audience_of(one, installed)
    if audience is None:
        return list(rows)
    may = FeedChoice(within=sorted(audience.sites))
    return [audience.event(row) for row in rows if may.matches(row)]
