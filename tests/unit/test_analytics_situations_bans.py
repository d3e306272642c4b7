"""Lorries where they are banned, told from shares of lorries alone."""

from __future__ import annotations

import msgspec
import numpy as np

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.situations.situations import Situations
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds

KINDS, SHIPPED = load_kinds(), shipped_catalogue()
CATALOGUE = msgspec.structs.replace(
    SHIPPED, sites=tuple(msgspec.structs.replace(site, clock="recording") for site in SHIPPED.sites)
)
LOOPS = [sensor.id for sensor in CATALOGUE.sensors if sensor.kind == "traffic" and sensor.site.startswith("W")]
STRETCH, DETOUR, JAMMED = ("W12-F1", "W12-F2"), ("W14-F1",), ("W01-F1",)
START_US = 1_772_528_400_000_000
"""Tuesday 3 March 2026, 10:00 in Paris."""
USUAL = {"flow_veh_h": 600.0, "speed_kmh": 85.0, "hgv_share": 0.2}


def step(number: int, shares: dict[str, float]) -> Readings:
    fields = KINDS["traffic"].field_names
    values = np.full((len(LOOPS), len(fields)), np.nan, np.float32)
    values[:, fields.index("flow_veh_h")] = USUAL["flow_veh_h"]
    values[:, fields.index("speed_kmh")] = [15.0 if loop in JAMMED and number > 40 else 85.0 for loop in LOOPS]
    values[:, fields.index("occupancy_pct")] = 10
    values[:, fields.index("count")] = 5
    values[:, fields.index("hgv_share")] = [shares.get(loop, USUAL["hgv_share"]) for loop in LOOPS]
    time_us = np.full(len(LOOPS), START_US + number * 30_000_000, np.int64)
    words = np.zeros((len(LOOPS), 0), np.float32)
    return Readings("traffic", LOOPS, time_us, np.zeros(len(LOOPS), np.int16), values, words)


def causes(shares: dict[str, float]) -> set[str]:
    """What is named of the jam behind the stretch."""
    engine = Engine(KINDS, CATALOGUE)
    situations = Situations(engine.roster, CATALOGUE)
    situations.use({(loop, field): np.full(168, usual, np.float32) for loop in LOOPS for field, usual in USUAL.items()})
    engine.attach(situations.watch)
    found = set()
    for number in range(70):
        engine.absorb([step(number, shares)])
        found |= {notice.situation.cause.value for notice in situations.run() if "W12-W01" in notice.situation.places}
    return found


def test_jam_behind_a_ban_is_named_after_it_when_lorries_have_left_the_detour_for_the_stretch() -> None:
    assert "ban_ignored" in causes(dict.fromkeys(STRETCH, 0.45) | dict.fromkeys(DETOUR, 0.05))


def test_morning_with_more_lorries_everywhere_breaks_no_ban() -> None:
    assert "ban_ignored" not in causes(dict.fromkeys(LOOPS, 0.45))


def test_lorries_that_only_leave_the_detour_break_no_ban() -> None:
    assert "ban_ignored" not in causes(dict.fromkeys(DETOUR, 0.05))
