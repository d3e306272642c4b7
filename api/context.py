"""What the handlers share: one frozen object per app, reached through FastAPI's dependencies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from api.access.door import CALLER
from api.assets import Asset
from api.audience import View
from api.backtests import Backtests
from api.board import Board
from api.broadcast import Feed
from api.delivery.courier import Courier
from api.installed import Installed
from api.present import Picture, Present
from api.settings import ApiSettings
from api.source import Source
from sensors.kind import Kinds
from store.operations import Operations

Now = Callable[[], datetime]


@dataclass(frozen=True)
class Context:
    """Everything a handler may need. terminal: the caller sees the rows of this one only; None: of the whole port."""

    source: Source
    operations: Operations
    kinds: Kinds
    settings: ApiSettings
    now: Now
    installed: Installed
    feed: Feed
    board: Board
    present: Present
    coast: bytes
    assets: dict[str, Asset]
    registry: CollectorRegistry
    courier: Courier
    backtests: Backtests
    terminal: str | None = None

    async def view(self) -> View:
        """What the caller sees of rows."""
        return await self.installed.view()

    async def picture(self) -> Picture:
        """The present states of all that the caller sees."""
        return await self.present.look(await self.installed.catalogue(), self.terminal)


async def _context(request: Request) -> Context:
    # async although it awaits nothing: FastAPI hands what is not to a thread, which costs more than most answers.
    context = request.app.state.context
    assert isinstance(context, Context)
    caller = request.scope.get(CALLER)
    if caller is None or caller.terminal is None:
        return context
    return replace(context, installed=context.installed.of(caller.terminal), terminal=caller.terminal)


InContext = Annotated[Context, Depends(_context)]
