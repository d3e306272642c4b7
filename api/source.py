"""What the API asks of the store. The routes know only this; `store.api_queries` answers from the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from api.access.caller import Grants
from sensors.catalogue import Catalogue
from store.api_rows import ClockRow, EventRow, Progress, ReadingsQuery, ReadingsTable, StandingRow, StateRow
from store.faults import FaultRow
from store.feed import EVERYTHING, FeedChoice
from store.operations import Operations
from store.outlooks import OutlookRow
from store.quarantine import Choice, Dropped, Entry
from store.raw_payloads import RawRow
from store.situations import SituationChoice, SituationRow


class Source(Protocol):
    """Read access to everything the API shows. Every method raises `DatabaseUnavailable` when there is none."""

    @property
    def operations(self) -> Operations:
        """What people and systems change, and reads that are one query of theirs."""
        ...

    @property
    def grants(self) -> Grants:
        """Who may ask."""
        ...

    async def catalogue(self) -> Catalogue: ...

    async def clock(self, things: Sequence[str]) -> ClockRow | None:
        """The newest clock offset of any of these ids."""
        ...

    async def standings(self, things: Sequence[str]) -> list[StandingRow]:
        """How far the numbers of these senders are settled, by boot, the latest first."""
        ...

    async def state_marks(self) -> Mapping[str, object]:
        """For each thing that has a state something that is another once the state is another; costs little."""
        ...

    async def states(self, things: Sequence[str] | None = None) -> list[StateRow]: ...

    async def outlook(self, thing: str) -> OutlookRow | None:
        """What is usual and coming at a sensor or corridor; None before its first reading."""
        ...

    async def readings(self, query: ReadingsQuery) -> ReadingsTable: ...

    async def faults(self) -> list[FaultRow]:
        """What is wrong now, the oldest first."""
        ...

    async def events_after(self, after: int, *, limit: int, choice: FeedChoice = EVERYTHING) -> list[EventRow]: ...

    async def newest_events(self, *, limit: int, choice: FeedChoice = EVERYTHING) -> list[EventRow]:
        """The newest `limit` events, oldest first."""
        ...

    async def latest_event_id(self) -> int:
        """The highest id of the feed, 0 while it is empty."""
        ...

    async def situations(self, choice: SituationChoice, *, before: str | None, limit: int) -> list[SituationRow]:
        """Situations that began before the one named, the youngest first."""
        ...

    async def situation(self, name: str) -> SituationRow | None: ...

    async def quarantine(self, choice: Choice, *, before: int | None, limit: int) -> list[Entry]:
        """Entries with an id below `before`, the newest first."""
        ...

    async def raw_payloads(self, thing: str) -> list[RawRow]:
        """The last payloads of a sensor or corridor, the newest first."""
        ...

    async def quarantine_dropped(self) -> Dropped | None: ...

    async def progress(self) -> Progress: ...

    def wakes(self, poll_s: float) -> AbstractAsyncContextManager[AsyncIterator[None]]:
        """Something may have happened: at once after a notification, and every `poll_s` because one may be lost."""
        ...
