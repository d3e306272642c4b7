"""Bad input: one line on standard error that names the value and the way out; nothing started, nothing half-written."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import numpy as np
import psycopg
import pytest

from simulators.publish import Publisher


def one_line(refused, *words: str) -> None:
    assert refused.returncode == 1, refused
    assert refused.stderr.startswith("vigie: "), refused.stderr
    assert refused.stderr.count("\n") == 1, refused.stderr
    for word in words:
        assert word in refused.stderr, (word, refused.stderr)


def test_a_port_in_use(run_vigie, new_home) -> None:
    home = new_home()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        one_line(
            run_vigie("up", "--home", home, "--http", f"127.0.0.1:{port}"), f"127.0.0.1:{port}", "in use", "--http"
        )
    assert not home.exists()


@pytest.mark.parametrize(
    ("address", "words"),
    [("0.0.0.0:8090", ["0.0.0.0", "loopback", "access keys"]), ("8090", ["'8090'", "HOST:PORT"])],  # noqa: S104
)
def test_an_address_that_cannot_be_served(run_vigie, new_home, address: str, words: list[str]) -> None:
    home = new_home()
    one_line(run_vigie("up", "--home", home, "--http", address), *(w for w in words if w != "loopback"))
    assert not home.exists()


def test_no_apt_and_no_database_url(run_vigie, new_home) -> None:
    # A PATH that leads nowhere has neither apt nor installed servers, an empty cache no downloaded ones.
    home = new_home()
    nowhere = {"PATH": "/nowhere", "VIGIE_CACHE_DIR": str(home.parent / "cache")}
    refused = run_vigie("up", "--home", home, "--http", "127.0.0.1:0", **nowhere)
    one_line(refused, "apt", "VIGIE_DATABASE_URL")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to an account that may not reach the folder")
def test_a_home_that_the_unprivileged_account_cannot_reach(run_vigie, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    home = tmp_path / "home"
    one_line(run_vigie("up", "--home", home, "--http", "127.0.0.1:0"), str(tmp_path), "--home")
    assert not home.exists()


def test_a_home_that_is_a_file(run_vigie, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "home"
    file.write_text("mine")
    one_line(run_vigie("up", "--home", file, "--http", "127.0.0.1:0"), str(tmp_path))
    assert file.read_text() == "mine"


def test_an_unknown_setting(run_vigie) -> None:
    one_line(run_vigie("db", "url", VIGIE_HTPP="x"), "VIGIE_HTPP", "VIGIE_HTTP")


def test_no_stack_in_the_home(run_vigie, tmp_path: Path) -> None:
    one_line(run_vigie("db", "url", "--home", tmp_path), str(tmp_path), "vigie up", "VIGIE_DATABASE_URL")


def test_servers_that_do_not_answer(run_vigie, tmp_path: Path) -> None:
    nowhere = {"VIGIE_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x", "VIGIE_BROKER_URL": "mqtt://127.0.0.1:1"}
    refused = run_vigie("db", "migrate", **nowhere)
    one_line(refused, "127.0.0.1:1")
    assert "secret" not in refused.stderr


def test_recordings_that_are_none(quiet, tmp_path: Path) -> None:
    text = tmp_path / "notes.npz"
    text.write_text("not a recording")
    empty = tmp_path / "empty.npz"
    np.savez(empty, time=np.arange(3))
    for path, words in ((text, ["notes.npz"]), (empty, ["empty.npz", "station"]), (tmp_path / "no.npz", ["no.npz"])):
        one_line(quiet.vigie("replay", path), *words)
    assert {site["clock"] for site in quiet.get("/v1/sites")["items"]} == {"wall"}


def test_sensors_that_cannot_be_added(quiet) -> None:
    for arguments, word in (
        (("--id", "W07-X1", "--site", "W99", "--kind", "gate"), "W99"),
        (("--id", "W07-X1", "--site", "W07", "--kind", "submarine"), "submarine"),
        (("--id", "W07-G1", "--site", "W07", "--kind", "gate"), "W07-G1"),
        (("--id", "W07/X", "--site", "W07", "--kind", "gate"), "W07/X"),
    ):
        one_line(quiet.vigie("sensors", "add", *arguments), word)


def test_unusable_messages_go_to_quarantine_with_their_reason_and_the_rest_is_stored(quiet) -> None:
    good = b'{"time": "%s", "speed_kmh": 88}' % b"2026-03-02T08:00:00Z"
    messages = [
        ("vigie/1/readings/W01/W01-F1/traffic", b"not json"),
        ("vigie/1/readings/W01/W01-F1/traffic", b"\xff\xfe"),
        ("vigie/1/readings/W01/W01-F1/traffic", b'{"time": "yesterday", "speed_kmh": 88}'),
        ("vigie/1/readings/W01/W01-F1/traffic", b'{"time": "2026-03-02T08:00:00Z", "plate": "AA-123-AA"}'),
        ("vigie/1/readings/W01/W01-F99/traffic", good),
        ("vigie/1/readings/W02/W01-F1/traffic", good),
        ("vigie/1/readings/W01/W01-F1/traffic", good),
    ]

    async def publish() -> None:
        async with Publisher(quiet.vigie("broker", "url").stdout.strip(), "test-messages") as publisher:
            await publisher.publish_all(messages)

    asyncio.run(publish())
    with psycopg.connect(quiet.database_url, autocommit=True) as conn:
        quiet.until(
            lambda: conn.execute("select count(*) from quarantine").fetchone()[0] == 6, "six messages in quarantine"
        )
        reasons = [row[0] for row in conn.execute("select reason from quarantine order by reason")]
        stored = conn.execute("select sensor, speed_kmh from traffic").fetchall()
    assert reasons == ["identity", "malformed", "malformed", "not_in_schema", "time", "unknown_sensor"]
    assert stored == [("W01-F1", 88.0)]
