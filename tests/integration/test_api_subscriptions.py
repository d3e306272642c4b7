"""Receivers over HTTP on the real database: verified, served in order, given up, told again; the log of it all."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import psycopg
import pytest

from api.app import broadcasting, courier_of, create_app
from api.delivery.engine import Delivering, deliver
from api.delivery.guard import networks
from api.delivery.mail import MailServer
from api.settings import ApiSettings
from sensors.kind import Kinds
from service.access import give
from store.api_queries import DatabaseSource
from store.catalogue import seed
from store.database import Pool, connected
from store.events import NewEvent, append_events

WAIT_S = 20.0


@dataclass
class Receiver:
    """A web hook as an integrator would write one; `answers` are given first, then 200."""

    url: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)
    echoes: bool = True
    secret: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name}
        body = await reader.readexactly(int(headers["content-length"]))
        event = json.loads(body)
        status, text = self.answers.pop(0) if self.answers else (200, "")
        if self.echoes and "challenge" in event["data"]:
            text = event["data"]["challenge"]
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()
        async with self.came:
            self.taken.append(event)
            self.headers.append(headers)
            self.bodies.append(body)
            self.came.notify_all()

    async def until(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many messages in all."""
        async with asyncio.timeout(WAIT_S), self.came:
            await self.came.wait_for(lambda: len(self.taken) >= count)
            return self.taken


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    async with server:
        one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield one
        server.close()


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Place:
    """An API and the deliveries beside it, with one key and one clock."""

    url: str
    client: httpx.AsyncClient
    source: DatabaseSource
    settings: ApiSettings
    clock: Clock

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        response = await self.client.post(path, json=body or None)
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    async def get(self, path: str) -> Any:
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    async def subscribe(self, receiver: Receiver, *, verify: bool = True, **rest: Any) -> str:
        made = await self.post("/subscriptions", 201, kind="webhook", name="city", target=receiver.url, **rest)
        receiver.secret = made["secret"]
        if verify:
            assert (await self.post(f"/subscriptions/{made['id']}/verify"))["delivered"]
            receiver.taken.clear()
        return str(made["id"])

    async def happen(self, *subjects: str, type_: str = "vigie.flood.began.v1", **data: Any) -> list[str]:
        events = [NewEvent(datetime.now(UTC), type_, subject, data) for subject in subjects]
        async with connected(self.url, name="test") as conn, conn.transaction():
            return [str(number) for number in await append_events(conn, events)]

    @asynccontextmanager
    async def delivering(self, settings: ApiSettings | None = None) -> AsyncIterator[None]:
        courier = courier_of(settings or self.settings)
        parts = Delivering(self.url, self.source, courier, now=self.clock, rng=Random(1), heartbeat_s=30)
        async with courier.poster:
            task = asyncio.create_task(deliver(parts), name="deliver")
            yield
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def until(self, condition: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(WAIT_S):
            while not (found := await condition()):
                await asyncio.sleep(0.02)
            return found

    async def state(self, number: str) -> Any:
        return await self.get(f"/subscriptions/{number}")


@pytest.fixture
async def place(migrated_url: str, kinds: Kinds, bearer: dict[str, str]) -> AsyncIterator[Place]:
    await seed(migrated_url)
    settings, clock = ApiSettings(private_networks=networks(["127.0.0.0/8"])), Clock()
    async with Pool(migrated_url, name="api", size=4) as pool:
        source = DatabaseSource(pool, migrated_url)
        app = create_app(source, kinds, settings=settings, now=clock)
        transport = httpx.ASGITransport(app)
        async with (
            broadcasting(app),
            httpx.AsyncClient(
                transport=transport, base_url="http://localhost/v1", timeout=WAIT_S, headers=bearer
            ) as client,
        ):
            yield Place(migrated_url, client, source, settings, clock)


def verified(headers: dict[str, str], body: bytes, secret: str) -> bool:
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return expected in headers["webhook-signature"].split()


async def test_a_receiver_gets_nothing_before_it_has_sent_the_challenge_back(place: Place, receiver: Receiver) -> None:
    receiver.echoes = False
    number = await place.subscribe(receiver, verify=False)
    async with place.delivering():
        await place.happen("before")
        tried = await place.post(f"/subscriptions/{number}/verify")
        assert (tried["delivered"], tried["status"]) == (False, 200)
        assert "did not come back" in tried["error"]
        receiver.echoes = True
        assert (await place.post(f"/subscriptions/{number}/verify"))["delivered"]
        (_, _, alert) = await receiver.until(3)
    assert (alert["subject"], (await place.state(number))["state"]) == ("before", "active")
    assert [one["what"] for one in (await place.get(f"/subscriptions/{number}/deliveries"))["items"]][-2:] == [
        "challenge",
        "challenge",
    ]


async def test_alerts_come_in_order_signed_and_as_they_are_in_the_feed(place: Place, receiver: Receiver) -> None:
    number = await place.subscribe(receiver)
    async with place.delivering():
        ids = await place.happen(*["s"] * 20)
        taken = await receiver.until(20)
        await place.until(lambda: _served(place, number, ids[-1]))
    assert [alert["id"] for alert in taken] == ids
    feed = (await place.client.get("/alerts?type=vigie.flood.*")).json()["items"]
    assert taken == feed
    headers, body = receiver.headers[-1], receiver.bodies[-1]
    assert (headers["webhook-id"], headers["content-type"]) == (ids[-1], "application/cloudevents+json; charset=utf-8")
    assert verified(headers, body, receiver.secret)
    assert not verified(headers, body + b" ", receiver.secret)


async def test_no_secret_is_in_the_database_or_in_a_later_answer(place: Place, receiver: Receiver) -> None:
    number = await place.subscribe(receiver)
    key = base64.b64decode(receiver.secret.removeprefix("whsec_"))
    with psycopg.connect(place.url) as conn:
        rows = conn.execute("select * from subscription").fetchall()
    assert key not in [bytes(value) for row in rows for value in row if isinstance(value, bytes)]
    assert "whsec_" not in (await place.client.get(f"/subscriptions/{number}")).text


async def test_only_what_was_chosen_comes(place: Place, receiver: Receiver) -> None:
    await place.subscribe(receiver, choice={"types": ["vigie.alarm.*"], "terminals": ["SEYA"], "priorities": ["high"]})
    async with place.delivering():
        await place.happen("a", type_="vigie.alarm.raised.v1", site="W05", priority="high")
        await place.happen("b", type_="vigie.alarm.raised.v1", site="W07", priority="low")
        await place.happen("c", site="W07", priority="high")
        (wanted,) = await place.happen("d", type_="vigie.alarm.raised.v1", sites=["W08"], priority="high")
        assert [alert["id"] for alert in await receiver.until(1)] == [wanted]


async def test_what_a_terminals_key_registers_gets_what_that_key_is_shown(place: Place, receiver: Receiver) -> None:
    async with connected(place.url, name="test") as conn:
        key, _ = await give(conn, "key", "Seayard", scopes=["integrate"], terminal="SEYA")
    place.client.headers["authorization"] = f"Bearer {key}"
    number = await place.subscribe(receiver, choice={"terminals": ["SEYA", "EURFO"]})
    async with place.delivering():
        others = await place.happen("a", site="W05")
        others += await place.happen("b", sites=["W07", "W12"])
        (own,) = await place.happen("c", sites=["W07"], parent="20260302T070000Z-W12-F1", level="jammed")
        (alert,) = await receiver.until(1)
        for event in others:
            await place.post(f"/subscriptions/{number}/deliveries/{event}/redeliver", 404)
        assert (await place.post(f"/subscriptions/{number}/deliveries/{own}/redeliver"))["delivered"]
    assert (alert["id"], alert["data"]["parent"], alert["data"]["level"]) == (own, None, "jammed")
    assert receiver.taken == [alert, alert]
    assert (await place.client.get("/alerts")).json()["items"] == [alert]


async def test_what_fails_is_tried_again_and_nothing_overtakes(place: Place, receiver: Receiver) -> None:
    number = await place.subscribe(receiver)
    receiver.answers = [(500, "busy"), (503, "")]
    async with place.delivering():
        ids = await place.happen("x", "y")
        taken = await receiver.until(4)
        state = await place.until(lambda: _served(place, number, ids[1]))
    assert [alert["id"] for alert in taken] == [ids[0], ids[0], ids[0], ids[1]]
    assert (state["failures"], state["failing_since"]) == (0, None)
    log = (await place.get(f"/subscriptions/{number}/deliveries?message={ids[0]}"))["items"]
    assert [(one["delivered"], one["status"], one["answer"]) for one in log] == [
        (True, 200, ""),
        (False, 503, ""),
        (False, 500, "busy"),
    ]


async def _served(place: Place, number: str, cursor: str) -> Any:
    state = await place.state(number)
    return state if state["cursor"] == cursor else None


async def test_one_that_fails_holds_up_nobody_else(place: Place, receiver: Receiver) -> None:
    dead = await place.post("/subscriptions", 201, kind="webhook", name="dead", target=receiver.url)
    assert (await place.post(f"/subscriptions/{dead['id']}/verify"))["delivered"]
    with psycopg.connect(place.url, autocommit=True) as conn:
        conn.execute("update subscription set target = 'http://127.0.0.1:1/' where name = 'dead'")
    await place.subscribe(receiver)
    async with place.delivering():
        await place.happen("x", "y")
        assert len(await receiver.until(2)) == 2
        state = await place.until(lambda: _failing(place, dead["id"]))
    assert state["state"] == "active"


async def _failing(place: Place, number: str) -> Any:
    state = await place.state(number)
    return state if state["failures"] else None


async def test_after_a_day_of_failure_it_is_given_up_the_operator_is_told_and_nothing_is_lost(
    place: Place, receiver: Receiver
) -> None:
    number = await place.subscribe(receiver)
    receiver.answers = [(500, "")] * 2
    async with place.delivering():
        (alert,) = await place.happen("x")
        await receiver.until(1)
        place.clock.ahead = timedelta(hours=25)
        state = await place.until(lambda: _in_state(place, number, "disabled"))
    assert state["why"] == "it failed for a day: answered 500"
    assert [event["type"] for event in await _told(place)] == ["vigie.subscription.disabled.v1"]
    receiver.taken.clear()
    async with place.delivering():
        assert (await place.post(f"/subscriptions/{number}/verify"))["delivered"]
        assert (await receiver.until(2))[1]["id"] == alert
    assert [event["type"] for event in await _told(place)][1] == "vigie.subscription.enabled.v1"


async def _in_state(place: Place, number: str, state: str) -> Any:
    found = await place.state(number)
    return found if found["state"] == state else None


async def _told(place: Place) -> list[Any]:
    found: list[Any] = (await place.client.get("/alerts?type=vigie.subscription.*")).json()["items"]
    return found


async def test_410_ends_it_at_once(place: Place, receiver: Receiver) -> None:
    number = await place.subscribe(receiver)
    receiver.answers = [(410, "")]
    async with place.delivering():
        await place.happen("x")
        state = await place.until(lambda: _in_state(place, number, "disabled"))
    assert "410" in state["why"]


async def test_a_new_secret_signs_beside_the_old_one_until_the_overlap_is_over(
    place: Place, receiver: Receiver
) -> None:
    number = await place.subscribe(receiver)
    old = receiver.secret
    new = (await place.post(f"/subscriptions/{number}/rotate", overlap_h=1))["secret"]
    async with place.delivering():
        await place.happen("x")
        await receiver.until(1)
        both = [verified(receiver.headers[-1], receiver.bodies[-1], secret) for secret in (old, new)]
        place.clock.ahead = timedelta(hours=2)
        await place.happen("y")
        await receiver.until(2)
        later = [verified(receiver.headers[-1], receiver.bodies[-1], secret) for secret in (old, new)]
    assert (both, later) == ([True, True], [False, True])


async def test_paused_it_waits_and_resumed_it_goes_on_where_it_was(place: Place, receiver: Receiver) -> None:
    number = await place.subscribe(receiver)
    async with place.delivering():
        assert (await place.post(f"/subscriptions/{number}/pause"))["state"] == "paused"
        ids = await place.happen("x", "y")
        await place.post(f"/subscriptions/{number}/pause", 409)
        await place.post(f"/subscriptions/{number}/resume")
        assert [alert["id"] for alert in await receiver.until(2)] == ids


async def test_from_any_event_on_it_is_delivered_again_with_the_same_ids(place: Place, receiver: Receiver) -> None:
    number = await place.subscribe(receiver)
    async with place.delivering():
        ids = await place.happen("x", "y", "z")
        await receiver.until(3)
        await place.post(f"/subscriptions/{number}/replay", after=int(ids[0]))
        assert [alert["id"] for alert in await receiver.until(5)] == [*ids, *ids[1:]]
        again = await place.post(f"/subscriptions/{number}/deliveries/{ids[0]}/redeliver")
    assert (again["what"], again["message"], receiver.taken[-1]["id"]) == ("again", ids[0], ids[0])
    await place.post(f"/subscriptions/{number}/replay", 422, after=10**6)
    await place.post(f"/subscriptions/{number}/deliveries/999999/redeliver", 404)


async def test_a_test_is_sent_at_once_and_says_what_became_of_it(place: Place, receiver: Receiver) -> None:
    number = await place.subscribe(receiver)
    receiver.answers = [(418, "teapot")]
    tried = await place.post(f"/subscriptions/{number}/test")
    assert (tried["delivered"], tried["status"], tried["answer"], tried["what"]) == (False, 418, "teapot", "test")
    (event,) = receiver.taken
    assert (event["type"], event["id"]) == ("vigie.test.v1", tried["message"])


async def test_a_heartbeat_comes_to_who_asked_for_one(place: Place, receiver: Receiver) -> None:
    await place.subscribe(receiver, heartbeat=True)
    async with place.delivering():
        (beat,) = await receiver.until(1)
    assert beat["type"] == "vigie.heartbeat.v1"
    assert beat["data"].keys() == {"time", "cursor", "data_age_s", "valid_until"}


async def test_actions_have_versions_and_keys(place: Place, receiver: Receiver) -> None:
    number = await place.subscribe(receiver)
    path, etag = f"/subscriptions/{number}", (await place.client.get(f"/subscriptions/{number}")).headers["etag"]
    renamed = await place.client.patch(path, json={"name": "town"}, headers={"if-match": etag})
    assert (renamed.status_code, renamed.json()["name"], renamed.json()["heartbeat"]) == (200, "town", False)
    late = await place.client.patch(path, json={"name": "village"}, headers={"if-match": etag})
    assert late.status_code == 412
    send = {"headers": {"idempotency-key": "once"}}
    first = await place.client.post(f"{path}/test", **send)
    second = await place.client.post(f"{path}/test", **send)
    assert (second.json(), second.headers["idempotent-replay"]) == (first.json(), "true")
    assert len(receiver.taken) == 1
    assert (await place.client.delete(path)).status_code == 204
    assert (await place.client.get(path)).status_code == 404
    assert (await place.get("/subscriptions"))["items"] == []


REFUSED = (
    ({"target": "http://user:pass@x.example/"}, 422, "no user, password or fragment"),
    ({"target": "ftp://x.example/"}, 422, "not a URL such as"),
    ({"kind": "email", "target": "chef@port.example"}, 409, "set smtp_url and mail_from"),
    ({"after": 10**6}, 422, "an event of the feed"),
    ({"choice": {"types": ["vigie.*.began"]}}, 422, "pattern"),
    ({"name": ""}, 422, "at least 1 character"),
)


async def test_what_cannot_be_a_receiver_is_refused(place: Place, receiver: Receiver) -> None:
    for change, status, words in REFUSED:
        body = {"kind": "webhook", "name": "city", "target": receiver.url} | change
        response = await place.client.post("/subscriptions", json=body)
        assert response.status_code == status, response.text
        assert words in response.text
    for path in ("verify", "test", "pause", "rotate"):
        await place.post(f"/subscriptions/99/{path}", 404)


async def test_a_private_address_is_refused_when_it_is_used(place: Place, receiver: Receiver, kinds: Kinds) -> None:
    number = await place.subscribe(receiver)
    async with place.delivering(replace(place.settings, private_networks=())):
        await place.happen("x")
        await place.until(lambda: _failing(place, number))
    assert receiver.taken == []
    (tried,) = (await place.get(f"/subscriptions/{number}/deliveries?delivered=false"))["items"]
    assert "private, loopback or link-local" in tried["error"]


async def test_deliveries_with_another_key_send_nothing(place: Place, receiver: Receiver) -> None:
    await place.subscribe(receiver)
    async with place.delivering(replace(place.settings, signing_key=ApiSettings().signing_key)):
        await place.happen("x")
        assert not await _within(0.5, receiver.until(1))


async def _within(seconds: float, work: Awaitable[Any]) -> bool:
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        return False
    return True


class Mailbox:
    """A mail server that takes everything, after RFC 5321 as far as a client needs it."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.came = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                mail = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(mail.decode())
                self.came.set()
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            await writer.drain()
        writer.close()


async def test_mail_is_a_receiver_that_gives_its_code_and_gets_what_waits_in_one_mail(
    migrated_url: str, kinds: Kinds, bearer: dict[str, str]
) -> None:
    box, clock = Mailbox(), Clock()
    async with await asyncio.start_server(box.serve, "127.0.0.1", 0) as server:
        mail = MailServer("127.0.0.1", server.sockets[0].getsockname()[1], tls=False, sender="vigie@port.example")
        settings = ApiSettings(mail_server=mail)
        async with Pool(migrated_url, name="api", size=4) as pool:
            source = DatabaseSource(pool, migrated_url)
            app = create_app(source, kinds, settings=settings, now=clock)
            transport = httpx.ASGITransport(app)
            async with (
                broadcasting(app),
                httpx.AsyncClient(transport=transport, base_url="http://localhost/v1", headers=bearer) as client,
            ):
                place = Place(migrated_url, client, source, settings, clock)
                made = await place.post("/subscriptions", 201, kind="email", name="chef", target="chef@port.example")
                path = f"/subscriptions/{made['id']}"
                assert (await place.post(f"{path}/verify"))["delivered"]
                code = box.mails[0].split("Subject: ")[1].split("\r\n")[0].split()[-1]
                assert made["secret"] is None
                await place.post(f"{path}/test", 409)
                assert (await place.post(f"{path}/verify", 409, code="00000000"))["type"].endswith("wrong-code")
                assert (await place.post(f"{path}/verify", 409, code=code))["type"].endswith("wrong-code")
                await place.post(f"{path}/verify")
                code = box.mails[1].split("Subject: ")[1].split("\r\n")[0].split()[-1]
                assert (await place.post(f"{path}/verify", code=code))["delivered"]
                await place.happen("x", "y", "z")
                box.came.clear()
                async with place.delivering():
                    await asyncio.wait_for(box.came.wait(), WAIT_S)
                    await place.until(lambda: _served(place, made["id"], "3"))
        server.close()
    assert "Subject: 3 alertes du port" in box.mails[-1]
    assert "To: chef@port.example" in box.mails[-1]
