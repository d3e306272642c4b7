"""The present states as a stream: one look at the database per interval for all viewers, and only what changed is sent.

Every look is told, also that nothing changed: who hears nothing for several intervals knows that the picture is old.
States are compared, not tracked by time: a transaction that commits late cannot hide. A viewer that is slow gets the
latest state of each sensor when it comes back, so what waits for it is bounded by the number of sensors.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import structlog

from api.installed import Installed
from api.present import Present
from store.database import DatabaseUnavailable

_log = structlog.get_logger(__name__)


class Viewer:
    """What one stream has not been sent yet: the latest state per sensor, as JSON that all streams share."""

    def __init__(self, only: frozenset[str] | None = None) -> None:
        self._only = only
        self._pending: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._closed = False

    def offer(self, states: dict[str, str]) -> None:
        """What one look found changed; empty when nothing did."""
        if self._only is not None:
            states = {name: state for name, state in states.items() if name in self._only}
        self._pending.update(states)
        self._wake.set()

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    async def __aiter__(self) -> AsyncIterator[list[str]]:
        while True:
            await self._wake.wait()
            if self._closed:
                return
            self._wake.clear()
            states, self._pending = list(self._pending.values()), {}
            yield states


class Board:
    """Watches the states while somebody looks. `run` watches, `view` is one viewer, `close` ends every stream."""

    def __init__(self, present: Present, installed: Installed, *, every_s: float) -> None:
        self._present = present
        self._installed = installed
        self._every_s = every_s
        self._viewers: set[Viewer] = set()
        self._watched = asyncio.Event()
        self._seen: dict[str, str] = {}
        self._closed = False

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    @contextmanager
    def view(self, only: frozenset[str] | None = None) -> Iterator[Viewer]:
        """Every change from now on; `only`: of these."""
        viewer = Viewer(only)
        if self._closed:
            viewer.close()
        self._viewers.add(viewer)
        self._watched.set()
        try:
            yield viewer
        finally:
            self._viewers.discard(viewer)
            if not self._viewers:
                self._watched.clear()

    def close(self) -> None:
        """End every stream, present and future."""
        self._closed = True
        for viewer in self._viewers:
            viewer.close()

    async def run(self) -> None:
        """Look at the states every interval while there is a viewer, until cancelled."""
        while True:
            await self._watched.wait()
            try:
                await self._look()
            except DatabaseUnavailable as exc:
                _log.debug("board.database_unavailable", reason=str(exc))
            await asyncio.sleep(self._every_s)

    async def _look(self) -> None:
        picture = await self._present.look(await self._installed.catalogue())
        changed = {thing: text for thing, text in picture.texts.items() if self._seen.get(thing) != text}
        self._seen = picture.texts
        for viewer in self._viewers:
            viewer.offer(changed)
