"""What a home keeps, who may use it, and the servers' configuration."""

import os
import socket
from pathlib import Path

import pytest

from deploy.embedded.account import SYSTEM_HOME, Account
from deploy.embedded.broker import configuration as broker_configuration
from deploy.embedded.broker import password_line
from deploy.embedded.database import configuration as database_configuration
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.home import Home, StackUrls, default_home, free_port

ME = Account("me", os.getuid(), os.getgid(), drop=False)
URLS = StackUrls("postgresql://vigie:one@127.0.0.1:1/vigie", "mqtt://vigie:two@127.0.0.1:2")


@pytest.mark.parametrize(
    ("environ", "is_root", "home"),
    [
        ({"HOME": "/home/ada"}, False, "/home/ada/.local/share/vigie"),
        ({"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}, False, "/data/vigie"),
        ({"HOME": "/home/ada", "XDG_DATA_HOME": "relative"}, False, "/home/ada/.local/share/vigie"),
        ({"HOME": "/root"}, True, str(SYSTEM_HOME)),
    ],
)
def test_default_home(environ: dict[str, str], is_root: bool, home: str) -> None:  # noqa: FBT001  a case table
    assert default_home(environ, is_root) == Path(home)


def test_ports_and_passwords_are_kept_and_private(tmp_path: Path) -> None:
    home = Home(tmp_path)
    first = home.keep()
    assert home.keep() == first
    assert first.database_port != first.broker_port
    assert (tmp_path / "embedded.json").stat().st_mode & 0o777 == 0o600
    assert first.database_password not in repr(first)


def test_a_taken_port_is_chosen_anew_and_the_password_kept(tmp_path: Path) -> None:
    first = Home(tmp_path).keep()
    with socket.socket() as other:
        other.bind(("127.0.0.1", first.broker_port))
        other.listen()
        second = Home(tmp_path).keep()
    assert second.broker_port != first.broker_port
    assert (second.database_port, second.broker_password) == (first.database_port, first.broker_password)


def test_a_spoilt_file_of_passwords_is_named(tmp_path: Path) -> None:
    (tmp_path / "embedded.json").write_text("{")
    with pytest.raises(EmbeddedError, match=r"embedded\.json .* remove it"):
        Home(tmp_path).keep()


def test_a_second_one_on_the_same_home_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    first = Home(tmp_path)
    first.prepare(ME)
    with pytest.raises(EmbeddedError, match=f"in use by process {os.getpid()}"):
        Home(tmp_path).prepare(ME)
    first.leave()
    second = Home(tmp_path)
    second.prepare(ME)
    second.leave()


def test_a_home_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="give another --home") as refused:
        Home(tmp_path / "file").prepare(ME)
    assert "\n" not in str(refused.value)


def test_a_stack_is_known_only_while_its_process_lives(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.running() is None
    home.prepare(ME)
    home.announce(URLS)
    assert Home(tmp_path).running() == URLS
    announced = tmp_path / "run/stack.json"
    assert announced.stat().st_mode & 0o777 == 0o600
    announced.write_text(announced.read_text().replace('"started_ticks": ', '"started_ticks": 1'))
    assert Home(tmp_path).running() is None, "the same process id, another process"
    home.leave()
    assert not announced.exists()


def test_urls_hide_their_passwords() -> None:
    assert "one" not in repr(URLS)
    assert "two" not in repr(URLS)


def test_no_free_port_is_said_when_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.embedded.home._PORTS", range(1, 2))
    with pytest.raises(EmbeddedError, match="no free port"):
        free_port(0, but=1)


def test_the_password_line_is_what_mosquitto_passwd_writes() -> None:
    line = password_line("vigie", "secret", bytes(12))
    assert line.startswith("vigie:$7$101$AAAAAAAAAAAAAAAA$")
    assert len(line.strip().rpartition("$")[2]) == 88


def test_servers_listen_on_loopback_only_and_want_a_password() -> None:
    broker = broker_configuration(Path("/home/vigie/broker"), 20_001)
    assert "listener 20001 127.0.0.1" in broker
    assert "allow_anonymous false" in broker
    database = database_configuration(20_000, "vigie-abc")
    assert "listen_addresses = '127.0.0.1'" in database
    assert "scram-sha-256" in database
    assert "fsync = on" in database


@pytest.mark.parametrize("durable", [True, False])
def test_a_database_waits_for_the_disk_unless_it_is_thrown_away(*, durable: bool) -> None:
    text = database_configuration(20_000, "vigie-abc", durable=durable)
    for name in ("fsync", "full_page_writes"):
        assert f"{name} = {'on' if durable else 'off'}\n" in text
