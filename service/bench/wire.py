"""What the processes of a benchmark tell each other: one JSON line of work in, `ready`, `go`, one JSON line of result.

Passwords travel through the pipe, because a command line can be read by everybody.
"""

from __future__ import annotations

import resource
import sys
from typing import TypeVar

import msgspec

from service.bench.stream import StreamPlan

READY, GO = "ready", "go"


class Work(msgspec.Struct, frozen=True):
    """What a process is to do."""

    broker_url: str
    plan: StreamPlan
    database_url: str = ""


class Done(msgspec.Struct, frozen=True):
    """What a process did: `started` and `ended` on the machine's monotonic clock, and its own CPU time meanwhile."""

    messages: int
    started_s: float
    ended_s: float
    cpu_s: float


_T = TypeVar("_T")


def receive(type_: type[_T]) -> _T:
    """Read one line of JSON from standard input."""
    return msgspec.json.decode(sys.stdin.buffer.readline(), type=type_)


def answer(value: object) -> None:
    """Write one line of JSON to standard output."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


def wait_for_go() -> None:
    """Say that everything is prepared and wait for the start."""
    answer(READY)
    if receive(str) != GO:
        raise SystemExit(1)


def cpu_s() -> float:
    """CPU time of this process so far, in user and kernel."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
