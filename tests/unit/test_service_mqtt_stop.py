"""Our clients of the broker, without one: how their waits end."""

from __future__ import annotations

import asyncio

import aiomqtt
import pytest
from paho.mqtt.reasoncodes import ReasonCode

from api.publish import _Client
from sensors.broker_url import parse_broker_url
from simulators.connection import Connection, Dialect

BROKER = parse_broker_url("mqtt://nobody:nothing@127.0.0.1:1")


def ignore(_mid: int, _code: ReasonCode) -> None:
    pass


@pytest.fixture(params=["publisher of alerts", "simulators"])
async def client(request: pytest.FixtureRequest) -> aiomqtt.Client:
    if request.param == "simulators":
        return Connection(BROKER, "test", Dialect(), ignore)
    return _Client(BROKER, "test")


async def test_a_stop_in_the_same_turn_as_the_answer_is_not_lost(client: aiomqtt.Client) -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(client._wait_for(answer, None))
    await asyncio.sleep(0)
    answer.set_result("acknowledged")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_never_comes_is_an_error_of_mqtt(client: aiomqtt.Client) -> None:
    with pytest.raises(aiomqtt.MqttError, match="timed out"):
        await client._wait_for(asyncio.Event().wait(), 0.01)


async def test_what_comes_is_handed_on(client: aiomqtt.Client) -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    answer.set_result("acknowledged")
    assert await client._wait_for(answer, None) == "acknowledged"
