"""Which PostgreSQL and mosquitto to run: installed ones when they are good enough, fetched ones otherwise.

A cluster stays with the programs that made it, because another major version, or a server without the
same TimescaleDB, cannot open it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.account import Account, run, which
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.packages import fetch

PROGRAMS_FILE = "programs"
FETCHED = "fetched"
_POSTGRES_SINCE = (15,)
_TIMESCALE_SINCE = (2, 13)  # The hypertable interface that the migrations use.
_MOSQUITTO_SINCE = (2, 0, 20)  # 2.0.11 ignores the client's Receive Maximum.


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """A PostgreSQL with TimescaleDB; `origin` is FETCHED or the folder of an installed one."""

    bin_dir: Path
    origin: str


def version_in(text: str) -> tuple[int, ...]:
    """Read the first version number of a text; empty when there is none."""
    match = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


async def choose_postgres(
    database: Path, cache: Path, account: Account, say: Callable[[str], None]
) -> PostgresPrograms:
    """Choose the programs for the cluster in this folder, which may not be there yet."""
    origin = _made_by(database)
    if origin is None:
        installed = await installed_postgres(account)
        origin = str(installed) if installed else FETCHED
    if origin == FETCHED:
        return PostgresPrograms((await fetch(cache, account, say)).postgres_bin, FETCHED)
    if not (Path(origin) / "postgres").exists():
        raise EmbeddedError(
            f"{database} was made by {origin}/postgres, which is gone: install it, or give another --home"
        )
    return PostgresPrograms(Path(origin), origin)


def _made_by(database: Path) -> str | None:
    made = (database / "data").exists()
    return (database / PROGRAMS_FILE).read_text().strip() if made else None


async def choose_mosquitto(cache: Path, account: Account, say: Callable[[str], None]) -> Path:
    """Choose the broker's program."""
    installed = which("mosquitto")
    if installed and await _version_of(installed, "-h", account) >= _MOSQUITTO_SINCE:
        return installed
    return (await fetch(cache, account, say)).mosquitto


async def _version_of(program: Path, option: str, account: Account) -> tuple[int, ...]:
    try:
        return version_in((await run([program, option], account)).stdout)
    except OSError:
        return ()  # The account may not run it.


async def installed_postgres(account: Account) -> Path | None:
    """Find the newest installed PostgreSQL that comes with TimescaleDB."""
    for bin_dir in _postgres_folders():
        version = await _version_of(bin_dir / "postgres", "--version", account)
        if version >= _POSTGRES_SINCE and await _has_timescale(bin_dir, account):
            return bin_dir
    return None


def _postgres_folders() -> list[Path]:
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders = sorted((f for f in debian if f.parent.name.isdigit()), key=lambda f: -int(f.parent.name))
    on_path = which("postgres")
    return [*folders, *([on_path.resolve().parent] if on_path else [])]


async def _has_timescale(bin_dir: Path, account: Account) -> bool:
    try:
        asked = await run([bin_dir / "pg_config", "--sharedir", "--pkglibdir"], account)
        share, libraries = (Path(line) for line in asked.stdout.splitlines())
    except (OSError, ValueError):
        return False  # No pg_config: nothing says where its extensions are.
    return timescale_version(share / "extension", libraries) >= _TIMESCALE_SINCE


def timescale_version(extensions: Path, libraries: Path) -> tuple[int, ...]:
    """Give the version that `create extension timescaledb` would make; empty when it cannot."""
    try:
        control = (extensions / "timescaledb.control").read_text()
    except OSError:
        return ()
    match = re.search(r"default_version\s*=\s*'([\d.]+)'", control)
    loadable = match and (libraries / f"timescaledb-{match[1]}.so").exists()
    return version_in(match[1]) if match and loadable else ()
