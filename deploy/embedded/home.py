"""One home: its folders, what it keeps between starts, and who is running on it now.

The home itself, `run` and `log` belong to whoever supervises; `database` and `broker` belong to the
account of the child processes. Everything secret is readable by its owner only.
"""

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from deploy.embedded.account import SYSTEM_HOME, Account
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.lock import FileLock

LOOPBACK = "127.0.0.1"
# Below Linux' range for outgoing connections (32768 and up), so that no client of anything takes the
# port while its server restarts, and above the ports that services are registered for.
_PORTS = range(20_000, 32_000)
_PASSWORD_BYTES = 24


@dataclass(frozen=True, slots=True)
class Kept:
    """What a home keeps from its first start on."""

    database_port: int
    broker_port: int
    database_password: str = field(repr=False)
    broker_password: str = field(repr=False)
    reader_password: str = field(default="", repr=False)
    """Of the role that Grafana reads with; empty in the file of a home that is older than it."""


@dataclass(frozen=True, slots=True)
class StackUrls:
    """How to reach a stack; a part that is not embedded has an empty URL. reader_url: the database, for Grafana."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    reader_url: str = field(default="", repr=False)


def default_home(environ: Mapping[str, str], is_root: bool) -> Path:  # noqa: FBT001  the one question it asks
    """Choose the home when none is given: the user's data folder, or for root one below /var/lib."""
    if is_root:
        return SYSTEM_HOME
    data = environ.get("XDG_DATA_HOME", "")
    # The XDG specification says to ignore a relative path.
    base = Path(data) if data.startswith("/") else Path(environ.get("HOME") or "/") / ".local/share"
    return base / "vigie"


class Home:
    """The folders and files of one home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.database = self.folder / "database"
        self.broker = self.folder / "broker"
        self.log = self.folder / "log"
        self._run = self.folder / "run"
        self._kept_file = self.folder / "embedded.json"
        self._stack_file = self._run / "stack.json"
        self._lock = FileLock(self._run / "lock")

    def prepare(self, account: Account) -> None:
        """Make the folders, and take the home for this process.

        Raises EmbeddedError when it is in use, cannot be written or belongs to somebody else.
        """
        try:
            _make_passable(self.folder)
            for folder in (self._run, self.log):
                folder.mkdir(exist_ok=True, mode=0o700)
            for folder in (self.database, self.broker):
                _own_folder(folder, account)
            holder = self._lock.acquire()
        except OSError as exc:
            raise EmbeddedError(f"cannot use {self.folder} as home ({exc}): give another --home") from exc
        if holder is not None:
            raise EmbeddedError(
                f"{self.folder} is in use by process {holder}: stop that one first, or give another --home"
            )

    def open_cache(self, cache: Path, account: Account) -> None:
        """Make the folder of fetched programs, which may serve several homes."""
        try:
            _make_passable(cache.parent)
            _own_folder(cache, account)
        except OSError as exc:
            raise EmbeddedError(f"cannot use {cache} for the programs ({exc}): give another --home") from exc

    def keep(self) -> Kept:
        """Read the passwords and ports of this home, choosing what is missing or taken."""
        try:
            known = json.loads(self._kept_file.read_text())
            kept = Kept(**known)
        except FileNotFoundError:
            kept = Kept(0, 0, _new_password(), _new_password())
        except (ValueError, TypeError, OSError) as exc:
            raise EmbeddedError(f"cannot read {self._kept_file} ({exc}): remove it, new ones are made") from exc
        database_port = free_port(kept.database_port)
        broker_port = free_port(kept.broker_port, but=database_port)
        reader_password = kept.reader_password or _new_password()
        kept = replace(kept, database_port=database_port, broker_port=broker_port, reader_password=reader_password)
        _write_private(self._kept_file, asdict(kept))
        return kept

    def announce(self, urls: StackUrls) -> None:
        """Tell other processes that this one runs the stack."""
        _write_private(self._stack_file, {**asdict(urls), **_this_process()})

    def leave(self) -> None:
        """Take the announcement back and let the home go."""
        self._stack_file.unlink(missing_ok=True)
        self._lock.release()

    def running(self) -> StackUrls | None:
        """Give the URLs of the stack that a living process runs on this home.

        Raises EmbeddedError when there is one that this user may not know.
        """
        try:
            said = json.loads(self._stack_file.read_text())
            process = {"pid": said["pid"], "started_ticks": said["started_ticks"]}
            alive = process == _process(said["pid"])
            urls = said["database_url"], said["broker_url"], said.get("reader_url", "")
            return StackUrls(*urls) if alive else None
        except PermissionError as exc:
            raise EmbeddedError(f"{self._stack_file} may be read only by the user who started Vigie") from exc
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _make_passable(folder: Path) -> None:
    """Make a folder and its missing parents: others may pass to what is theirs, but not list it."""
    for missing in [f for f in (*reversed(folder.parents), folder) if not f.exists()]:
        missing.mkdir()
        missing.chmod(0o711)  # Whatever the umask, which may close it to root's unprivileged account.


def _own_folder(folder: Path, account: Account) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if account.drop:
            os.chown(folder, account.uid, account.gid)
    owner = folder.stat().st_uid
    if owner != account.uid:
        raise EmbeddedError(
            f"{folder} belongs to user id {owner}, not to {account.name!r}: "
            "start Vigie as the user who made it, or give another --home"
        )


def free_port(kept: int, *, but: int = 0) -> int:
    """Give the kept loopback port while it is free, otherwise a free one that is not `but`."""
    for port in (kept, *(secrets.choice(_PORTS) for _ in range(100))):
        if port not in {0, but} and _is_free(port):
            return port
    raise EmbeddedError(f"no free port on {LOOPBACK} between {_PORTS.start} and {_PORTS.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: connections of the last run that are still closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _new_password() -> str:
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def _this_process() -> dict[str, int]:
    return _process(os.getpid())


def _process(pid: int) -> dict[str, int]:
    """Identify a process beyond its id, which is soon given to another after a reboot."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return {"pid": pid, "started_ticks": int(stat.rpartition(")")[2].split()[19])}


def _write_private(path: Path, content: Mapping[str, object]) -> None:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=1)
    new.replace(path)
