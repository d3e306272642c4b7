"""Which events of the feed are wanted: the same questions for pages, streams and subscriptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends, Query
from pydantic import StringConstraints

from analytics.alarms.lifecycle import Priority
from api.context import InContext
from api.models.base import ID_PATTERN, LevelName
from sensors.catalogue import Catalogue
from store.feed import FeedChoice

TYPE_PATTERN = r"^[a-z0-9_.]{1,80}\*?$"

Types = Annotated[
    list[Annotated[str, StringConstraints(pattern=TYPE_PATTERN)]] | None,
    Query(alias="type", description="only these types, or those that begin so: `vigie.alarm.*`"),
]
_Ids = list[Annotated[str, StringConstraints(pattern=ID_PATTERN)]]
Subjects = Annotated[_Ids | None, Query(description="only about these", examples=[["W07-G1"]])]
Sites = Annotated[_Ids | None, Query(description="only at these sites", examples=[["W07"]])]
Terminals = Annotated[_Ids | None, Query(description="only at sites of these terminals", examples=[["SEYA"]])]
Levels = Annotated[list[LevelName] | None, Query(description="only at these levels")]
Priorities = Annotated[list[Priority] | None, Query(description="only alarms of these priorities")]


def with_terminals(sites: Iterable[str], terminals: Iterable[str], catalogue: Catalogue) -> list[str]:
    """The sites, and those of the terminals."""
    wanted = set(terminals)
    return [*sites, *(site.id for site in catalogue.sites if site.terminal in wanted)]


async def _choice(
    context: InContext,
    *,
    type_: Types = None,
    subject: Subjects = None,
    site: Sites = None,
    terminal: Terminals = None,
    level: Levels = None,
    priority: Priorities = None,
) -> FeedChoice:
    """What is chosen by the query; a terminal is its sites."""
    sites = site if terminal is None else with_terminals(site or [], terminal, await context.installed.catalogue())
    within = (await context.view()).within
    return FeedChoice(types=type_, subjects=subject, sites=sites, levels=level, priorities=priority, within=within)


Chosen = Annotated[FeedChoice, Depends(_choice)]
