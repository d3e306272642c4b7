"""Sensor health on the simulated port: every fault is named, and nobody else is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import msgspec
import numpy as np
from hypothesis import given, settings

from analytics.health.group import Refused
from analytics.health.judge import FaultChange
from analytics.health.watch import Health
from analytics.readings import Readings
from ingest.columns import Batch, Columns
from ingest.decode import BatchBuilder
from ingest.directory import CatalogueDirectory
from ingest.routing import Router
from ingest.transport import Frame
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.fault import Fault
from sensors.kind import load_kinds
from simulators.faults.injection import Injection
from simulators.simulate import messages
from simulators.world import World

KINDS = load_kinds()
_SHIPPED = shipped_catalogue()
PORT = msgspec.structs.replace(
    _SHIPPED, sites=tuple(msgspec.structs.replace(site, clock="recording") for site in _SHIPPED.sites)
)
START_S = datetime(2026, 3, 3, 6, tzinfo=ZoneInfo("Europe/Paris")).timestamp()
BEGIN_S, END_S, STOP_S = START_S + 5400, START_S + 5400 + 7800, START_S + 5400 + 9600
FRAMES = 2000
SAME_INSTANT = 100
"""Messages that arrive together: as many as one read of a socket brings at a replay's speed."""

WHERE = {
    Fault.INSUFFICIENT: "W02-F1",
    Fault.STUCK: "W16-F1",
    Fault.LOCKED_ON: "W12-F1",
    Fault.CARD_OFF: "W15-F3",
    Fault.CHATTER: "W17-F1",
    Fault.MISMATCH: "W18-F1",
    Fault.SPIKE: "W07-G1",
    Fault.SENTINEL: "W19-F1",
    Fault.UNIT_SWAPPED: "W11-F1",
    Fault.LANE_SWAPPED: "W15-F1",
    Fault.DIRECTION_SWAPPED: "W05-G1",
    Fault.IDENTITY_SWAPPED: "W08-Y1",
    Fault.CLOCK_OFFSET: "W04-F1",
    Fault.DAYLIGHT_SAVING: "W03-F1",
    Fault.FUTURE: "W10-F1",
    Fault.DUPLICATE: "E05-F1",
    Fault.OUT_OF_ORDER: "E06-F1",
    Fault.LATE_BATCH: "E07-F1",
    Fault.COUNTER_RESET: "E08-F1",
    Fault.STALE_RETAINED: "E10-F1",
    Fault.TRUNCATED: "W09-P1",
    Fault.INVALID: "W20-P1",
    Fault.WRONG_TYPE: "W06-W1",
    Fault.OVERSIZED: "W01-F3",
    Fault.SITE_DOWN: "E03",
}
"""Who has which; the yard's twin publishes for two and may be named beside it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What one batch of messages became."""

    readings: list[Readings]
    refused: list[Refused]


async def heard(injections: Sequence[Injection], stop_s: float) -> list[Heard]:
    """What ingest makes of a morning at the port, batch by batch, with what a database would recognise as repeated."""

    async def catalogue() -> Catalogue:
        return PORT

    router = Router(KINDS, CatalogueDirectory(KINDS, PORT, catalogue), lambda: 0.0)
    builder, stored, found = BatchBuilder(0, KINDS, router), dict[object, bytes](), list[Heard]()
    frames = list[Frame]()
    sent = messages(World(PORT, KINDS, 1), KINDS, start_s=START_S, end_s=stop_s, seed=1, injections=injections)
    for number, message in enumerate(sent):
        received_us = 2_000_000_000_000_000 + number // SAME_INSTANT * 5000
        frames.append(Frame(message.topic, message.payload, received_us, number, 1))
        if len(frames) == FRAMES:
            found.append(await _batch(router, builder, frames, stored))
            frames = []
    return [*found, await _batch(router, builder, frames, stored)]


async def _batch(router: Router, builder: BatchBuilder, frames: list[Frame], stored: dict[object, bytes]) -> Heard:
    await router.prepare({frame.topic for frame in frames})
    while frames:
        frames = frames[builder.add(frames) :]
    batch = builder.finish()
    readings, refused = [], list(_quarantined(batch))
    for columns in batch.columns:
        fates = [_fate(columns, row, stored) for row in range(len(columns.time_us))]
        fresh = np.array([fate == "" for fate in fates], np.bool_)
        readings.append(_readings(columns, fresh))
        refused += [
            Refused(columns.thing[row], fates[row], 1, int(columns.received_us[row]), int(columns.time_us[row]))
            for row in np.flatnonzero(~fresh).tolist()
        ]
    return Heard(readings, sorted(refused, key=lambda one: one.received_us))


def _fate(columns: Columns, row: int, stored: dict[object, bytes]) -> str:
    texts = tuple(column[row] for column in columns.texts)
    key = (columns.kind.name, columns.thing[row], int(columns.time_us[row]), texts)
    values = columns.values[row].tobytes()
    known = stored.setdefault(key, values)
    return "" if known is values else "duplicate" if known == values else "conflict"


