"""Alerts reach a receiver whatever dies on the way: real processes, a real database, and SIGKILL."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import socket
import sys
import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from deploy.embedded.child import Child, mortal
from sensors.kind import Kinds, load_kinds
from service.access import give
from service.scratch import own_environ, scratch_stack
from store.database import DatabaseUnavailable, patient
from store.events import NewEvent, append_events
from store.migrate import migrate

PATIENCE_S = 90.0

# Notes the id of each message that is signed rightly, in a file, before it answers.
RECEIVER = textwrap.dedent("""
    import base64, hmac, json, os, sys
    from http.server import BaseHTTPRequestHandler, HTTPServer

    port, notes, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body, given = self.rfile.read(int(self.headers["content-length"])), self.headers
            event, text = json.loads(body), b""
            if os.path.exists(secret):
                key = base64.b64decode(open(secret).read())
                content = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + body
                right = "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
                if right not in given["webhook-signature"].split():
                    return self.answer(401, b"")
            if "challenge" in event["data"]:
                text = event["data"]["challenge"].encode()
            else:
                with open(notes, "a") as file:
                    file.write(f"{given['webhook-id']} {event['id']}\\n")
                    file.flush()
                    os.fsync(file.fileno())
            self.answer(200, text)

        def answer(self, status, text):
            self.send_response(status)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    HTTPServer(("127.0.0.1", port), Receiver).serve_forever()
    """)


@dataclass
class Process:
    """Something that is killed and started again."""

    command: list[str]
    environ: Mapping[str, str]
    running: asyncio.subprocess.Process | None = None

    async def start(self) -> asyncio.subprocess.Process:
        self.running = await asyncio.create_subprocess_exec(
            *mortal(self.command, signal.SIGKILL), env=dict(self.environ), stdout=asyncio.subprocess.PIPE
        )
        return self.running

    async def kill(self) -> None:
        assert self.running is not None
        with suppress(ProcessLookupError):
            self.running.kill()
        await self.running.wait()


@dataclass
class Place:
    """A database, the service that delivers, and the receiver, all of which may be killed."""

    database: Child
    database_url: str
    service: Process
    receiver: Process
    notes: Path

    async def serve(self) -> str:
        """Start the service; its URL once it answers."""
        process = await self.service.start()
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode()
        found = re.search(r"http://\S+:\d+", line)
        assert found is not None, line
        return found.group(0)

    def delivered(self) -> list[int]:
        """The ids of what the receiver took, in the order in which it came."""
        if not self.notes.exists():
            return []
        pairs = [line.split() for line in self.notes.read_text().splitlines()]
        assert all(message == event for message, event in pairs)
        return [int(message) for message, _ in pairs]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def prepared(cache: Path, folder: Path) -> AsyncIterator[Place]:
    async with scratch_stack("deliver", cache, print) as place:
        url = place.endpoints.database_url
        await migrate(url, Kinds({"wind": load_kinds()["wind"]}))
        port, secret, notes = free_port(), folder / "secret", folder / "notes"
        private = '["127.0.0.0/8"]'
        environ = own_environ(
            place.endpoints, home=str(folder), webhook_private_networks=private, publish_alerts="false"
        )
        service = Process([sys.executable, "-P", "-m", "service", "serve", "--http", "127.0.0.1:0"], environ)
        receiver = Process([sys.executable, "-c", RECEIVER, str(port), str(notes), str(secret)], environ)
        database = next(child for child in place.stack.children if child.name == "database")
        found = Place(database, url, service, receiver, notes)
        try:
            await receiver.start()
            async with patient(url, name="test") as conn:
                key, _ = await give(conn, "key", "test", scopes=["integrate"])
            await subscribe(await found.serve(), key, f"http://127.0.0.1:{port}/", secret)
            yield found
        finally:
            for process in (service, receiver):
                await process.kill()


async def subscribe(url: str, key: str, target: str, secret: Path) -> None:
    """Register and verify the receiver, and tell it its secret."""
    bearer = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"{url}/v1", timeout=PATIENCE_S, headers=bearer) as client:
        made = (await client.post("/subscriptions", json={"kind": "webhook", "name": "city", "target": target})).json()
        await asyncio.to_thread(secret.write_text, made["secret"].removeprefix("whsec_"))
        async with asyncio.timeout(PATIENCE_S):
            while not (await client.post(f"/subscriptions/{made['id']}/verify")).json()["delivered"]:
                await asyncio.sleep(0.1)


async def write_events(url: str, count: int, killed: asyncio.Event) -> None:
    """Commit events until there are so many and everything has been killed, whatever happens to the database."""
    written = 0
    while written < count or not killed.is_set():
        try:
            async with patient(url, name="writer") as conn:
                while written < count or not killed.is_set():
                    event = NewEvent(datetime.now(UTC), "vigie.flood.began.v1", f"n{written}", {"began": "x"})
                    async with conn.transaction():
                        await append_events(conn, [event])
                    written += 1
                    await asyncio.sleep(0.01)
        except DatabaseUnavailable:
            await asyncio.sleep(0.2)


async def kill_things(place: Place, faults: list[str], rng: random.Random) -> None:
    for fault in faults:
        before = len(place.delivered())
        async with asyncio.timeout(PATIENCE_S):
            while len(place.delivered()) < before + 5:  # it was under way again
                await asyncio.sleep(0.02)
        await asyncio.sleep(rng.random() * 0.05)
        if fault == "receiver":
            await place.receiver.kill()
            await asyncio.sleep(rng.random() * 0.3)
            await place.receiver.start()
        elif fault == "service":
            await place.service.kill()
            await place.serve()
        else:
            place.database.kill()
            await place.database.wait()
            await place.database.restart()


def feed(url: str) -> list[int]:
    with psycopg.connect(url) as conn:
        return [int(row[0]) for row in conn.execute("select id from event order by id")]


@pytest.mark.parametrize(
    ("events", "rounds", "seed"),
    [
        (200, 1, 1),
        pytest.param(10_000, 15, 2, marks=[pytest.mark.prove, pytest.mark.timeout(1800)]),
        pytest.param(10_000, 15, 3, marks=[pytest.mark.prove, pytest.mark.timeout(1800)]),
    ],
)
async def test_every_event_reaches_the_receiver_in_order_whoever_is_killed(
    program_cache: Path, tmp_path: Path, events: int, rounds: int, seed: int
) -> None:
    rng = random.Random(seed)
    faults = [fault for _ in range(rounds) for fault in rng.sample(["receiver", "service", "database"], 3)]
    async with prepared(program_cache, tmp_path) as place:
        killed = asyncio.Event()
        writing = asyncio.create_task(write_events(place.database_url, events, killed), name="writer")
        await kill_things(place, faults, rng)
        killed.set()
        await writing
        expected = feed(place.database_url)
        async with asyncio.timeout(PATIENCE_S):
            while place.delivered()[-1:] != expected[-1:]:
                await asyncio.sleep(0.05)
        delivered = place.delivered()
    assert len(expected) >= events
    assert list(dict.fromkeys(delivered)) == expected
    assert delivered == sorted(delivered)
    assert len(delivered) - len(expected) <= 2 * len(faults), "what came twice was under way when something died"
