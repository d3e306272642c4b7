"""The key of this machine: whoever can read the home folder may read the port, whose database's password is there.

`vigie up` and `vigie serve` make it, and commands that ask the API send it to this machine's own service.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import structlog

from api.access.tokens import has_form, hash_of, new_token
from api.security import LOOPBACK_NAMES
from sensors.errors import OperatorError
from service.endpoints import home_folder
from service.settings import Settings
from store.access import LINK_LASTS, Grant, NewGrant, Use, create_grant, find_grant, revoke_grants, terminal_codes
from store.database import Connection, connected

FILE = "access.key"
MACHINE = "this machine"
PER_MINUTE = 1200
"""Requests of a key, unless it is given otherwise: the page opens with 50, a reader of the feed asks a few times a
minute. Lower refuses a dashboard, higher lets one key take a core to itself."""
_OF_MACHINE = 100_000

OPERATOR = "operator"
"""Whom the link of `vigie up` signs in: whoever sits at this machine. `vigie keys link` signs in by name."""

_log = structlog.get_logger("access")


class UnknownTerminalError(OperatorError):
    """A terminal that is not in the catalogue."""


async def ensure_local_key(home: Path, database_url: str) -> None:
    """Have a valid key in the home folder, readable by its owner alone; another one where that of the file is not."""
    path = home / FILE
    async with connected(database_url, name="access") as conn:
        held = read_key(path)
        if held is not None and await find_grant(conn, hash_of(held), "key"):
            return
        await revoke_grants(conn, MACHINE)
        key, _ = await give(conn, "key", MACHINE, scopes=["read"], per_minute=_OF_MACHINE)
    try:
        _write(path, key)
    except OSError as exc:  # a container without a place of its own: its commands are given keys
        _log.warning("this machine has no key", path=str(path), reason=exc.strerror)


def _write(path: Path, key: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{key}\n")


def read_key(path: Path) -> str | None:
    try:
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return key if has_form(key) else None


def key_for(url: str, settings: Settings) -> str | None:
    """The home's key for a service on this machine; None for any other, which must not learn it."""
    return read_key(home_folder(settings) / FILE) if urlsplit(url).hostname in LOOPBACK_NAMES else None


async def give(
    conn: Connection,
    use: Use,
    name: str,
    *,
    scopes: list[str],
    terminal: str | None = None,
    per_minute: int = PER_MINUTE,
    lasts: timedelta | None = None,
) -> tuple[str, Grant]:
    """A new key or link: what is shown once, and what is kept. Raises `UnknownTerminalError`."""
    if terminal is not None and terminal not in (known := await terminal_codes(conn)):
        raise UnknownTerminalError(f"there is no terminal {terminal!r}; there are {', '.join(known) or 'none'}")
    token = new_token()
    return token, await create_grant(conn, NewGrant(use, name, hash_of(token), scopes, terminal, per_minute, lasts))


async def new_link(database_url: str, page: str, name: str, scopes: list[str]) -> str:
    """A link that signs one browser in, once."""
    async with connected(database_url, name="access") as conn:
        token, _ = await give(conn, "link", name, scopes=scopes, lasts=LINK_LASTS)
    return f"{page.rstrip('/')}/sign-in?link={quote(token)}"
