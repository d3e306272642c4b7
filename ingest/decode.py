"""Frames into one batch of columns: decode, identify, time, check. Pure: routes are looked up beforehand.

Each reading becomes one row or one entry of the quarantine, never both and never neither; a message that holds none is
one entry. The loop over frames does only what cannot be done on columns; that is what keeps a message at a few
microseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from ingest.columns import Batch, Columns, Numbers, Quarantined
from ingest.numbering import settled_by
from ingest.quality import Checks
from ingest.quarantine import quarantined
from ingest.routing import Route, Router
from ingest.tabulate import Row, Tabulator, device_health, microseconds
from ingest.transport import Frame
from ingest.unpack import JSON, unpack
from sensors.clock import describe_offset
from sensors.kind import Kinds
from sensors.payload import Reading, Reason, Rejected
from sensors.topics import is_topic_level, parse_reading_topic

FUTURE_US = 120_000_000
"""How far ahead of its arrival a reading may be timed, for clocks that are a little off (design: 2 minutes)."""

OnRejected = Callable[[Frame, Quarantined], None]
"""Told of each frame that ends in the quarantine."""

CLOCKS = 200
"""Clock offsets of one kind that a batch stores at most: the rest waits for the next ones, readings come first."""

_ROW_BYTES = 600
"""What a reading of a list takes in memory beside its payload, roughly."""
_REJECTED_BYTES = 1000
"""What a rejected message weighs beside its payload: looking for people in it takes 20 to 50 us."""
_PAUSE = 100_000
"""Weight of unusual messages after which others may run: 2 to 5 ms of unpacking. One message alone may weigh more."""
_FULL = 32_000_000
"""Weight of unusual messages that ends a batch: bounds memory whatever gzip and lists make of a full window."""


class BatchBuilder:
    """Gathers the frames of one transaction; `finish` turns them into a batch and starts anew."""

    def __init__(self, slot: int, kinds: Kinds, router: Router, rejected: OnRejected | None = None) -> None:
        self._slot = slot
        self._rejected = rejected
        self._router = router
        self._tabulators = {name: Tabulator(kind) for name, kind in kinds.items()}
        self._checks = {name: Checks(kind) for name, kind in kinds.items()}
        self._remarks: Counter[str] = Counter()
        self._rows: dict[str, list[Row]] = {name: [] for name in kinds}
        self._quarantined: list[Quarantined] = []
        self._weight = 0

    @property
    def full(self) -> bool:
        """Whether messages of many readings make this batch as large as one transaction should be."""
        return self._weight >= _FULL

    def add(self, frames: Sequence[Frame]) -> int:
        """Decode frames whose topics the router was prepared for; returns how many it took.

        Takes all of them, but for messages of many readings: after some of those others should run, or the batch ends.
        """
        routes, rows, at_first = self._router.routes, self._rows, self._weight
        for taken, frame in enumerate(frames, 1):
            route = routes.get(frame.topic)
            if route is None:
                self._reject(frame, *self._router.explain(frame.topic))
            elif frame.content_type is None or frame.content_type == JSON:
                reading = route.decode(frame.payload)
                if not isinstance(reading, Rejected) and (
                    reading.sensor is None or reading.sensor == route.known.thing
                ):
                    rows[route.known.kind.name].append((frame, route.known, reading))
                    continue
                self._add_parts(frame, route)
            else:
                self._add_parts(frame, route)
            if self._weight - at_first > _PAUSE:
                return taken
        return len(frames)

    def _add_parts(self, frame: Frame, route: Route) -> None:
        """What is not one good reading in plain JSON: each reading of it is a row or an entry of the quarantine."""
        for part, reading in unpack(frame, route):
            self._weight += _ROW_BYTES + len(part.payload)
            if isinstance(reading, Rejected):
                self._reject_known(part, route, reading)
            elif reading.sensor is not None and reading.sensor != route.known.thing:
                self._reject_known(part, route, _other_identity(reading, route))
            else:
                self._rows[route.known.kind.name].append((part, route.known, reading))

    def refuse(self, frame: Frame, why: str) -> None:
        """Quarantine a frame whatever it says: the sink refuses it for good."""
        parts = parse_reading_topic(frame.topic)
        site, thing = (None, None) if parts is None else (parts.site, parts.thing)
        numbers = settled_by(frame.payload) if frame.topic in self._router.routes else ()
        self._reject(frame, site, thing, Rejected(Reason.REFUSED, why), numbers)

    def finish(self) -> Batch:
        """The batch of all frames added since the last call."""
        columns = [found for name, rows in self._rows.items() if rows for found in self._columns(name, rows)]
        health = [entry for rows in self._rows.values() for entry in device_health(rows)]
        batch = Batch(
            self._slot,
            tuple(columns),
            tuple(self._quarantined),
            tuple(health),
            clocks=tuple(offset for checks in self._checks.values() for offset in checks.take_clocks(CLOCKS)),
            remarks=self._remarks,
            clocks_off=sum(checks.clocks_off for checks in self._checks.values()),
        )
        self._remarks = Counter()
        self._rows = {name: [] for name in self._rows}
        self._quarantined = []
        self._weight = 0
        return batch

    def _columns(self, name: str, rows: list[Row]) -> Iterator[Columns]:
        """The columns of one kind, unless the future takes all of it; `rows` keeps only what is stored."""
        time_us = np.fromiter((microseconds(reading.time) for _, _, reading in rows), np.int64, len(rows))
        received_us = np.fromiter((frame.received_us for frame, _, _ in rows), np.int64, len(rows))
        wall = np.fromiter((known.wall for _, known, _ in rows), np.bool_, len(rows))
        arrivals = self._checks[name].arrived([known.thing for _, known, _ in rows], time_us, received_us, wall)
        keep = self._not_future(rows, time_us, received_us, wall)
        if not keep.all():
            rows[:] = compress(rows, keep.tolist())
            time_us, received_us, arrivals = time_us[keep], received_us[keep], arrivals.only(keep)
        if rows:
            columns = self._tabulators[name].columns(rows, time_us, received_us)
            self._checks[name].remark(columns, arrivals, self._remarks)
            yield columns

    def _not_future(
        self, rows: list[Row], time_us: NDArray[np.int64], received_us: NDArray[np.int64], wall: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Where the time is believable, (n,); the others go to the quarantine. A recording has its own clock."""
        future = wall & (time_us > received_us + FUTURE_US)
        for row in np.flatnonzero(future).tolist():
            frame, known, reading = rows[row]
            ahead_s = (time_us[row] - received_us[row]) / 1e6
            detail = f"{reading.time.isoformat()} against its arrival: {describe_offset(ahead_s)}"
            numbers = settled_by(frame.payload)
            self._reject(frame, known.site, known.thing, Rejected(Reason.FUTURE, detail), numbers)
        return ~future

    def _reject_known(self, frame: Frame, route: Route, why: Rejected) -> None:
        # Only here: who writes to a topic that is not known must not settle what another sender still owes.
        numbers = settled_by(frame.payload)
        self._reject(frame, route.known.site, route.known.thing, why, numbers)

    def _reject(
        self,
        frame: Frame,
        site: str | None,
        thing: str | None,
        why: Rejected,
        numbers: Numbers = (),
    ) -> None:
        self._weight += _REJECTED_BYTES
        entry = quarantined(frame, site, thing, why, numbers)
        self._quarantined.append(entry)
        if self._rejected is not None:
            self._rejected(frame, entry)


def _other_identity(reading: Reading, route: Route) -> Rejected:
    said = repr(reading.sensor) if is_topic_level(reading.sensor or "") else "what cannot be an id"
    return Rejected(Reason.IDENTITY, f"the payload says {said}, the topic {route.known.thing!r}")
