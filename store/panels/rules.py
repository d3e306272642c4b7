"""What alert rules of Grafana ask: which alarms call, and whether readings come. A row is an alert, a text a label."""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from store.panels.means import ask
from store.panels.port import Language

_CALLING: LiteralString = """
select id::text as alarm, told -> 'title' ->> {language} as title, array_to_string(sites, ', ') as sites, 1 as calls
from alarm where closed_at is null and state = 'unacknowledged' and recording is null and priority = {priority}
order by id limit {most}"""

_SILENCE: LiteralString = """
select coalesce(extract(epoch from now() - max(state.time)), 1e9)::float8 as newest_s
from state join sensor on sensor.id = state.sensor join site on site.id = sensor.site where site.clock = 'wall'"""

_MOST = 100
"""Alerts of one rule: more is a flood, which nobody reads one by one."""


def calling(language: Language, priority: str) -> str:
    """The alarms of a priority that wait for somebody."""
    return ask(_CALLING, language=sql.Literal(language), priority=sql.Literal(priority), most=sql.Literal(_MOST))


def silence() -> str:
    """Seconds since the newest reading of the port."""
    return ask(_SILENCE)
