"""Is it alive, can it be relied on, and what does it measure of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from api.context import InContext
from api.documented import OTHER
from api.models.service import Alive, Check, Readiness
from store.api_rows import Progress
from store.database import DatabaseUnavailable

router = APIRouter(tags=["service"])

_ANALYTICS = "analytics"
"""The name under which analytics keeps its cursors."""

_PROMETHEUS = {
    "description": "Prometheus text",
    "content": {"text/plain": {"schema": {"type": "string"}, "example": 'vigie_http_streams{stream="alerts"} 3.0\n'}},
}
_Name = Literal["database", "ingest", "analytics"]


@router.get("/healthz", responses=OTHER, summary="Is the process alive")
async def show_health() -> Alive:
    """200 as long as the process answers, whatever the rest does."""
    return Alive()


@router.get(
    "/readyz",
    response_model=Readiness,
    responses=OTHER | {503: {"model": Readiness, "description": "Not ready; the checks say why"}},
    summary="Is everything at work",
)
async def show_readiness(context: InContext) -> JSONResponse:
    """200 when the database answers, ingest is at its slots and analytics keeps up; 503 with the check that fails."""
    try:
        checks = readiness(await context.source.progress(), context.settings.behind_s)
    except DatabaseUnavailable as exc:
        checks = [Check(name="database", ok=False, detail=str(exc))]
    ready = all(check.ok for check in checks)
    body = Readiness(ready=ready, checks=checks).model_dump()
    return JSONResponse(body, 200 if ready else 503, headers={"cache-control": "no-store"})


@router.get("/metrics", response_class=Response, responses=OTHER | {200: _PROMETHEUS}, summary="Metrics for Prometheus")
async def show_metrics(context: InContext) -> Response:
    """The metrics of this process in the Prometheus text format."""
    return Response(generate_latest(context.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def readiness(progress: Progress, behind_s: float) -> list[Check]:
    """Judge how far everybody is: `behind_s` is how old the oldest unread batch may be."""
    return [Check(name="database", ok=True, detail="answers"), _ingest(progress), _analytics(progress, behind_s)]


def _ingest(progress: Progress) -> Check:
    """Ready is who holds a slot: a port that is silent is the sensors' trouble and shows in their states."""
    if not progress.held:
        return _check("ingest", "no process holds an ingest slot; is `vigie ingest` running?", ok=False)
    slots = ", ".join(map(str, progress.held))
    last = "nothing received yet"
    if progress.committed_at is not None:
        last = f"last batch committed {_age_s(progress, progress.committed_at):.0f} s ago"
    return _check("ingest", f"at slots {slots}; {last}", ok=True)


def _analytics(progress: Progress, behind_s: float) -> Check:
    late = {reader: _age_s(progress, since) for reader, since in progress.unread.items()}
    late = {reader: age for reader, age in late.items() if age > behind_s}
    if late:
        worst = max(late, key=lambda reader: late[reader])
        detail = f"{worst} has not read batches that were committed {late[worst]:.0f} s ago"
        return _check("analytics", detail, ok=False)
    if _ANALYTICS not in progress.readers and progress.committed_at is not None:
        return _check("analytics", "it has not read any batch yet; is `vigie analyse` running?", ok=False)
    return _check("analytics", f"{', '.join(progress.readers) or 'nothing to read'}: up to date", ok=True)


def _check(name: _Name, detail: str, *, ok: bool) -> Check:
    return Check(name=name, ok=ok, detail=detail)


def _age_s(progress: Progress, at: datetime) -> float:
    return (progress.now - at).total_seconds()
