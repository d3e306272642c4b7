"""The doctor on a real database and real brokers, with real faults."""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psycopg
import pytest

from deploy.container.secrets import make_secrets
from deploy.embedded.account import Account, unprivileged_account, write_private
from deploy.embedded.child import Child
from deploy.embedded.programs import choose_mosquitto
from ingest.columns import Batch
from sensors.kind import Kinds
from service.doctor.examine import CHECKS, examine
from service.doctor.finding import Finding
from service.endpoints import Endpoints
from service.settings import Settings
from store.writer import SlotSink

NOBODY = "mqtt://127.0.0.1:1"


class Look:
    """Examines one database and one broker; findings by check."""

    def __init__(self, database_url: str, broker_url: str, kinds: Kinds, home: Path) -> None:
        self.endpoints, self.kinds = Endpoints(database_url, broker_url), kinds
        self.settings = Settings(home=str(home), database_url=database_url)

    async def at(self, *checks: str, disk: Path | None = None, **settings: object) -> dict[str, Finding]:
        only = [check for check in CHECKS if check in checks]
        chosen = msgspec.structs.replace(self.settings, **settings)
        found = examine(chosen, self.kinds, self.endpoints, only=only, disk=disk, environ={})
        return {finding.check: finding async for finding in found}

    async def one(self, check: str, **more: object) -> tuple[str, str]:
        finding = (await self.at(check, **more))[check]  # type: ignore[arg-type]
        assert bool(finding.remedy) == (finding.state != "well")
        return finding.state, f"{finding.seen} -> {finding.remedy}"


@pytest.fixture
def look(migrated_url: str, broker_url: str, kinds: Kinds, tmp_path: Path) -> Look:
    return Look(migrated_url, broker_url, kinds, tmp_path)


@pytest.fixture
def apart(broker_url: str, kinds: Kinds, tmp_path: Path) -> Look:
    """Without a database, for what needs none."""
    return Look("postgresql://127.0.0.1:1/vigie", broker_url, kinds, tmp_path)


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(statement.encode())


async def test_nothing_is_wrong_with_a_new_stack_but_that_nobody_ingests(look: Look) -> None:
    found = await look.at(*CHECKS)
    assert set(found) == set(CHECKS)
    assert {check for check, finding in found.items() if finding.state == "wrong"} == {"ingest"}
    assert "vigie ingest" in found["ingest"].remedy
    assert "Apache edition" in found["edition"].seen or "Community edition" in found["edition"].seen
    assert "1200 of 1200" in found["queue"].seen


async def test_a_database_that_is_away_or_not_migrated_is_named(
    database_url: str, kinds: Kinds, tmp_path: Path
) -> None:
    look = Look(database_url, NOBODY, kinds, tmp_path)
    found = await look.at("schema", "permissions", "retention")
    assert list(found) == ["schema"]
    assert (found["schema"].state, "vigie db migrate" in found["schema"].remedy) == ("wrong", True)
    assert (await look.at("versions"))["versions"].state == "wrong"
    away = Look("postgresql://vigie:sesame@127.0.0.1:1/vigie", NOBODY, kinds, tmp_path)
    state, said = await away.one("database")
    assert state == "wrong"
    assert "127.0.0.1:1/vigie" in said
    assert "sesame" not in said


async def test_faults_of_a_database_are_told_with_their_remedies(look: Look, kinds: Kinds) -> None:
    url = look.endpoints.database_url
    run(url, "insert into batch values (1, 0, 'traffic', now(), now(), 1, now() - interval '5 minutes')")
    run(url, "insert into cursor values ('analytics', 0, 0)")
    run(url, "insert into schema_migration (name) values ('9999_of_tomorrow')")
    async with SlotSink.open(url, 0, kinds):
        assert (await look.one("ingest"))[0] == "well"
        state, said = await look.one("analytics")
    assert (state, "vigie analyse" in said) == ("wrong", True)
    state, said = await look.one("schema")
    assert (state, "9999_of_tomorrow" in said) == ("warning", True)
    run(url, "revoke insert on traffic from current_user")
    state, said = await look.one("permissions")
    assert (state, "traffic" in said) == ("wrong", True)


