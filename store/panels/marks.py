"""What dashboards mark on their time axes: situations and alarms, from when until when."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from store.panels.means import ask
from store.panels.port import SITES_OF_BASIN, Language

_MOST = 200
"""Marks on one axis: more than anybody tells apart, and few enough for a screen."""

_SITUATIONS: LiteralString = """
select onset as time, coalesce(ended, now()) as timeend, coalesce(data -> 'headline' ->> {language}, id) as text,
    kind as tags
from situation
where onset <= $__timeTo()::timestamptz and coalesce(ended, 'infinity') >= $__timeFrom()::timestamptz and {here}
order by onset desc limit {most}"""

_ALARMS: LiteralString = """
select raised_at as time, coalesce(closed_at, now()) as timeend, told -> 'title' ->> {language} as text,
    priority as tags
from alarm
where raised_at <= $__timeTo()::timestamptz and coalesce(closed_at, 'infinity') >= $__timeFrom()::timestamptz
    and recording is null and {here}
order by raised_at desc limit {most}"""


def situations(language: Language, *, everywhere: bool) -> str:
    return _marks(_SITUATIONS, language, everywhere=everywhere)


def alarms(language: Language, *, everywhere: bool) -> str:
    return _marks(_ALARMS, language, everywhere=everywhere)


def _marks(template: LiteralString, language: Language, *, everywhere: bool) -> str:
    here = sql.SQL("true") if everywhere else sql.SQL("sites && {}").format(sql.SQL(SITES_OF_BASIN))
    return ask(template, language=sql.Literal(language), here=here, most=sql.Literal(_MOST))
