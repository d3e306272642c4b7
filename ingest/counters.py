"""What ingest tells about itself: one report per commit, and running counters. Whoever exports metrics reads these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ingest.columns import Outcome
from sensors.payload import Reason


@dataclass(frozen=True, slots=True)
class Commit:
    """One committed batch. Durations in seconds; `oldest_s` is from the first arrival in it to its commit.

    `remarks` counts its readings by remark (see `ingest.quality`), `clocks_off` the sensors whose clock is wrong now.
    """

    slot: int
    frames: int
    outcome: Outcome
    reasons: Mapping[Reason, int]
    decode_s: float
    write_s: float
    oldest_s: float
    remarks: Mapping[str, int] = field(default_factory=dict)
    clocks_off: int = 0


class Observer(Protocol):
    """Where commits are reported, at most a few hundred a second; must not block."""

    def committed(self, commit: Commit) -> None: ...


@dataclass(slots=True)
class Counters:
    """What a slot has done so far; `frames` counts arrivals, the rest what became of them."""

    frames: int = 0
    batches: int = 0
    committed: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    retries: int = 0
    last_commit_us: int | None = None
    reasons: Counter[Reason] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)

    def add(self, commit: Commit, now_us: int) -> None:
        self.batches += 1
        self.committed += commit.outcome.committed
        self.duplicates += commit.outcome.duplicates
        self.conflicts += commit.outcome.conflicts
        self.quarantined += commit.outcome.quarantined
        self.reasons.update(commit.reasons)
        self.remarks.update(commit.remarks)
        self.last_commit_us = now_us
