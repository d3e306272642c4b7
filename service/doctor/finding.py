"""What was looked at, whether it is well, and what to do where it is not."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["well", "warning", "wrong", "unknown"]
"""warning: mend it within days. wrong: something does not work, or soon will not. unknown: could not be looked at."""

Check = Literal[
    "database",
    "versions",
    "schema",
    "edition",
    "permissions",
    "clock",
    "disk",
    "retention",
    "ingest",
    "analytics",
    "broker",
    "queue",
    "certificate",
    "files",
]


class Finding(msgspec.Struct, frozen=True):
    """One check: `seen` is what was found, `remedy` what to do, empty where all is well."""

    check: Check
    state: State
    seen: str
    remedy: str = ""


def well(check: Check, seen: str) -> Finding:
    return Finding(check, "well", seen)
