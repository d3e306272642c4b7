"""The real PostgreSQL with TimescaleDB and the real mosquitto on a home of their own."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiomqtt
import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from deploy.embedded.account import unprivileged_account
from deploy.embedded.broker import MAX_PACKET_BYTES
from deploy.embedded.child import Child
from deploy.embedded.packages import fetch
from deploy.embedded.stack import EmbeddedError, EmbeddedStack, default_home, running_stack

IS_ROOT = os.geteuid() == 0
CACHE = Path(os.environ.get("VIGIE_TEST_CACHE") or default_home(os.environ, IS_ROOT) / "cache")
WINDOW = 4_000
# A supervisor that says that it is up, and then waits to be killed.
SUPERVISOR = """
import asyncio, pathlib, sys
from deploy.embedded.stack import EmbeddedStack
async def main():
    async with EmbeddedStack(pathlib.Path(sys.argv[1]), say=print, cache=pathlib.Path(sys.argv[2])):
        print("up", flush=True)
        await asyncio.sleep(3600)
asyncio.run(main())
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that root's unprivileged account can reach, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="vigie-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def stack(home: Path) -> AsyncIterator[EmbeddedStack]:
    async with EmbeddedStack(home, say=print, cache=CACHE) as running:
        yield running


def _ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def _run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _client(url: str, **options: object) -> aiomqtt.Client:
    at = urlsplit(url)
    given = {"username": at.username, "password": at.password, "protocol": aiomqtt.ProtocolVersion.V5, **options}
    return aiomqtt.Client(at.hostname or "", at.port or 0, **given)  # type: ignore[arg-type]  # the call's own options


def _child(stack: EmbeddedStack, name: str) -> Child:
    return next(child for child in stack.children if child.name == name)


async def _round_trip(url: str) -> bytes:
    async with asyncio.timeout(5), _client(url) as client:
        await client.subscribe("there/and/back", qos=1)
        await client.publish("there/and/back", b"hello", qos=1)
        return bytes((await anext(client.messages)).payload)


async def test_database_has_timescale_and_broker_carries_messages(stack: EmbeddedStack) -> None:
    url = stack.urls.database_url
    _run(
        url,
        "CREATE EXTENSION timescaledb",
        "CREATE TABLE reading (time timestamptz NOT NULL, speed_kmh real)",
        "SELECT create_hypertable('reading', by_range('time'))",
        "INSERT INTO reading VALUES (now(), 42)",
    )
    assert _ask(url, "SELECT speed_kmh FROM reading") == 42
    assert _ask(url, "SELECT time_bucket('1 day', now(), 'Europe/Paris') <= now()") is True
    assert _ask(url, "SELECT lower('ÉTANG')") == "étang"
    assert _ask(url, "SHOW data_checksums") == "on"
    assert await _round_trip(stack.urls.broker_url) == b"hello"


async def test_neither_answers_without_its_password(stack: EmbeddedStack) -> None:
    at = urlsplit(stack.urls.database_url)
    for user in ("vigie", "postgres"):
        with pytest.raises(psycopg.OperationalError):
            _ask(f"postgresql://{user}:wrong@{at.hostname}:{at.port}/vigie", "SELECT 1")
    with pytest.raises(aiomqtt.MqttError):
        await _round_trip(stack.urls.broker_url.replace("vigie:", "vigie:wrong"))


