"""Grafana's macros and variables in a statement, expanded as its PostgreSQL data source documents them.

For tests and measurements only: in use Grafana expands them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

_VARIABLE = re.compile(r"\$\{(\w+):sqlstring\}")
_MACRO = re.compile(r"\$(__\w+)\(([^)]*)\)")


class UnknownMacroError(ValueError):
    """A macro or a variable that is not known here; Grafana would refuse it or leave it as it stands."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a dashboard shows: from when to when, at how many points a panel, and the values of its variables."""

    start: datetime
    end: datetime
    variables: Mapping[str, Sequence[str]]
    points: int = 1000

    @property
    def interval_ms(self) -> int:
        """Grafana rounds it to what people can read; the step is the same within a third."""
        return max(int((self.end - self.start).total_seconds() * 1000 / self.points), 1)


def expand(statement: str, shown: Shown) -> str:
    """Write the statement as it reaches the database; raises `UnknownMacroError`."""

    def variable(match: re.Match[str]) -> str:
        if match[1] not in shown.variables:
            raise UnknownMacroError(f"${{{match[1]}}} is no variable of the dashboard")
        return ",".join(sql.Literal(value).as_string(None) for value in shown.variables[match[1]])

    def macro(match: re.Match[str]) -> str:
        return _macro(match[1], match[2].strip(), shown)

    text = _VARIABLE.sub(variable, statement)
    text = text.replace("$__interval_ms", str(shown.interval_ms))
    text = text.replace("$__interval", f"{shown.interval_ms}ms")
    text = _MACRO.sub(macro, text)
    if rest := re.search(r"\$[_{a-zA-Z]\w*", text):
        raise UnknownMacroError(f"{rest[0]} was not expanded")
    return text


def _macro(name: str, argument: str, shown: Shown) -> str:
    start, end = (sql.Literal(moment.isoformat()).as_string(None) for moment in (shown.start, shown.end))
    match name:
        case "__timeFilter":
            return f"{argument} BETWEEN {start} AND {end}"
        case "__timeFrom":
            return start
        case "__timeTo":
            return end
        case "__unixEpochFrom":
            return str(int(shown.start.timestamp()))
        case "__unixEpochTo":
            return str(int(shown.end.timestamp()))
    raise UnknownMacroError(f"${name} is no macro that dashboards use here")
