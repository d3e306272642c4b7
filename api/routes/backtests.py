"""Backtests: stored readings judged again by other settings, beside what was."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.backtests import Asked, BacktestRunningError, Job
from api.context import InContext
from api.documented import LISTED, problem
from api.models.backtests import BacktestIn, BacktestOut
from api.models.base import ID_PATTERN
from api.problems import Problem, bad_parameter

router = APIRouter(prefix="/v1", tags=["situations"])

_LONGEST = timedelta(days=7)
"""As long as an answer is waited for: a week of the port takes some minutes; `vigie backtest` takes a month."""

Id = Annotated[str, Path(pattern=ID_PATTERN, description="id of a backtest", examples=["b1"])]


@router.post(
    "/backtests",
    status_code=202,
    responses=LISTED | {409: problem("Another backtest is running")},
    summary="Try other settings on stored readings",
)
async def start_backtest(context: InContext, body: BacktestIn, response: Response) -> BacktestOut:
    """Begins one, beside the service and one at a time; `Location` is where it can be followed. Writes nothing."""
    start, end = body.start.astimezone(UTC), body.end.astimezone(UTC)
    if not timedelta() < end - start <= _LONGEST:
        raise bad_parameter("to", end.isoformat(), f"after `from`, by at most {_LONGEST.days} days")
    asked = Asked(start, end, body.settings.model_dump(exclude_defaults=True), body.operators)
    try:
        job = context.backtests.start(asked, context.now())
    except BacktestRunningError:
        raise Problem(409, "backtest-running", "Another backtest is running; ask again when it is done.") from None
    response.headers["location"] = f"/v1/backtests/{job.id}"
    return _out(job)


@router.get(
    "/backtests/{backtest}",
    responses=LISTED | {404: problem("There is no backtest of this id, or no longer")},
    summary="Show a backtest",
)
async def show_backtest(context: InContext, backtest: Id) -> BacktestOut:
    """How it fares, and what came out. The last ten are kept until the service ends."""
    job = context.backtests.find(backtest)
    if job is None:
        raise Problem(
            404, "unknown-backtest", f"There is no backtest {backtest}, or no longer: only the last are kept."
        )
    return _out(job)


def _out(job: Job) -> BacktestOut:
    return BacktestOut.model_validate(
        {
            "id": job.id,
            "state": job.state,
            "from": job.asked.start,
            "to": job.asked.end,
            "asked": job.asked_at,
            "finished": job.finished_at,
            "error": job.error,
            "result": job.result,
        }
    )
