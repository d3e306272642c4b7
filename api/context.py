"""What the handlers share: one frozen object per app, reached through FastAPI's dependencies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from api.assets import Asset
from api.backtests import Backtests
from api.board import Board
from api.broadcast import Feed
from api.delivery.courier import Courier
from api.installed import Installed
from api.settings import ApiSettings
from api.source import Source
from sensors.kind import Kinds
from store.operations import Operations

Now = Callable[[], datetime]


@dataclass(frozen=True)
class Context:
    """Everything a handler may need."""

    source: Source
    operations: Operations
    kinds: Kinds
    settings: ApiSettings
    now: Now
    installed: Installed
    feed: Feed
    board: Board
    coast: bytes
    assets: dict[str, Asset]
    registry: CollectorRegistry
    courier: Courier
    backtests: Backtests


def _context(request: Request) -> Context:
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


InContext = Annotated[Context, Depends(_context)]
