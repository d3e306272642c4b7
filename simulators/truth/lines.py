"""The truth of a run as values and as JSON lines, one object a line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from sensors.errors import OperatorError
from sensors.fault import Fault
from simulators.faults.injection import Injection
from simulators.interventions import What

PlaceKind = Literal["section", "gate", "yard", "parking", "crane", "reefer"]


class TruthError(OperatorError):
    """A file that is no truth; the message names file and line."""


class Cause(msgspec.Struct, frozen=True):
    """The intervention behind an event."""

    what: What
    where: str


class Extent(msgspec.Struct, frozen=True):
    """The places that are congested from this time on."""

    time: datetime
    places: tuple[str, ...]


class RunTruth(msgspec.Struct, frozen=True, tag_field="type", tag="run"):
    """What was observed."""

    scenario: str
    seed: int
    start: datetime
    end: datetime


class EventTruth(msgspec.Struct, frozen=True, tag_field="type", tag="event"):
    """Congestion. `place` is where it began; `end` is None while it lasts; `sensors` stand at or watch its places."""

    id: str
    place: str
    kind: PlaceKind
    onset: datetime
    end: datetime | None
    cause: Cause | None
    sensors: tuple[str, ...]
    extent: tuple[Extent, ...]


class SlowedTruth(msgspec.Struct, frozen=True, tag_field="type", tag="slowed"):
    """Neither free nor congested: whoever speaks here is neither right nor wrong."""

    place: str
    sensors: tuple[str, ...]
    start: datetime
    end: datetime


class FaultTruth(msgspec.Struct, frozen=True, tag_field="type", tag="fault"):
    """An injection; `size` is None for the fault's default."""

    what: Fault
    where: str
    start: datetime
    end: datetime
    size: float | None


Line = RunTruth | EventTruth | SlowedTruth | FaultTruth
_Timed = TypeVar("_Timed", bound=msgspec.Struct)
_DECODER: Final[msgspec.json.Decoder[Line]] = msgspec.json.Decoder(Line)


class Truth(msgspec.Struct, frozen=True):
    """Everything that was true in one run."""

    run: RunTruth
    events: tuple[EventTruth, ...] = ()
    slowed: tuple[SlowedTruth, ...] = ()
    faults: tuple[FaultTruth, ...] = ()

    def lines(self) -> Iterator[bytes]:
        """JSON, one object each, with its line end: the run, then events, slowed spans and faults."""
        for line in (self.run, *self.events, *self.slowed, *self.faults):
            yield msgspec.json.encode(line) + b"\n"


def with_faults(truth: Truth, injections: Iterable[Injection]) -> Truth:
    """The truth of the same world when other faults are injected: they never reach into it."""
    return msgspec.structs.replace(truth, faults=tuple(map(_fault, injections)))


def _fault(one: Injection) -> FaultTruth:
    start, end = (datetime.fromtimestamp(at_s, UTC) for at_s in (one.start_s, one.end_s))
    return FaultTruth(one.what, one.where, start, end, one.size)


def shifted(truth: Truth, seconds: float) -> Truth:
    """The same at another time: the world's Monday as it was played."""
    by = timedelta(seconds=seconds)
    return Truth(
        run=_moved(truth.run, by),
        events=tuple(
            msgspec.structs.replace(_moved(event, by), extent=tuple(_moved(part, by) for part in event.extent))
            for event in truth.events
        ),
        slowed=tuple(_moved(span, by) for span in truth.slowed),
        faults=tuple(_moved(fault, by) for fault in truth.faults),
    )


def _moved(line: _Timed, by: timedelta) -> _Timed:
    times = {name: getattr(line, name) for name in line.__struct_fields__}
    return msgspec.structs.replace(line, **{n: at + by for n, at in times.items() if isinstance(at, datetime)})


def write_truth(path: Path, truth: Truth) -> None:
    """Write a truth, all of it or nothing; a file that is there is replaced. Raises `TruthError`."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(b"".join(truth.lines()))
        part.replace(path)
    except OSError as exc:
        raise TruthError(f"{path}: cannot be written: {exc.strerror or exc}") from exc
    finally:
        part.unlink(missing_ok=True)


def read_truth(path: Path) -> Truth:
    """Read what `Truth.lines` has written; raises `TruthError`."""
    try:
        found = [_line(path, number, line) for number, line in enumerate(path.read_bytes().splitlines(), 1) if line]
    except OSError as exc:
        raise TruthError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    run = [line for line in found if isinstance(line, RunTruth)]
    if len(run) != 1:
        raise TruthError(f'{path}: {len(run)} lines of type "run"; expected one')
    return Truth(
        run=run[0],
        events=tuple(line for line in found if isinstance(line, EventTruth)),
        slowed=tuple(line for line in found if isinstance(line, SlowedTruth)),
        faults=tuple(line for line in found if isinstance(line, FaultTruth)),
    )


def _line(path: Path, number: int, line: bytes) -> Line:
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError as exc:
        raise TruthError(f"{path}: line {number} is no line of a truth: {exc}") from exc
