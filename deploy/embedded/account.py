"""Who runs the database and the broker, and running commands as that account.

PostgreSQL refuses to run as root, so root hands everything that comes from a package to the system
account `vigie`: apt, dpkg-deb and patchelf too. Files inside that account's folders are written by the
account itself, because root following a link that the account planted would be a way up.
"""

import asyncio
import os
import pwd
import shutil
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import EmbeddedError

SYSTEM_ACCOUNT = "vigie"
SYSTEM_HOME = Path("/var/lib/vigie")
_SYSTEM_PATH = "/usr/sbin:/sbin:/usr/local/sbin"


@dataclass(frozen=True, slots=True)
class Account:
    """The account of the child processes; `drop` is False when it is the current one."""

    name: str
    uid: int
    gid: int
    drop: bool


@dataclass(frozen=True, slots=True)
class Output:
    """What a finished command left behind."""

    code: int
    stdout: str
    stderr: str


def which(program: str) -> Path | None:
    """Find a program, also where the PATH of an ordinary user does not look."""
    found = shutil.which(program) or shutil.which(program, path=_SYSTEM_PATH)
    return Path(found) if found else None


async def spawn(
    argv: Sequence[str | Path],
    account: Account,
    *,
    stdin: int = asyncio.subprocess.DEVNULL,
    stdout: int = asyncio.subprocess.PIPE,
    stderr: int = asyncio.subprocess.PIPE,
    cwd: Path = Path("/"),
) -> asyncio.subprocess.Process:
    """Start a program as the account, away from the terminal's Ctrl-C: its owner decides when it ends."""
    return await asyncio.create_subprocess_exec(
        *argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
        start_new_session=True,
        umask=0o077,
        user=account.uid if account.drop else None,
        group=account.gid if account.drop else None,
        extra_groups=[] if account.drop else None,
    )


async def run(argv: Sequence[str | Path], account: Account, *, text: str = "", cwd: Path = Path("/")) -> Output:
    """Run a command to its end; a cancelled caller takes the command with it."""
    process = await spawn(argv, account, stdin=asyncio.subprocess.PIPE, cwd=cwd)
    try:
        stdout, stderr = await process.communicate(text.encode())
    except asyncio.CancelledError:
        await kill_group(process)
        raise
    return Output(process.returncode or 0, stdout.decode(errors="replace"), stderr.decode(errors="replace"))


async def kill_group(process: asyncio.subprocess.Process) -> None:
    """Kill a spawned command with all that it started itself."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def write_private(path: Path, text: str, account: Account) -> None:
    """Replace a file of the account, readable by nobody else."""
    script = 'cat >"$1.new" && mv -f "$1.new" "$1"'
    done = await run(["/bin/sh", "-c", script, "sh", path], account, text=text)
    if done.code:
        raise EmbeddedError(f"cannot write {path}: {done.stderr.strip()}")


async def unprivileged_account(say: Callable[[str], None]) -> Account:
    """Give the current account, or for root the system account `vigie`, made when it is missing."""
    if os.geteuid() == 0:
        return await _system_account(say)
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise EmbeddedError(
            f"user id {os.geteuid()} has no entry in /etc/passwd, which PostgreSQL insists on: "
            "add one, or start Vigie as a user that has one"
        ) from None
    return Account(name, os.geteuid(), os.getegid(), drop=False)


async def _system_account(say: Callable[[str], None]) -> Account:
    try:
        entry = pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        await _add_system_account(say)
        entry = pwd.getpwnam(SYSTEM_ACCOUNT)
    if entry.pw_uid == 0:
        raise EmbeddedError(f"the account {SYSTEM_ACCOUNT!r} is root, which PostgreSQL refuses: change its uid")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, drop=True)


async def _add_system_account(say: Callable[[str], None]) -> None:
    say(f"adding the system account {SYSTEM_ACCOUNT!r}: PostgreSQL does not run as root")
    useradd = which("useradd")
    if useradd is None:
        raise EmbeddedError(f"no useradd to make the account {SYSTEM_ACCOUNT!r}: make it, or do not run as root")
    root = Account("root", 0, 0, drop=False)
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    done = await run([useradd, *options, "--home-dir", SYSTEM_HOME, SYSTEM_ACCOUNT], root)
    if done.code:
        raise EmbeddedError(f"useradd could not make {SYSTEM_ACCOUNT!r}: {done.stderr.strip()}")


async def require_reach(folder: Path, account: Account) -> None:
    """Refuse a folder that the account cannot get to, naming what is in the way."""
    if not account.drop:
        return
    script = 'for f; do if [ -e "$f" ] && ! [ -x "$f" ]; then echo "$f"; exit 1; fi; done'
    on_the_way = [*reversed(folder.parents), folder]
    done = await run(["/bin/sh", "-c", script, "sh", *on_the_way], account)
    if done.code:
        raise EmbeddedError(
            f"{folder} cannot be reached by the account {account.name!r} because of {done.stdout.strip()}: "
            f"use --home {SYSTEM_HOME}"
        )
