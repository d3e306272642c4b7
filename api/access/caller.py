"""Who asks: what a key or a session says of the one who brings it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from api.access.scopes import Scope, granted
from api.access.tokens import has_form, hash_of
from store.access import Grant, Use

BELIEVED_FOR_S = 5.0
"""How long a key is believed without asking the database: longer lets a revoked one on, shorter costs a query each."""
_MOST = 10_000
"""Keys that are remembered: a stranger cannot add one, because only valid ones are."""


class Grants(Protocol):
    """Where grants are kept; raises `DatabaseUnavailable`."""

    async def find(self, hash_: bytes, use: Use) -> Grant | None: ...

    async def redeem(self, link: bytes, session: bytes) -> bool:
        """Begin a session for a sign-in link that was not used; False where it was, or is none."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """A person or a system; terminal: the one whose rows alone it sees, None: the whole port."""

    id: int
    name: str
    scopes: frozenset[Scope]
    terminal: str | None
    per_minute: int


class Callers:
    """Knows who brings a token; remembers it for a moment."""

    def __init__(self, grants: Grants, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._grants = grants
        self._monotonic = monotonic
        self._known: dict[tuple[bytes, Use], tuple[float, Caller]] = {}

    async def find(self, token: str, use: Use) -> Caller | None:
        """The caller, None for a token that is not valid."""
        if not has_form(token):
            return None
        wanted = (hash_of(token), use)
        known = self._known.get(wanted)
        if known is not None and self._monotonic() - known[0] < BELIEVED_FOR_S:
            return known[1]
        grant = await self._grants.find(*wanted)
        if grant is None:
            self._known.pop(wanted, None)
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        caller = Caller(grant.id, grant.name, granted(grant.scopes), grant.terminal, grant.per_minute)
        self._known[wanted] = (self._monotonic(), caller)
        return caller
