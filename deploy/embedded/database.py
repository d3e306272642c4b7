"""The embedded PostgreSQL with TimescaleDB: its cluster, its configuration, and how to tell that it is up.

The superuser has no password and no way in; the role `vigie` owns the database `vigie`, and `vigie_grafana` reads it.
They are made in single-user mode, before anything listens.
"""

import hashlib
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.embedded.account import Account, run, write_private
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.home import LOOPBACK, Home, Kept
from deploy.embedded.programs import PROGRAMS_FILE, PostgresPrograms

ROLE = DATABASE = "vigie"
_STATUS_LINE = 7  # LOCK_FILE_LINE_PM_STATUS of PostgreSQL's pidfile.h, counted from 0, and the last.
_BUILTIN_LOCALE_SINCE = 17
READER_ROLE = "vigie_grafana"
"""Reads what migrations grant it (`store.readers`), for Grafana."""
_ACCESS = "".join(f"host all {role} {LOOPBACK}/32 scram-sha-256\n" for role in (ROLE, READER_ROLE))
# One line a statement: single-user mode ends a statement with its line.
_READER = f"""\
DO $$ BEGIN CREATE ROLE {READER_ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER ROLE {READER_ROLE} LOGIN CONNECTION LIMIT 20;
ALTER ROLE {READER_ROLE} SET default_transaction_read_only = on;
ALTER ROLE {READER_ROLE} SET statement_timeout = '15s';
"""


def configuration(port: int, cluster: str, *, durable: bool = True) -> str:
    """Write the server's configuration: durable where it matters, small enough for a laptop, on loopback."""
    return f"""\
listen_addresses = '{LOOPBACK}'
port = {port}
unix_socket_directories = ''
cluster_name = '{cluster}'
password_encryption = 'scram-sha-256'
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
fsync = {"on" if durable else "off"}
full_page_writes = {"on" if durable else "off"}
synchronous_commit = on
# 90 sensors need little; what the host caches counts too. The service's budget is 250 MB in all.
shared_buffers = '64MB'
work_mem = '8MB'
maintenance_work_mem = '32MB'
max_connections = 60
# A query over a hypertable locks each chunk and its indexes.
max_locks_per_transaction = 256
# The library of the JIT is not unpacked, and short queries do not gain by it.
jit = off
min_wal_size = '80MB'
max_wal_size = '1GB'
log_checkpoints = off
log_line_prefix = '%m [%p] '
timezone = 'UTC'
log_timezone = 'UTC'
# A reader or writer that vanished must let its advisory locks go.
tcp_keepalives_idle = 10
tcp_keepalives_interval = 5
tcp_keepalives_count = 3
include_if_exists = 'local.conf'
"""


class Database:
    """PostgreSQL on one home."""

    name = "database"
    stop_signal = signal.SIGINT  # Fast shutdown: ends sessions, then writes a checkpoint.

    def __init__(
        self,
        home: Home,
        kept: Kept,
        account: Account,
        programs: PostgresPrograms,
        say: Callable[[str], None],
        *,
        durable: bool = True,
    ) -> None:
        self.account = account
        self.log = home.log / "database.log"
        self._durable = durable
        self._folder = home.database
        self._data = home.database / "data"
        self._kept = kept
        self._bin = programs.bin_dir
        self._origin = programs.origin
        self._say = say
        digest = hashlib.sha256(str(home.folder).encode()).hexdigest()
        # Backends carry it in their title, by which orphans are found.
        self._cluster = f"vigie-{digest[:12]}"

    @property
    def url(self) -> str:
        """Give the URL with which clients, psql too, reach the database."""
        kept = self._kept
        return f"postgresql://{ROLE}:{kept.database_password}@{LOOPBACK}:{kept.database_port}/{DATABASE}"

    @property
    def reader_url(self) -> str:
        """Give the URL with which Grafana, on this machine, reads the database."""
        kept = self._kept
        return f"postgresql://{READER_ROLE}:{kept.reader_password}@{LOOPBACK}:{kept.database_port}/{DATABASE}"

    def command(self) -> Sequence[str | Path]:
        """Run the server in the foreground."""
        return [self._bin / "postgres", "-D", self._data, *self._options()]

    def _options(self) -> list[str]:
        config, access = self._folder / "postgresql.conf", self._folder / "pg_hba.conf"
        return ["-c", f"config_file={config}", "-c", f"hba_file={access}"]

    def is_ours(self, argv: list[str]) -> bool:
        """Recognise this cluster's server, and its backends by their title."""
        is_server = str(self._data) in argv and any(Path(word).name == "postgres" for word in argv[:6])
        return is_server or argv[0].startswith(f"postgres: {self._cluster}: ")

    async def prepare(self) -> None:
        """Write the configuration; make the cluster the first time."""
        await write_private(self._folder / "pg_hba.conf", _ACCESS, self.account)
        text = configuration(self._kept.database_port, self._cluster, durable=self._durable)
        await write_private(self._folder / "postgresql.conf", text, self.account)
        if not self._data.exists():
            self._say("making the database")
            await self._make()
        await self._keep_passwords()
        # Left by a kill. None of this cluster's processes runs, so its process id means another one
        # by now, in a container often enough to matter.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    async def _keep_passwords(self) -> None:
        """Give the roles the home's passwords again, after the file that keeps them was lost; make Grafana's role."""
        mark = self._folder / "password.sha256"
        passwords = {ROLE: self._kept.database_password, READER_ROLE: self._kept.reader_password}
        digest = hashlib.sha256(" ".join(passwords.values()).encode()).hexdigest()
        if not mark.exists() or mark.read_text() != digest:
            given = (f"ALTER ROLE {role} PASSWORD '{password}';\n" for role, password in passwords.items())
            await self._single_user(self._data, "".join([_READER, *given]))
            await write_private(mark, digest, self.account)

    async def _make(self) -> None:
        """Make the cluster beside its place, so that half a cluster is never taken for one."""
        new = self._folder / "data.new"
        await run(["rm", "-rf", new], self.account)
        options = ["--encoding=UTF8", "--locale=C", *await self._locale(), "--data-checksums"]
        users = ["--username=postgres", "--auth=reject", "--no-instructions"]
        done = await run([self._bin / "initdb", "-D", new, *options, *users], self.account)
        if done.code:
            raise EmbeddedError(f"initdb could not make {new}: {' '.join(done.stderr.split())}")
        statements = f"CREATE ROLE {ROLE} LOGIN CREATEDB;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"
        await self._single_user(new, statements)
        await write_private(self._folder / PROGRAMS_FILE, self._origin, self.account)
        new.rename(self._data)

    async def _locale(self) -> list[str]:
        version = await run([self._bin / "postgres", "--version"], self.account)
        major = int(version.stdout.split()[2].split(".")[0])
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return builtin if major >= _BUILTIN_LOCALE_SINCE else []

    async def _single_user(self, data: Path, statements: str) -> None:
        command: list[str | Path] = [self._bin / "postgres", "--single", "-D", data, *self._options(), "postgres"]
        done = await run(command, self.account, text=statements)
        # Single-user mode goes on after an error and ends with 0.
        if done.code or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
            raise EmbeddedError(f"cannot set up the database in {data}: {' '.join(done.stderr.split())}")

    def is_ready(self, pid: int) -> bool:
        """Say whether the server accepts connections, by what it writes for pg_ctl."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        is_this = lines[:1] == [str(pid)]
        return is_this and [line.strip() for line in lines[_STATUS_LINE:]] == ["ready"]
