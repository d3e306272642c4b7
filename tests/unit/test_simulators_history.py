from __future__ import annotations

import math
from collections import defaultdict
from datetime import datetime

import numpy as np
import pytest

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec, Rejected
from sensors.topics import parse_reading_topic
from simulators.history import HistoryBlock, Stretch, measured
from simulators.profile import PORT_TIME
from simulators.simulate import messages
from simulators.world import STEP_S, World

KINDS = load_kinds()
CATALOGUE = shipped_catalogue()
MONDAY = datetime(2026, 3, 2, tzinfo=PORT_TIME).timestamp()
SEVEN = Stretch(MONDAY + 7 * 3600, MONDAY + 8 * 3600)

Row = tuple[object, ...]


def rows(blocks: list[HistoryBlock]) -> dict[tuple[str, str], dict[int, Row]]:
    """By kind and thing: time in microseconds to the values and texts of a reading."""
    found: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
    for block in blocks:
        for row in range(len(block)):
            numbers = tuple(None if math.isnan(value) else value for value in block.values[row].tolist())
            texts = tuple(texts[row] for texts in block.texts.values())
            found[block.kind, block.things[block.thing[row]]][int(block.time_us[row])] = numbers + texts
    return found


def sent(stretch: Stretch, seed: int) -> dict[tuple[str, str], dict[int, Row]]:
    """The same of what is published, values as a database keeps them."""
    codecs, found = {name: PayloadCodec(kind) for name, kind in KINDS.items()}, defaultdict(dict)
    world = World(CATALOGUE, KINDS, seed)
    for message in messages(world, KINDS, start_s=stretch.start_s, end_s=stretch.end_s, seed=seed):
        topic = parse_reading_topic(message.topic)
        assert topic is not None
        reading = codecs[topic.kind].decode(message.payload)
        assert not isinstance(reading, Rejected)
        numbers = (getattr(reading, name) for name in KINDS[topic.kind].field_names)
        values = tuple(None if value is None else float(np.float32(value)) for value in numbers)
        texts = tuple(getattr(reading, name) for name in KINDS[topic.kind].text_names)
        found[topic.kind, topic.thing][round(reading.time.timestamp() * 1e6)] = values + texts
    return found


def of_step(readings: dict[int, Row], step_s: float) -> dict[int, Row]:
    return {int(time_us / 1e6 // step_s): values for time_us, values in readings.items()}


def test_history_measures_the_world_that_is_published() -> None:
    """Whatever reports once a step reads the same in it; the others, when they measure at the same instants."""
    published = sent(SEVEN, seed=3)
    phases = {
        thing: max(times) / 1e6 % KINDS[kind].period_s
        for (kind, thing), times in published.items()
        if KINDS[kind].periodic
    }
    ours = rows(list(measured(CATALOGUE, KINDS, seed=3, stretch=SEVEN, phases_s=phases)))
    assert set(ours) == set(published)
    for (kind, thing), theirs in published.items():
        period_s = KINDS[kind].period_s
        if not period_s:
            # The last lorries pass after the last sensor has sent.
            assert theirs.items() <= ours[kind, thing].items()
            assert all(time_us / 1e6 > SEVEN.end_s - 2 * STEP_S for time_us in set(ours[kind, thing]) - set(theirs))
            continue
        # The first readings of both begin at another instant.
        early_s = SEVEN.start_s + 3 * period_s
        expected, got = of_step(theirs, STEP_S), of_step(ours[kind, thing], STEP_S)
        compared = [step for step in expected if step * STEP_S > early_s]
        assert len(compared) >= (3600 - 4 * period_s) / period_s
        assert [got[step] for step in compared] == [expected[step] for step in compared], (kind, thing)


def test_the_same_seed_gives_the_same_history_and_another_seed_another() -> None:
    stretch = Stretch(SEVEN.start_s, SEVEN.start_s + 600)
    one, again, other = (rows(list(measured(CATALOGUE, KINDS, seed=seed, stretch=stretch))) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_a_thing_reports_once_a_period_without_a_gap() -> None:
    stretch = Stretch(MONDAY - 3600, MONDAY + 3600)
    for (kind, _), readings in rows(list(measured(CATALOGUE, KINDS, seed=1, stretch=stretch))).items():
        if KINDS[kind].periodic:
            gaps = np.diff(np.array(sorted(readings)) / 1e6)
            assert len(readings) == round(7200 / KINDS[kind].period_s)
            assert gaps == pytest.approx(KINDS[kind].period_s)


def test_a_block_is_one_kind_in_one_day_of_the_port_in_order_of_time() -> None:
    blocks = list(measured(CATALOGUE, KINDS, seed=1, stretch=Stretch(MONDAY - 1800, MONDAY + 1800)))
    assert len(blocks) == len({(block.kind, bool(block.time_us[0] >= MONDAY * 1e6)) for block in blocks})
    for block in blocks:
        assert (np.diff(block.time_us) >= 0).all()
        assert (block.time_us[0] >= MONDAY * 1e6) == (block.time_us[-1] >= MONDAY * 1e6)
        assert block.values.dtype == np.float32
        assert block.values.shape == (len(block), len(KINDS[block.kind].fields))
        assert [len(texts) for texts in block.texts.values()] == [len(block)] * len(KINDS[block.kind].texts)
