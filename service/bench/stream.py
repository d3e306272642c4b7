"""The readings that every measured thing is given: of road traffic, seeded, the same payloads whoever reads them.

Each sensor measures once a second and counts its readings, the last one just now: no clock looks wrong, no sensor
repeats itself to the digit, so that a service with all its checks has nothing to complain of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.columns import Columns
from sensors.catalogue import Catalogue, Sensor
from sensors.kind import Kind
from sensors.topics import reading_topic

KIND = "traffic"
_SECOND_US = 1_000_000
_MILLISECOND_US = 1_000


class StreamPlan(msgspec.Struct, frozen=True):
    """What decides a stream; `last_us` is the time of its newest reading, microseconds since 1970 UTC."""

    messages: int
    boot: int
    last_us: int
    seed: int = 1


class Stream:
    """The readings of a plan as columns; the i-th is of sensor i modulo their number."""

    def __init__(self, plan: StreamPlan, catalogue: Catalogue) -> None:
        self.plan = plan
        self.sensors = traffic_sensors(catalogue)
        position = np.arange(plan.messages)
        self.seq: NDArray[np.int64] = position // len(self.sensors)
        age_s = (plan.messages - 1) // len(self.sensors) - self.seq
        self.time_us = (plan.last_us - age_s * _SECOND_US) // _MILLISECOND_US * _MILLISECOND_US
        self.values = _values(plan.messages, plan.seed)

    def messages(self) -> Iterator[tuple[str, bytes]]:
        """Topic and payload of each reading, in order."""
        topics = [reading_topic(sensor.site, sensor.id, KIND) for sensor in self.sensors]
        times = np.datetime_as_string(self.time_us.astype("M8[us]"), unit="ms").tolist()
        rows = zip(times, self.seq.tolist(), self.values.tolist(), strict=True)
        boot, sensors = self.plan.boot, len(topics)
        for number, (time, seq, (count, flow, occupancy, speed, share)) in enumerate(rows):
            payload = (
                f'{{"time":"{time}Z","boot":{boot},"seq":{seq},"count":{count:.0f},"flow_veh_h":{flow:.0f},'
                f'"occupancy_pct":{occupancy:.1f},"speed_kmh":{speed:.1f},"hgv_share":{share:.2f}}}'
            )
            yield topics[number % sensors], payload.encode()

    def columns(self, kind: Kind, start: int, end: int) -> Columns:
        """Readings `start` to `end` as ingest would hand them to its sink."""
        part = slice(start, end)
        chosen = [self.sensors[row % len(self.sensors)] for row in range(start, min(end, self.plan.messages))]
        rows = len(chosen)
        return Columns(
            kind=kind,
            time_us=self.time_us[part],
            received_us=self.time_us[part],
            thing=[sensor.id for sensor in chosen],
            site=[sensor.site for sensor in chosen],
            boot=np.full(rows, self.plan.boot, np.int64),
            seq=self.seq[part],
            quality=np.zeros(rows, np.int16),
            values=self.values[part].astype(np.float32),
            texts=(),
        )


def traffic_sensors(catalogue: Catalogue) -> Sequence[Sensor]:
    return [sensor for sensor in catalogue.sensors if sensor.kind == KIND]


def _values(rows: int, seed: int) -> NDArray[np.float64]:
    """(rows, 5) count, flow, occupancy, speed and share of lorries that fit each other (domain: road flow)."""
    rng = np.random.default_rng(seed)
    speed = rng.uniform(60, 100, rows).round(1)
    count = rng.integers(4, 15, rows)
    share = rng.uniform(0.05, 0.3, rows).round(2)
    flow = count * 120.0
    length_m = 4.5 + 12.0 * share + 2.0
    occupancy = (100 * flow / speed * length_m / 1000).round(1)
    return np.column_stack([count, flow, occupancy, speed, share])
