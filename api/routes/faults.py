"""What is wrong with sensors, sites and basins now."""

from __future__ import annotations

from fastapi import APIRouter

from api.context import InContext
from api.documented import LISTED
from api.models.faults import FaultOut, Faults
from sensors.fault import Fault, Scope
from store.faults import FaultRow

router = APIRouter(prefix="/v1", tags=["states"])


@router.get("/faults", responses=LISTED, summary="Show what is wrong with sensors")
async def list_faults(context: InContext) -> Faults:
    """Every fault that stands now, at the highest level that explains it, the oldest first."""
    return Faults(items=[_out(row) for row in await context.source.faults()])


def _out(row: FaultRow) -> FaultOut:
    return FaultOut(
        place=row.place,
        fault=Fault(row.fault),
        scope=Scope(row.scope),
        site=row.site,
        kind=row.kind,
        since=row.since,
        found=row.found_at,
        ahead_h=row.ahead_h,
    )
