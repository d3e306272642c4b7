"""Judging this machine: its clock, and files that others should not read."""

from __future__ import annotations

import ctypes
import stat
from collections.abc import Iterator
from pathlib import Path

from service.doctor.finding import Finding, well

_OFF_S = 1.0
"""Between our clock and the database's: beyond it what is called new is not, and ages lie."""
_FAR_OFF_S = 10.0
_UNSYNCHRONISED = 5
"""TIME_ERROR of adjtimex(2): nobody disciplines this clock."""
_TIMEX_BYTES = 256
"""struct timex takes 208; all of it zero asks and changes nothing."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def clock(ahead_s: float, uncertain_s: float, kernel: int | None) -> Finding:
    """ahead_s: of the database's clock, known to `uncertain_s`; kernel: as `kernel_clock` says."""
    seen = f"{abs(ahead_s) * 1000:.0f} ms {'ahead of' if ahead_s >= 0 else 'behind'} the database"
    off_s = abs(ahead_s) - uncertain_s
    remedy = "have both synchronised: `timedatectl set-ntp true`, or chrony"
    if off_s > _OFF_S:
        return Finding("clock", "wrong" if off_s > _FAR_OFF_S else "warning", seen, remedy)
    if kernel == _UNSYNCHRONISED:
        return Finding("clock", "warning", f"{seen}; nothing synchronises the clock of this machine", remedy)
    return well("clock", seen)


def kernel_clock() -> int | None:
    """What the kernel says of its clock, `_UNSYNCHRONISED` or better; None where it may not be asked."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (AttributeError, OSError):
        return None
    state = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if state < 0 else state


def files(secret: Iterator[Path]) -> Finding:
    """Whether others can read what is secret."""
    looked = [path for path in secret if path.exists()]
    open_ = [path for path in looked if path.stat().st_mode & _OTHERS and not _behind_closed_door(path)]
    if open_:
        seen = f"others on this machine can read {', '.join(map(str, open_))}"
        return Finding("files", "wrong", seen, f"chmod 600 {' '.join(map(str, open_))}")
    return well("files", f"{len(looked)} files with secrets are readable by their owner alone")


def _behind_closed_door(path: Path) -> bool:
    """A folder on the way that only its owner can enter, or one of a container's secrets, which has no others."""
    return any(
        not folder.stat().st_mode & stat.S_IXOTH and not folder.stat().st_mode & stat.S_IXGRP
        for folder in path.absolute().parents
    ) or path.is_relative_to("/run/secrets")
