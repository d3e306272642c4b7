"""Situations: what is congested together, since when, and how it developed."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from api.audience import View
from api.context import InContext
from api.documented import LISTED, problem
from api.models.base import ID_PATTERN
from api.models.situations import SituationOut, SituationShown, SituationsOut
from api.problems import Problem
from api.routes.readings import Instant
from store.situations import SituationChoice, SituationRow

router = APIRouter(prefix="/v1", tags=["situations"])

_MOST = 1000
_OPEN = {"open": True, "ended": False, "all": None}

Which = Annotated[
    Literal["open", "ended", "all"], Query(description="those that are not over, those that are, or both")
]
Site = Annotated[str | None, Query(pattern=ID_PATTERN, description="only those at this site", examples=["W07"])]
From = Annotated[
    Instant | None, Query(alias="from", description="only what was not over by then, RFC 3339 with offset")
]
To = Annotated[Instant | None, Query(description="only what had begun by then, RFC 3339 with offset")]
Before = Annotated[str | None, Query(pattern=ID_PATTERN, description="only those that began before this one")]
Limit = Annotated[int, Query(ge=1, le=_MOST, description="at most so many")]
Id = Annotated[str, Path(pattern=ID_PATTERN, description="id of a situation", examples=["20260302T071200Z-W07-G1"])]


@router.get("/situations", responses=LISTED, summary="List situations")
async def list_situations(
    context: InContext,
    *,
    state: Which = "open",
    site: Site = None,
    start: From = None,
    to: To = None,
    before: Before = None,
    limit: Limit = 100,
) -> SituationsOut:
    """Congestion and stoppages, the youngest first; parts of another situation are listed too."""
    view = await context.view()
    choice = SituationChoice(open=_OPEN[state], site=site, start=start, end=to, within=view.within)
    rows = await context.source.situations(choice, before=before, limit=limit + 1)
    more = len(rows) > limit
    items = [SituationOut.model_validate(_told(row, view)) for row in rows[:limit]]
    return SituationsOut(items=items, next=items[-1].situation if more else None)


@router.get(
    "/situations/{situation}",
    responses=LISTED | {404: problem("There is no situation of this id, or no longer")},
    summary="Show one situation",
)
async def show_situation(context: InContext, situation: Id) -> SituationShown:
    """A situation as it was last, with who was congested in it from when until when."""
    row, view = await context.source.situation(situation), await context.view()
    if row is None or not view.sees(row.sites):
        raise Problem(
            404, "unknown-situation", f"There is no situation {situation}; /v1/situations lists those there are."
        )
    return SituationShown.model_validate(_told(row, view))


def _told(row: SituationRow, view: View) -> dict[str, object]:
    return {"time": row.time, **view.told(row.data)}
