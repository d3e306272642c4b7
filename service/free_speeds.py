"""The free speed of road sensors as everybody should use it: configured, else what the analytics has learnt."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan
from typing import Any

import numpy as np

from analytics import free_speed
from analytics.memory import FORMAT, from_memory
from sensors.catalogue import Sensor
from sensors.kind import Kind
from simulators.recorder import FreeSpeed
from store.database import Connection
from store.states import load_memory


async def free_speeds(conn: Connection, kind: Kind, sensors: Sequence[Sensor]) -> dict[str, FreeSpeed]:
    """Free speeds by sensor; nothing of those of which nobody knows one yet."""
    configured = {s.id: FreeSpeed(s.free_speed_kmh, "configured") for s in sensors if s.free_speed_kmh}
    memories = await load_memory(conn)
    learnt = {s.id: _learnt(memories.get(s.id), s.period_s or kind.period_s) for s in sensors}
    return {name: FreeSpeed(kmh, "learnt") for name, kmh in learnt.items() if isfinite(kmh)} | configured


def _learnt(memory: Any, period_s: float) -> float:  # noqa: ANN401  JSON of an engine that may be of another version
    """What the engine would judge by, NaN while it rests on too few speeds."""
    if not memory or memory["format"] != FORMAT or not period_s > 0:
        return nan
    unconfigured, enough = (np.array([number], np.float32) for number in (nan, free_speed.LEARN_S / period_s))
    return float(free_speed.in_use(from_memory(memory), unconfigured, enough)[0])
