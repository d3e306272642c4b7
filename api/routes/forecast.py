"""What is coming at one sensor."""

from __future__ import annotations

from fastapi import APIRouter

from api.context import InContext
from api.documented import ONE
from api.foresight import forecast_out
from api.models.forecast import ForecastOut
from api.problems import unknown_thing
from api.routes.catalogue import ThingId

router = APIRouter(prefix="/v1", tags=["states"])


@router.get("/sensors/{sensor}/forecast", responses=ONE, summary="Show where the speed is going")
async def show_forecast(context: InContext, sensor: ThingId) -> ForecastOut:
    """The speed in 15, 30 and 60 minutes with an interval of 80 %, as of the latest reading; empty with a reason."""
    catalogue = await context.installed.with_thing(sensor)
    if sensor not in catalogue.sensor_by_id and sensor not in catalogue.corridor_by_id:
        raise unknown_thing(sensor)
    return forecast_out(sensor, await context.source.outlook(sensor))
