"""The ordinary weeks before every run: simulated once for a seed, kept as files, loaded into a database by COPY.

They are kept by seed and by what they were made of, so that another version of the world makes them anew. A file holds
a week of one kind as numpy arrays: `things`, and for each reading `thing` (its place in `things`), `time_us`, `values`
(n, fields; NaN for null) and one array for each text, empty for null. `docs/benchmark.md` promises this to others.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import numpy as np

from deploy.embedded.child import mortal
from sensors.catalogue import Catalogue
from sensors.errors import OperatorError
from sensors.kind import Kinds
from simulators.history import HistoryBlock, Stretch, measured
from simulators.profile import PORT_TIME, last_midnight

WEEK_START: Final = datetime(2025, 3, 3, tzinfo=PORT_TIME)
"""The Monday in whose week scenarios play. Neither it nor the six weeks before have a holiday or a change of the clock,
and it is so long ago that nothing of it is in the future of any machine."""

WEEKS: Final = 6
"""Ordinary weeks before it (domain: the usual is learnt from 4 to 6)."""

KEPT: Final = 12
"""Seeds whose weeks are kept, the latest used: 85 MB each."""

WEEK: Final = timedelta(days=7)
_US: Final = 1_000_000


class WeeksError(OperatorError):
    """Ordinary weeks that could not be made."""


@dataclass(frozen=True, slots=True)
class Past:
    """The weeks of one seed in a folder of their own, and the week of the scenarios after them; no weeks, no folder."""

    folder: Path
    catalogue: Catalogue
    kinds: Kinds
    seed: int
    weeks: int = WEEKS

    def blocks(self) -> Iterator[HistoryBlock]:
        """The ordinary weeks up to the week of the scenarios, block by block."""
        for week in range(self.weeks):
            yield from self._week(week)

    def lead(self, from_s: float, start_s: float) -> Iterator[HistoryBlock]:
        """The week of the scenarios from `from_s` until a run starts: its last hours are those of the run's own day."""
        midnight_s = last_midnight(start_s)
        for block in self._week(self.weeks) if self.weeks else ():
            yield cut(block, from_s, midnight_s)
        if midnight_s < start_s:
            today = measured(self.catalogue, self.kinds, seed=self.seed, stretch=Stretch(midnight_s, start_s))
            yield from (cut(block, from_s, start_s) for block in today)

    def _week(self, week: int) -> Iterator[HistoryBlock]:
        for path in sorted((self.folder / f"week-{week}").glob("*.npz")):
            yield read_block(path)


async def past(
    cache: Path, catalogue: Catalogue, kinds: Kinds, *, seed: int, say: Callable[[str], None], weeks: int = WEEKS
) -> Past:
    """The weeks of a seed, simulated when they are not kept; takes minutes then. Forgets those not used for longest."""
    folder = cache / "weeks" / f"{_made_of()}-{weeks}w-seed{seed}"
    if weeks and not folder.exists():
        say(f"seed {seed}: simulating {weeks + 1} ordinary weeks, once, into {folder}")
        await _make(folder, seed, weeks)
    if weeks:
        forget(folder)
    return Past(folder, catalogue, kinds, seed, weeks)


def forget(used: Path) -> None:
    """Keep the seeds that were used last, this one among them."""
    os.utime(used)
    kept = sorted((one for one in used.parent.iterdir() if one.is_dir()), key=lambda one: one.stat().st_mtime)
    for old in kept[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def cut(block: HistoryBlock, from_s: float, until_s: float) -> HistoryBlock:
    """The readings of a block from an instant on until before another."""
    inside = slice(*np.searchsorted(block.time_us, [round(from_s * _US), round(until_s * _US)]))
    return replace(
        block,
        thing=block.thing[inside],
        time_us=block.time_us[inside],
        values=block.values[inside],
        texts={name: texts[inside] for name, texts in block.texts.items()},
    )


async def _make(folder: Path, seed: int, weeks: int) -> None:
    """Simulate into a folder beside, so that what was interrupted is never taken for whole."""
    new = folder.with_name(f"{folder.name}.{os.getpid()}")
    new.mkdir(parents=True)
    count = min(len(os.sched_getaffinity(0)), weeks + 1)
    shares = [range(first, weeks + 1, count) for first in range(count)]
    try:
        async with asyncio.TaskGroup() as group:
            for share in shares:
                group.create_task(_simulate(new, seed, weeks, share), name="weeks")
        _put(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _put(new: Path, folder: Path) -> None:
    """Give a folder its name, unless somebody else has made the same meanwhile."""
    try:
        new.rename(folder)
    except OSError:
        if not folder.exists():
            raise


async def _simulate(folder: Path, seed: int, weeks: int, share: Sequence[int]) -> None:
    """Have some of the weeks simulated by a process of their own, which ends with us."""
    numbers = map(str, (seed, weeks, *share))
    argv = mortal([sys.executable, "-P", "-m", "service.score.weeks", folder, *numbers], signal.SIGKILL)
    process = await asyncio.create_subprocess_exec(*argv, stdin=asyncio.subprocess.DEVNULL, start_new_session=True)
    try:
        if code := await process.wait():
            raise WeeksError(
                f"the ordinary weeks of seed {seed} could not be simulated: their process ended with {code}"
            )
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def read_block(path: Path) -> HistoryBlock:
    """Read what `service.score.weeks` has written."""
    with np.load(path) as kept:
        names = [name for name in kept.files if name.startswith("text_")]
        return HistoryBlock(
            kind=str(kept["kind"]),
            things=tuple(kept["things"].tolist()),
            thing=kept["thing"].astype(np.intp),
            time_us=kept["time_us"],
            values=kept["values"],
            texts={name.removeprefix("text_"): [text or None for text in kept[name].tolist()] for name in names},
        )


def _made_of() -> str:
    """A short name for the world as it is programmed now."""
    digest = hashlib.sha256()
    for package in ("sensors", "simulators"):
        for name, content in sorted(_files(resources.files(package), package)):
            digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:12]


_NOT_THE_WORLD: Final = frozenset({"__pycache__", "faults", "scenarios", "truth"})
"""Folders of what is put upon the world or looks at it: no ordinary week depends on them."""


def _files(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name not in _NOT_THE_WORLD:
            yield from _files(entry, f"{name}/{entry.name}")
        elif entry.name.endswith((".py", ".toml")):
            yield f"{name}/{entry.name}", entry.read_bytes()