async def test_readings_that_should_be_gone_and_a_disk_that_fills_up_are_told(
    look: Look, kinds: Kinds, make_batch: Callable[..., Batch], tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    start = datetime(2026, 3, 2, 8, tzinfo=UTC)
    recent = (now - start).total_seconds() - 20 * 86_400
    async with SlotSink.open(look.endpoints.database_url, 0, kinds) as sink:
        await sink.write(make_batch([recent, recent + 30]))
    assert (await look.one("retention"))[0] == "well"
    state, said = await look.one("retention", raw_days=5)
    assert (state, "traffic" in said, "vigie analyse" in said) == ("wrong", True, True)
    assert (await look.one("retention", raw_days=5, kind_days={"traffic": 100}))[0] == "well"
    assert (await look.one("disk"))[0] == "unknown"  # a server of one's own: its disk cannot be seen from here
    state, said = await look.one("disk", disk=tmp_path)
    assert (state, "MB a day" in said) == ("well", True)


async def test_a_key_that_others_can_read_is_told_with_its_remedy(apart: Look, folder: Path) -> None:
    key = folder / "webhook.key"
    key.write_text("key")
    key.chmod(0o644)
    state, said = await apart.one("files", home=str(folder))
    assert (state, f"chmod 600 {key}" in said) == ("wrong", True)
    key.chmod(0o600)
    assert (await apart.one("files", home=str(folder)))[0] == "well"


class Server:
    """A mosquitto of the test's own configuration."""

    name = "broker"

    def __init__(self, folder: Path, account: Account, mosquitto: Path, lines: Sequence[str]) -> None:
        self.account, self.log, self.stop_signal = account, folder / "log", signal.SIGTERM
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._config, self._mosquitto = folder / "mosquitto.conf", mosquitto
        self._text = "\n".join([f"listener {self.port} 127.0.0.1", "allow_anonymous true", *lines, ""])

    def command(self) -> list[str | Path]:
        return [self._mosquitto, "-c", self._config]

    def is_ours(self, argv: list[str]) -> bool:
        return str(self._config) in argv

    async def prepare(self) -> None:
        await write_private(self._config, self._text, self.account)

    def is_ready(self, pid: int) -> bool:
        del pid
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="vigie-doctor-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


@asynccontextmanager
async def mosquitto(cache: Path, folder: Path, *lines: str) -> AsyncIterator[int]:
    account = await unprivileged_account(print)
    server = Server(folder, account, await choose_mosquitto(cache, account, print), lines)
    child = Child(server)
    await child.start()
    try:
        yield server.port
    finally:
        await child.stop()


async def test_a_queue_of_the_default_length_is_found_out(apart: Look, program_cache: Path, folder: Path) -> None:
    async with mosquitto(program_cache, folder) as port:
        apart.endpoints = Endpoints(apart.endpoints.database_url, f"mqtt://127.0.0.1:{port}")
        found = await apart.at("broker", "queue", "certificate")
    assert (found["queue"].state, "1000 of 1200" in found["queue"].seen) == ("wrong", True)
    assert "max_queued_messages 0" in found["queue"].remedy
    assert found["broker"].state == "warning"
    assert "max_packet_size" in found["broker"].remedy


async def test_a_broker_that_is_away_or_refuses_us_is_one_line(apart: Look) -> None:
    url = apart.endpoints.broker_url
    for wrong in (NOBODY, url.replace("vigie:", "vigie:x")):
        apart.endpoints = Endpoints(apart.endpoints.database_url, wrong)
        state, said = await apart.one("broker")
        assert (state, "\n" in said) == ("wrong", False)


async def test_a_certificate_that_ends_soon_or_is_not_trusted_is_told(
    apart: Look, program_cache: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.container.secrets._CERTIFICATE_DAYS", 5)
    for name in ("ours", "strange"):
        make_secrets(folder / name, ["127.0.0.1"])
        for file in (folder / name).iterdir():
            file.chmod(0o644)
        (folder / name).chmod(0o755)
    tls = [f"certfile {folder}/ours/broker_certificate", f"keyfile {folder}/ours/broker_key"]
    async with mosquitto(program_cache, folder, *tls) as port:
        for authority, state in (("ours", "warning"), ("strange", "wrong")):
            url = f"mqtts://127.0.0.1:{port}?ca_file={folder}/{authority}/broker_ca"
            apart.endpoints = Endpoints(apart.endpoints.database_url, url)
            found = await apart.one("certificate")
            assert (found[0], "--renew" in found[1]) == (state, True)
