"""Moves the raw payloads that ingest holds into the database, now and then; what cannot be stored is left out."""

from __future__ import annotations

import asyncio

import structlog

from ingest.columns import SinkUnavailable
from ingest.raw import FLUSH_EVERY_S, RawPayload, RawRings, RawStore

_AT_ONCE = 100
"""Payloads redacted before others may run: about 2 ms."""


async def flush_rings(rings: RawRings, store: RawStore, *, every_s: float = FLUSH_EVERY_S) -> None:
    """Flush until cancelled; a database that is away is told once and costs payloads, never readings."""
    log, told = structlog.get_logger("raw"), False
    while True:
        await asyncio.sleep(every_s)
        payloads: list[RawPayload] = []
        for payload in rings.drain():
            payloads.append(payload)
            if len(payloads) % _AT_ONCE == 0:
                await asyncio.sleep(0)
        try:
            if payloads:
                await store.keep(payloads)
                told = False
        except SinkUnavailable as exc:
            if not told:
                log.warning("raw payloads are not kept", reason=str(exc))
            told = True
