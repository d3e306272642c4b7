"""Slot plans from a folder, for booking systems that write files: `<terminal>.csv` or `<terminal>-anything.csv`.

A file is taken when it has rested for `RESTS_S`, so that one that is still written is left alone; who writes it under
another name and then renames it is quite safe. Its plan is stored in one transaction, and then the file moves to
`done/`; killed in between, it is taken again, which changes nothing. What cannot be taken moves to `rejected/`, beside
a file of the same name and `.reason.txt` that says why, one line for each mistake.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Self

import structlog

from sensors.errors import OperatorError
from sensors.slots import MAX_BYTES, Mistake, PlanRefused, Slot, parse_csv
from store.appointments import put_slots
from store.catalogue import load_catalogue
from store.database import Connection

RESTS_S = 2.0
"""Seconds since it was last written until a file is taken. Shorter: half a plan; longer: a plan waits."""

_NAME = re.compile(r"(?P<terminal>[A-Za-z0-9]+)(?:[-_ .].*)?\.csv", re.IGNORECASE)
_MOST = 100
"""Files of one look: a folder that was filled by mistake does not stop everything else."""

_log = structlog.get_logger("appointments")


class DropError(OperatorError):
    """A folder that cannot be used; the message names the setting."""


class SlotDrop:
    """The folder of the setting `appointments_dir`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._done, self._rejected = folder, folder / "done", folder / "rejected"
        self._trouble = ""

    @classmethod
    def of(cls, folder: str) -> Self:
        """Make the folders for what is done; raises `DropError`."""
        drop = cls(Path(folder).expanduser())
        try:
            for part in (drop._done, drop._rejected):
                part.mkdir(exist_ok=True)
        except OSError as exc:
            reason = f"{exc.strerror}; name a folder that exists and can be written"
            raise DropError(f"setting appointments_dir '{folder}' cannot be used: {reason}") from exc
        return drop

    async def take(self, conn: Connection, now: datetime) -> None:
        """Take what has come to rest, the oldest first. A folder that is away is told of once, and tried again."""
        try:
            files = await asyncio.to_thread(self._resting, time.time())
            if files:
                known = [terminal.code for terminal in (await load_catalogue(conn)).terminals]
                for path in files:
                    await self._take(conn, path, known, now)
            self._trouble = ""
        except OSError as exc:
            if str(exc) != self._trouble:
                _log.error("slot plans cannot be read", folder=str(self._folder), reason=str(exc))
            self._trouble = str(exc)

    def _resting(self, now_s: float) -> list[Path]:
        with os.scandir(self._folder) as entries:
            plans = [entry for entry in entries if _is_plan(entry)]
            found = sorted((entry.stat(follow_symlinks=False).st_mtime, Path(entry.path)) for entry in plans)
        return [path for written_s, path in found if now_s - written_s >= RESTS_S][:_MOST]

    async def _take(self, conn: Connection, path: Path, known: list[str], now: datetime) -> None:
        try:
            terminal, slots = await asyncio.to_thread(_read, path, known, now)
        except PlanRefused as exc:
            await asyncio.to_thread(self._reject, path, exc, now)
            return
        changed = await put_slots(conn, terminal, slots, now=now)
        await asyncio.to_thread(_move, path, self._done, now)
        _log.info("slot plan taken", file=path.name, terminal=terminal, hours=len(slots), changed=changed)

    def _reject(self, path: Path, why: PlanRefused, now: datetime) -> None:
        target = _free(self._rejected / path.name, now)
        target.with_name(f"{target.name}.reason.txt").write_text(f"{why}\n", "utf-8")
        path.rename(target)
        _log.warning("slot plan rejected", file=path.name, mistakes=len(why.mistakes), first=str(why.mistakes[0]))


def _is_plan(entry: os.DirEntry[str]) -> bool:
    """A plain file, no link that leads elsewhere, and not hidden: so are names of files under way."""
    plain = entry.is_file(follow_symlinks=False) and not entry.name.startswith(".")
    return plain and entry.name.lower().endswith(".csv")


def _move(path: Path, folder: Path, now: datetime) -> None:
    path.rename(_free(folder / path.name, now))


def _read(path: Path, known: list[str], now: datetime) -> tuple[str, tuple[Slot, ...]]:
    name = _NAME.fullmatch(path.name)
    terminal = name["terminal"].upper() if name else ""
    if terminal not in known:
        wanted = f"<terminal>.csv or <terminal>-anything.csv with one of {', '.join(known)}"
        raise PlanRefused([Mistake("the name of the file", path.name, wanted)])
    if (size := path.stat().st_size) > MAX_BYTES:
        raise PlanRefused([Mistake("the file", f"{size} bytes", f"at most {MAX_BYTES}")])
    return terminal, parse_csv(path.read_bytes(), now)


def _free(path: Path, now: datetime) -> Path:
    """A name that nobody has: plans of every day may come under the same one."""
    stamped = path.with_name(f"{path.stem}.{now:%Y%m%dT%H%M%S%f}{path.suffix}")
    return stamped if path.exists() else path