def _readings(columns: Columns, rows: np.ndarray) -> Readings:
    return Readings(
        kind=columns.kind.name,
        thing=[columns.thing[row] for row in np.flatnonzero(rows).tolist()],
        time_us=columns.time_us[rows],
        quality=columns.quality[rows],
        values=columns.values[rows],
        received_us=columns.received_us[rows],
        boot=columns.boot[rows],
        seq=columns.seq[rows],
    )


def _quarantined(batch: Batch) -> Iterable[Refused]:
    for message in batch.quarantined:
        if message.thing is not None:
            yield Refused(message.thing, message.reason.value, 1, message.received_us, None)


@cache
def _injections() -> tuple[Injection, ...]:
    return tuple(Injection(what, where, BEGIN_S, END_S) for what, where in WHERE.items())


def judged(batches: Iterable[Heard]) -> list[FaultChange]:
    health = Health(KINDS, PORT)
    return [change for batch in batches for change in health.absorb(batch.readings, batch.refused)]


def cut(batches: Iterable[Heard], rows: int) -> Iterable[Heard]:
    """The same in smaller batches: by arrival, as another speed would have it."""
    for batch in batches:
        edges = sorted({int(t) for part in batch.readings for t in part.received_us[::rows]})
        for low, high in zip([0, *edges], [*edges, 2**62], strict=True):
            readings = [_between(part, low, high) for part in batch.readings]
            yield Heard(readings, [one for one in batch.refused if low <= one.received_us < high])


def together(batches: Iterable[Heard]) -> Heard:
    """The same as one batch of some hours, as a backlog comes."""
    return Heard(
        [part for batch in batches for part in batch.readings], [one for batch in batches for one in batch.refused]
    )


def _between(part: Readings, low: int, high: int) -> Readings:
    inside = np.flatnonzero((part.received_us >= low) & (part.received_us < high))
    columns = ("time_us", "quality", "values", "received_us", "boot", "seq")
    return replace(
        part,
        thing=[part.thing[row] for row in inside.tolist()],
        **{name: getattr(part, name)[inside] for name in columns},
    )


def read_at_once(batches: Iterable[Heard], messages: int) -> Iterable[Heard]:
    """The same with so many messages in an instant, as a replay at its highest speed is read from the socket."""
    step_us = messages // SAME_INSTANT * 5000

    def instant(received_us: np.ndarray) -> np.ndarray:
        return received_us // step_us * step_us

    for batch in batches:
        readings = [replace(part, received_us=instant(np.asarray(part.received_us))) for part in batch.readings]
        refused = [replace(one, received_us=one.received_us // step_us * step_us) for one in batch.refused]
        yield Heard(readings, refused)


async def test_every_fault_is_named_within_two_hours_and_at_nobody_else() -> None:
    batches = await heard(_injections(), STOP_S)
    _assert_named(judged(batches))
    _assert_named(judged(read_at_once(batches, 1000)))


def _assert_named(changes: Sequence[FaultChange]) -> None:
    named = {(change.fault, change.place) for change in changes if change.began}
    assert [what for what, where in WHERE.items() if (what, where) not in named] == []
    victims = {"W08-Y2", "E03-G1", "E03-P1"}
    assert {place for _, place in named} - set(WHERE.values()) - victims == set()
    begun = {(change.fault, change.place): change.time_us / 1e6 for change in changes if change.began}
    late = [what for what, where in WHERE.items() if begun[what, where] > BEGIN_S + 7200]
    assert late in ([], [Fault.LATE_BATCH])  # which comes at the end


async def test_an_ordinary_morning_has_no_faults_and_batches_change_nothing() -> None:
    some = tuple(one for one in _injections() if one.what in {Fault.STUCK, Fault.TRUNCATED, Fault.FUTURE})
    batches = await heard(some, BEGIN_S + 4000)
    changes = judged(batches)
    assert {change.place for change in changes} == {one.where for one in some}
    assert judged(cut(batches, 400)) == changes
    assert judged([together(batches)]) == changes


numbers = st.one_of(st.floats(width=32), st.sampled_from([0.0, 100.0, float("nan"), float("inf"), -99.0]))


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from(["W12-F1", "W12-F2", "?"]), st.integers(-(2**40), 2**40), numbers, numbers)),
        max_size=4,
    )
)
def test_nothing_upsets_it(batches: list[list[tuple[str, int, float, float]]]) -> None:
    health = Health(KINDS, PORT)
    for batch in batches:
        values = np.full((len(batch), len(KINDS["traffic"].fields)), np.nan, np.float32)
        values[:, 1] = [row[2] for row in batch]
        values[:, 3] = [row[3] for row in batch]
        time_us = np.array([row[1] for row in batch], np.int64)
        quality = np.zeros(len(batch), np.int64)
        health.absorb([Readings("traffic", [row[0] for row in batch], time_us, quality, values)])
        health.absorb([], [Refused("W12-F1", "truncated", 1, 0, None)])
