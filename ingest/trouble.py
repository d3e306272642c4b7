"""A trouble that comes back: logged once, then counted, retried with exponential backoff and jitter."""

from __future__ import annotations

from random import Random
from typing import Protocol


class Log(Protocol):
    """The part of a structlog logger that is used here."""

    def warning(self, event: str, **fields: object) -> object: ...

    def info(self, event: str, **fields: object) -> object: ...


class Trouble:
    """One thing that may fail repeatedly.

    The delay doubles from `first_s` to `longest_s`; jitter takes up to half of it away, so that the slots of a broken
    installation do not return in step. `first_s` too low hammers a restarting server, `longest_s` too high makes its
    return unnoticed for that long.
    """

    def __init__(self, name: str, log: Log, rng: Random, *, first_s: float = 0.1, longest_s: float = 5.0) -> None:
        self.count = 0
        self._name = name
        self._log = log
        self._rng = rng
        self._first_s = first_s
        self._longest_s = longest_s
        self._detail: str | None = None

    def happened(self, detail: str) -> float:
        """Note one more failure and return the seconds to wait; a detail that was not the last one is logged."""
        full_s = min(self._longest_s, self._first_s * 2.0 ** min(self.count, 30))
        self.count += 1
        if detail != self._detail:
            self._detail = detail
            self._log.warning(self._name, detail=detail, failures=self.count)
        return full_s * (1 - self._rng.random() / 2)

    def over(self) -> None:
        """Note that it works again."""
        if self.count:
            self._log.info(f"{self._name}: over", failures=self.count)
        self.count = 0
        self._detail = None