async def test_second_start_downloads_nothing_and_continues_on_the_same_data(home: Path) -> None:
    async with EmbeddedStack(home, say=print, cache=CACHE) as first:
        _run(first.urls.database_url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
        async with _client(first.urls.broker_url) as client:
            await client.publish("kept", b"retained", qos=1, retain=True)
    said: list[str] = []
    before = asyncio.get_running_loop().time()
    async with EmbeddedStack(home, say=said.append, cache=CACHE) as second:
        assert asyncio.get_running_loop().time() - before < 3
        assert said == []
        assert second.urls == first.urls
        assert _ask(second.urls.database_url, "SELECT n FROM kept") == 7
        async with asyncio.timeout(5), _client(second.urls.broker_url) as client:
            await client.subscribe("kept")
            assert (await anext(client.messages)).payload == b"retained"


@pytest.mark.parametrize("name", ["database", "broker"])
async def test_a_killed_child_comes_back_on_the_same_port(stack: EmbeddedStack, name: str) -> None:
    child = _child(stack, name)
    child.kill()
    assert await child.wait() == -signal.SIGKILL
    await child.restart()
    assert _ask(stack.urls.database_url, "SELECT 1") == 1
    assert await _round_trip(stack.urls.broker_url) == b"hello"


async def test_database_comes_back_while_a_backend_of_the_killed_one_is_busy(stack: EmbeddedStack) -> None:
    child = _child(stack, "database")
    busy = await psycopg.AsyncConnection.connect(stack.urls.database_url, autocommit=True)
    spin = "DO $$ BEGIN FOR i IN 1..2000000000 LOOP END LOOP; END $$"
    query = asyncio.create_task(busy.execute(spin.encode()), name="busy backend")
    await asyncio.sleep(0)  # Lets the query go out.
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'"
    while not await asyncio.to_thread(_ask, stack.urls.database_url, waiting):
        await asyncio.sleep(0)
    child.kill()
    await child.wait()
    await child.restart()
    assert _ask(stack.urls.database_url, "SELECT 1") == 1
    with pytest.raises(psycopg.OperationalError):
        await query
    await busy.close()


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv: children outlive a killed supervisor")
async def test_children_end_with_a_killed_supervisor_and_the_home_can_be_used_again(home: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(home), str(CACHE)]
    supervisor = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert supervisor.stdout is not None
    while (await supervisor.stdout.readline()).strip() != b"up":
        pass
    with pytest.raises(EmbeddedError, match=f"in use by process {supervisor.pid}"):
        await EmbeddedStack(home, say=print, cache=CACHE).__aenter__()
    assert running_stack(home) is not None
    supervisor.kill()
    await supervisor.wait()
    assert running_stack(home) is None
    async with EmbeddedStack(home, say=print, cache=CACHE) as again:
        assert _ask(again.urls.database_url, "SELECT 1") == 1


async def test_orphans_are_ended_before_the_next_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.embedded.child.which", lambda _program: None)
    first = await EmbeddedStack(home, say=print, cache=CACHE).__aenter__()
    first._home.leave()  # As the kernel does for a supervisor that was killed.
    async with EmbeddedStack(home, say=print, cache=CACHE) as second:
        assert [await child.wait() for child in first.children] == [0, 0]
        assert _ask(second.urls.database_url, "SELECT 1") == 1
        assert await _round_trip(second.urls.broker_url) == b"hello"


async def test_lost_passwords_are_replaced(home: Path) -> None:
    async with EmbeddedStack(home, say=print, cache=CACHE) as first:
        pass
    (home / "embedded.json").unlink()
    async with EmbeddedStack(home, say=print, cache=CACHE) as second:
        assert second.urls != first.urls
        assert _ask(second.urls.database_url, "SELECT 1") == 1
        # A home from before the role of Grafana goes the same way.
        assert _ask(second.urls.reader_url, "SHOW default_transaction_read_only") == "on"


async def test_one_part_alone(home: Path) -> None:
    async with EmbeddedStack(home, say=print, cache=CACHE, database=False) as stack:
        assert [child.name for child in stack.children] == ["broker"]
        assert stack.urls.database_url == ""
        assert await _round_trip(stack.urls.broker_url) == b"hello"


async def _deliver(url: str, got: asyncio.Queue[int]) -> mqtt.Client:
    """Connect a session that takes messages and acknowledges none."""
    at = urlsplit(url)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "window", protocol=mqtt.MQTTv5, manual_ack=True)
    client.username_pw_set(at.username or "", at.password)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    properties.SessionExpiryInterval = 3600
    properties.ReceiveMaximum = WINDOW
    loop, subscribed = asyncio.get_running_loop(), asyncio.Event()

    def take(_client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        loop.call_soon_threadsafe(got.put_nowait, int(message.payload))

    def confirm(*_: object) -> None:
        loop.call_soon_threadsafe(subscribed.set)

    client.on_message, client.on_subscribe = take, confirm
    client.connect(at.hostname or "", at.port or 0, clean_start=False, properties=properties)
    client.subscribe("many", qos=1)
    client.loop_start()
    await subscribed.wait()
    return client


async def _leave(client: mqtt.Client) -> None:
    client.disconnect()
    await asyncio.to_thread(client.loop_stop)


async def test_broker_queues_far_beyond_its_default_and_fills_a_whole_window(stack: EmbeddedStack) -> None:
    url, got = stack.urls.broker_url, asyncio.Queue[int]()
    await _leave(await _deliver(url, got))
    async with asyncio.timeout(60), _client(url, max_inflight_messages=1_000) as publisher:
        for number in range(WINDOW):
            await publisher.publish("many", str(number).encode(), qos=1)
    client = await _deliver(url, got)
    async with asyncio.timeout(30):
        assert [await got.get() for _ in range(WINDOW)] == list(range(WINDOW))
    await _leave(client)


async def test_a_reading_as_large_as_the_client_takes_arrives(stack: EmbeddedStack) -> None:
    payload = bytes(MAX_PACKET_BYTES - 100)
    async with asyncio.timeout(5), _client(stack.urls.broker_url) as client:
        await client.subscribe("large", qos=1)
        await client.publish("large", payload, qos=1)
        assert (await anext(client.messages)).payload == payload


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user runs the servers as itself")
async def test_a_home_out_of_reach_of_the_unprivileged_account_is_refused(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=f"because of {closed}: use --home /var/lib/vigie"):
        await EmbeddedStack(closed / "home", say=print, cache=CACHE).__aenter__()
    assert list(closed.iterdir()) == []


async def _refused(folder: Path) -> str:
    with pytest.raises(EmbeddedError, match=r"VIGIE_DATABASE_URL and VIGIE_BROKER_URL.*compose") as refused:
        await fetch(folder, await unprivileged_account(print), print)
    assert set(os.listdir(folder)) <= {"fetch.lock"}  # noqa: PTH208  names are all that is asked
    return str(refused.value)


@pytest.fixture
async def empty_cache(home: Path) -> Path:
    account = await unprivileged_account(print)
    if account.drop:
        os.chown(home, account.uid, account.gid)
    return home


async def test_a_machine_without_apt_is_told_the_way_out(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(empty_cache / "no-programs"))
    assert "no apt" in await _refused(empty_cache)


@pytest.fixture
def ubuntu_apt() -> Iterator[Path]:
    """An apt configuration whose only source is Ubuntu, readable by everybody."""
    folder = Path(tempfile.mkdtemp(prefix="vigie-test-apt-"))
    folder.chmod(0o755)
    (folder / "sources.list").write_text("deb http://archive.example/ubuntu noble main\n")
    parts = f'Dir::Etc::sourcelist "{folder}/sources.list";\nDir::Etc::sourceparts "{folder}/none";\n'
    (folder / "apt.conf").write_text(parts)
    yield folder / "apt.conf"
    shutil.rmtree(folder)


async def test_a_mirror_without_debian_is_told_the_way_out(
    empty_cache: Path, ubuntu_apt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APT_CONFIG", str(ubuntu_apt))
    assert "no Debian mirror" in await _refused(empty_cache)
