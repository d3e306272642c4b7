"""Wiring of what leaves by itself: alerts over MQTT, webhooks and mail, the dead man's switch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import SystemRandom

from api.app import courier_of
from api.delivery.deadman import call_while_alive
from api.delivery.engine import Delivering, deliver
from api.delivery.guard import networks
from api.delivery.mail import mail_server
from api.publish import publish_alerts
from api.settings import ApiSettings
from sensors.broker_url import parse_broker_url
from sensors.errors import OperatorError
from service.clocks import now
from service.endpoints import Endpoints
from service.parts import Part
from service.settings import Settings
from service.signing import signing_key
from store.api_queries import DatabaseSource
from store.database import Pool

CONNECTIONS = 4
"""Of the deliveries to the database: a receiver needs one for a moment before and after each message."""


class MailSettingsError(OperatorError):
    """Half of what mail needs."""


def api_settings(settings: Settings) -> ApiSettings:
    """What the HTTP side and the deliveries can be told; refuses settings that cannot be used."""
    if (settings.smtp_url is None) != (settings.mail_from is None):
        raise MailSettingsError("smtp_url and mail_from belong together: set both, or neither")
    mail = mail_server(settings.smtp_url, settings.mail_from) if settings.smtp_url and settings.mail_from else None
    return ApiSettings(
        allowed_hosts=frozenset(settings.allowed_hosts),
        signing_key=signing_key(settings),
        private_networks=networks(settings.webhook_private_networks),
        mail_server=mail,
        metrics_open=settings.metrics_open,
    )


def outgoing(endpoints: Endpoints, settings: Settings, api: ApiSettings) -> Iterator[Part]:
    """The parts that send; of each one works at a time, however many processes there are."""
    if settings.publish_alerts:
        yield Part("alerts over MQTT", partial(_publish, endpoints, api))
    yield Part("deliveries", partial(_deliver, endpoints, api))
    if settings.dead_man_url:
        yield Part("dead man's switch", partial(_call, endpoints, settings, api))


async def _publish(endpoints: Endpoints, api: ApiSettings) -> None:
    url, broker = endpoints.database_url, parse_broker_url(endpoints.broker_url)
    async with Pool(url, name="publish", size=1) as pool:
        await publish_alerts(url, DatabaseSource(pool, url), broker, heartbeat_s=api.heartbeat_s)


async def _deliver(endpoints: Endpoints, api: ApiSettings) -> None:
    url, courier = endpoints.database_url, courier_of(api)
    async with Pool(url, name="deliveries", size=CONNECTIONS) as pool, courier.poster:
        source = DatabaseSource(pool, url)
        await deliver(Delivering(url, source, courier, now=now, rng=SystemRandom(), heartbeat_s=api.heartbeat_s))


async def _call(endpoints: Endpoints, settings: Settings, api: ApiSettings) -> None:
    url = endpoints.database_url
    assert settings.dead_man_url is not None
    async with Pool(url, name="dead man", size=1) as pool:
        source = DatabaseSource(pool, url)
        every_s = settings.dead_man_every_s
        await call_while_alive(settings.dead_man_url, source, every_s=every_s, behind_s=api.behind_s)
