"""Whom a receiver is kept to: what a terminal's key registered gets what that key would be shown, and no more."""

from __future__ import annotations

from collections.abc import Sequence

from api.audience import View
from api.feed_choice import with_terminals
from api.installed import Installed
from store.api_rows import EventRow
from store.feed import FeedChoice
from store.subscriptions import Subscription


async def choice_of(one: Subscription, installed: Installed) -> FeedChoice:
    """Which events it gets: of those it may, those it wants."""
    wanted, sites = one.wanted, one.wanted.sites
    if wanted.terminals is not None:
        sites = tuple(with_terminals(sites or (), wanted.terminals, await installed.catalogue()))
    view = await _view_of(one, installed)
    return FeedChoice(wanted.types, wanted.subjects, sites, wanted.levels, wanted.priorities, view.within)


async def shown_to(one: Subscription, installed: Installed, rows: Sequence[EventRow]) -> list[EventRow]:
    """Events as it gets them, without those that it may not."""
    view = await _view_of(one, installed)
    may = FeedChoice(within=view.within)
    return [view.event(row) for row in rows if may.matches(row)]


async def _view_of(one: Subscription, installed: Installed) -> View:
    """What its owner sees; `installed` is the whole port, or that terminal's."""
    return await installed.of(one.terminal).view()
