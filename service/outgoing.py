"""Wiring of what leaves by itself: alerts over MQTT."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from api.publish import publish_alerts
from api.settings import ApiSettings
from sensors.broker_url import parse_broker_url
from service.endpoints import Endpoints
from service.parts import Part
from service.settings import Settings
from store.api_queries import DatabaseSource
from store.database import Pool


def outgoing(endpoints: Endpoints, settings: Settings) -> Iterator[Part]:
    """The parts that send; of each one works at a time, however many processes there are."""
    if settings.publish_alerts:
        yield Part("alerts over MQTT", partial(_publish, endpoints))


async def _publish(endpoints: Endpoints) -> None:
    url, broker = endpoints.database_url, parse_broker_url(endpoints.broker_url)
    async with Pool(url, name="publish", size=1) as pool:
        await publish_alerts(url, DatabaseSource(pool, url), broker, heartbeat_s=ApiSettings().heartbeat_s)
