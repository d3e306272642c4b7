"""The dead man's switch: a call that goes out as long as everything works. Who gets it is alarmed when it stops."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network

import structlog

from api.delivery.guard import AddressGuard
from api.delivery.post import Poster
from api.routes.health import readiness
from api.source import Source
from store.api_rows import Progress
from store.database import DatabaseUnavailable

STALE_S = 600.0
"""Without a reading for so long the port is not watched, whatever runs: shipped kinds speak every 5 minutes at least.
Shorter raises the alarm for a slow network, longer leaves a blind port unnoticed."""

_log = structlog.get_logger(__name__)


async def call_while_alive(url: str, source: Source, *, every_s: float, behind_s: float) -> None:
    """Call `url` until cancelled, every so often, unless something does not work."""
    # The operator's own setting: it may lie inside, and redirects are still not followed.
    anywhere = AddressGuard((ip_network("0.0.0.0/0"), ip_network("::/0")))
    last: str | None = None
    async with Poster(anywhere) as poster:
        while True:
            trouble = await _trouble(source, behind_s)
            if trouble is None:
                outcome = await poster.post(url, {"user-agent": "Vigie"}, b"")
                trouble = None if outcome.delivered else f"the call failed: {outcome.error}"
            if trouble != last:
                _log.warning("dead man's switch", calling=trouble is None, reason=trouble)
            last = trouble
            await asyncio.sleep(every_s)


async def _trouble(source: Source, behind_s: float) -> str | None:
    """What does not work; None: everything does."""
    try:
        progress = await source.progress()
    except DatabaseUnavailable as exc:
        return str(exc)
    failed = next((check.detail for check in readiness(progress, behind_s) if not check.ok), None)
    return failed or _blind(progress)


def _blind(progress: Progress) -> str | None:
    if progress.committed_at is None or (progress.now - progress.committed_at).total_seconds() > STALE_S:
        return f"no reading was stored for {STALE_S / 60:.0f} minutes"
    return None
