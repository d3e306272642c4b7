"""The publisher against a broker as a port has one: TLS with an authority of its own, rights, old clients, outages."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from deploy.embedded.account import Account, unprivileged_account, write_private
from deploy.embedded.broker import password_line
from deploy.embedded.child import Child
from deploy.embedded.programs import choose_mosquitto
from sensors.broker_url import BrokerAddress, BrokerUrlError
from simulators.connection import Dialect
from simulators.publish import Publisher, PublishError

SECONDS = 30.0
USER, PASSWORD = "field", "mistral-7"
MAY = "vigie/1/readings/W07"
OLD, UNSURE = Dialect("3.1.1"), Dialect(qos=0)
DIALECTS = [Dialect(), OLD, UNSURE, Dialect("3.1.1", 0)]
_numbers = itertools.count(1)


class PortBroker:
    """mosquitto with a plain listener, a TLS one, and one that wants a certificate; everything below MAY is allowed."""

    name = "broker"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, account: Account, mosquitto: Path) -> None:
        self.account, self._folder, self._mosquitto = account, folder, mosquitto
        self.log = folder / "broker.log"
        self.plain, self.tls, self.mutual = (_free_port() for _ in range(3))

    def command(self) -> list[str | Path]:
        return [self._mosquitto, "-c", self._folder / "mosquitto.conf"]

    def is_ours(self, argv: list[str]) -> bool:
        return str(self._folder / "mosquitto.conf") in argv

    def is_ready(self, pid: int) -> bool:
        del pid
        return all(self._listens(port) for port in (self.plain, self.tls, self.mutual))

    async def prepare(self) -> None:
        await write_private(self._folder / "passwords", password_line(USER, PASSWORD, b"twelve bytes"), self.account)
        rights = f"user {USER}\ntopic readwrite {MAY}/#\ntopic read vigie/1/receipts/#\n"
        await write_private(self._folder / "rights", rights, self.account)
        await write_private(self._folder / "mosquitto.conf", self._configuration(), self.account)

    def _configuration(self) -> str:
        tls = f"cafile {self._folder}/ca.pem\ncertfile {self._folder}/broker.pem\nkeyfile {self._folder}/broker.key\n"
        return (
            f"allow_anonymous false\npassword_file {self._folder}/passwords\nacl_file {self._folder}/rights\n"
            f"persistence true\npersistence_location {self._folder}/\nautosave_interval 1\nlog_dest stderr\n"
            f"listener {self.plain} 127.0.0.1\n"
            f"listener {self.tls} 127.0.0.1\n{tls}"
            f"listener {self.mutual} 127.0.0.1\n{tls}require_certificate true\n"
        )

    def _listens(self, port: int) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


class Port:
    """A running broker, and how to reach it."""

    def __init__(self, server: PortBroker, child: Child, certificates: Path) -> None:
        self.child, self.certificates, self._server = child, certificates, server

    def address(self, listener: str = "plain", **more: Any) -> BrokerAddress:
        address = BrokerAddress("127.0.0.1", getattr(self._server, listener), listener != "plain", USER, PASSWORD)
        return replace(address, **{"ca_file": self.certificates / "ca.pem", **more})

    @asynccontextmanager
    async def listener(self) -> AsyncIterator[aiomqtt.Client]:
        """A client with a session that outlives the broker, subscribed to everything it may have."""
        client = aiomqtt.Client(
            "127.0.0.1",
            self._server.plain,
            username=USER,
            password=PASSWORD,
            identifier="listener",
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=False,
        )
        async with client:
            await client.subscribe(f"{MAY}/#", qos=1)
            yield client


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def _signed(folder: Path, name: str, subject: str, *extensions: str) -> None:
    """A key and a certificate of the authority in the folder."""
    _openssl(
        *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject),
        *("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr"),
    )
    (folder / f"{name}.ext").write_text("\n".join(extensions))
    _openssl(
        *("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key"),
        *("-CAcreateserial", "-days", "2", "-extfile", folder / f"{name}.ext", "-out", folder / f"{name}.pem"),
    )


def _authority(folder: Path) -> None:
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
        *("-subj", "/CN=Port authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        *("-keyout", folder / "ca.key", "-out", folder / "ca.pem"),
    )


@pytest.fixture(scope="module")
def certificates() -> Iterator[Path]:
    """An authority, a broker and a sensor that it vouches for, and a stranger."""
    if shutil.which("openssl") is None:
        reason = "no openssl on the path: apt-get install openssl"
        if "openssl" in os.environ.get("VIGIE_TEST_REQUIRE", ""):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="vigie-tls-"))
    folder.chmod(0o755)
    _authority(folder)
    _signed(folder, "broker", "/CN=127.0.0.1", "subjectAltName=IP:127.0.0.1")
    _signed(folder, "sensor", "/CN=field", "extendedKeyUsage=clientAuth")
    (stranger := folder / "stranger").mkdir()
    _authority(stranger)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def port(certificates: Path, program_cache: Path) -> AsyncIterator[Port]:
    account = await unprivileged_account(print)
    mosquitto = await choose_mosquitto(program_cache, account, print)
    folder = Path(tempfile.mkdtemp(prefix="vigie-broker-"))
    for name in ("ca.pem", "broker.pem", "broker.key"):
        shutil.copy(certificates / name, folder / name)
    for path in (folder, *folder.iterdir()):  # noqa: ASYNC240  a handful of files
        shutil.chown(path, account.uid, account.gid)
    child = Child(server := PortBroker(folder, account, mosquitto))
    await child.start()
    try:
        yield Port(server, child, certificates)
    finally:
        await child.stop()
        shutil.rmtree(folder)


@pytest.fixture
def name() -> str:
    return f"field-{next(_numbers)}"


def messages(count: int) -> Iterator[tuple[str, bytes]]:
    return ((f"{MAY}/W07-G1/gate", b"%d" % number) for number in range(count))


async def received(client: aiomqtt.Client, until: Callable[[list[int]], bool]) -> list[int]:
    numbers: list[int] = []
    async with asyncio.timeout(SECONDS):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            numbers.append(int(message.payload))
            if until(numbers):
                return numbers
    raise AssertionError


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_dialect_delivers_in_order(port: Port, name: str, dialect: Dialect) -> None:
    async with port.listener() as client, Publisher(port.address(), name, dialect=dialect) as publisher:
        assert await publisher.publish_all(messages(500)) == publisher.accepted == 500
        assert await received(client, lambda found: len(found) == 500) == list(range(500))


@pytest.mark.parametrize("dialect", [Dialect(), OLD])
async def test_a_broker_with_an_authority_of_its_own_is_reached_over_tls(
    port: Port, name: str, dialect: Dialect
) -> None:
    async with port.listener() as client, Publisher(port.address("tls"), name, dialect=dialect) as publisher:
        await publisher.publish_all(messages(50))
        assert await received(client, lambda found: len(found) == 50) == list(range(50))


async def test_an_unknown_authority_is_named_at_once(port: Port, name: str, certificates: Path) -> None:
    for authorities in (None, certificates / "stranger" / "ca.pem"):
        with pytest.raises(PublishError, match=r"certificate of the broker at .* is not trusted"):
            async with asyncio.timeout(5), Publisher(port.address("tls", ca_file=authorities), name):
                raise AssertionError("connected")


async def test_a_broker_that_wants_a_certificate_gets_ours(port: Port, name: str, certificates: Path) -> None:
    ours = {"cert_file": certificates / "sensor.pem", "key_file": certificates / "sensor.key"}
    async with port.listener() as client, Publisher(port.address("mutual", **ours), name) as publisher:
        await publisher.publish_all(messages(5))
        assert await received(client, lambda found: len(found) == 5) == list(range(5))


def test_a_key_with_a_passphrase_is_refused_without_asking(certificates: Path) -> None:
    locked = certificates / "locked.key"
    _openssl("ec", "-aes256", "-passout", "pass:secret", "-in", certificates / "sensor.key", "-out", locked)
    address = BrokerAddress("h", 1, tls=True, cert_file=certificates / "sensor.pem", key_file=locked)
    with pytest.raises(BrokerUrlError, match="the key is protected by a passphrase"):
        address.tls_context()


async def test_without_a_certificate_such_a_broker_is_not_reached(port: Port, name: str) -> None:
    with pytest.raises(PublishError, match=r"no broker with TLS at 127\.0\.0\.1:\d+: .*certificate of ours"):
        async with Publisher(port.address("mutual"), name, patience_s=1.0):
            raise AssertionError("connected")


async def test_tls_at_one_end_only_is_told(port: Port, name: str) -> None:
    with_tls, without = port.address("tls"), port.address()
    for address, told in (
        (replace(with_tls, port=without.port), "no broker with TLS at"),
        (replace(without, port=with_tls.port), r"does it want TLS \(mqtts://\)\?"),
    ):
        with pytest.raises(PublishError, match=told):
            async with Publisher(address, name, patience_s=1.0):
                raise AssertionError("connected")


@pytest.mark.parametrize("dialect", [Dialect(), OLD])
@pytest.mark.parametrize("wrong", [{"password": "other"}, {"user": "nobody"}, {"user": None, "password": None}])
async def test_wrong_credentials_are_refused_at_once(
    port: Port, name: str, dialect: Dialect, wrong: dict[str, str]
) -> None:
    with pytest.raises(PublishError, match="refuses the connection: "):
        async with asyncio.timeout(5), Publisher(port.address(**wrong), name, dialect=dialect):
            raise AssertionError("connected")


async def test_a_topic_that_is_not_ours_is_named(port: Port, name: str) -> None:
    async with Publisher(port.address(), name) as publisher:
        with pytest.raises(PublishError, match="refuses vigie/1/readings/W05/W05-G1/gate: Not authorized"):
            async with asyncio.timeout(SECONDS):
                await publisher.publish_all([("vigie/1/readings/W05/W05-G1/gate", b"1")])


@pytest.mark.parametrize("dialect", [Dialect(), OLD])
async def test_a_broker_that_is_killed_and_comes_back_gets_the_rest(port: Port, name: str, dialect: Dialect) -> None:
    """Each message is accepted in the end; what the broker forgot of those is what receipts are for.

    A killed broker has forgotten its subscribers; only MQTT 5 lets it say that nobody would hear a message.
    """
    async with Publisher(port.address(), name, dialect=dialect, window=50) as publisher:
        async with port.listener() as client:
            await publisher.publish_all(messages(100))
            await received(client, lambda found: len(found) == 100)
        port.child.kill()
        await port.child.wait()
        sending = asyncio.create_task(publisher.publish_all(messages(200)))
        async with asyncio.timeout(SECONDS):
            while publisher.trouble is None:
                await asyncio.sleep(0.01)
        assert "refused" in publisher.trouble or "disconnect" in publisher.trouble.lower()
        await port.child.restart()
        async with port.listener() as client:
            await sending
            assert publisher.trouble is None
            assert publisher.accepted == 300
            await publisher.publish(f"{MAY}/W07-G1/gate", b"%d" % (end := 999))
            *found, _ = await received(client, lambda found: found[-1] == end)
    assert list(dict.fromkeys(found)) == sorted(set(found))
    assert dialect == OLD or set(found) == set(range(200))
