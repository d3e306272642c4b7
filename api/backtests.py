"""What the routes of backtests ask of whoever runs them; the service hands in one that runs them beside itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol


class BacktestRunningError(Exception):
    """There is one already."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A backtest as it was asked for; settings as in the file of `vigie backtest`."""

    start: datetime
    end: datetime
    settings: Mapping[str, Any]
    operators: int


@dataclass(frozen=True, slots=True)
class Job:
    """How one fares. result: of what is done; error: one line, of what failed."""

    id: str
    asked: Asked
    asked_at: datetime
    state: Literal["running", "done", "failed"] = "running"
    finished_at: datetime | None = None
    result: Mapping[str, Any] | None = None
    error: str | None = None


class Backtests(Protocol):
    """Runs backtests, one at a time."""

    def start(self, asked: Asked, at: datetime) -> Job:
        """Begin one; raises `BacktestRunningError`."""
        ...

    def find(self, name: str) -> Job | None:
        """One of the last ones; None for one that is not known, or no longer."""
        ...


class NoBacktests:
    """For an app that nobody runs them for: none is ever free."""

    def start(self, asked: Asked, at: datetime) -> Job:  # noqa: ARG002  the shape of the protocol
        raise BacktestRunningError

    def find(self, name: str) -> Job | None:  # noqa: ARG002  as above
        return None
