"""Causes in the simulated port, told from readings alone: the world is only used as a source of labelled situations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from math import ceil, nan

import msgspec
import numpy as np
import pytest

from analytics.engine import Engine
from analytics.readings import Readings
from analytics.situations.headline import Headlines
from analytics.situations.situation import Notice, Step
from analytics.situations.situations import Situations
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.score.past import WEEK_START
from simulators.interventions import Intervention
from simulators.scenario import draw, load_scenarios
from simulators.truth import TruthRecorder
from simulators.world import STEP_S, World

KINDS, CATALOGUE = load_kinds(), shipped_catalogue()
START_S = 1_772_528_400.0
"""Tuesday 3 March 2026, 10:00 in Paris."""

MINUTES, TWO_MINUTES_US = 75, 120_000_000
HAPPENS = (
    Intervention("gate_outage", "W07", START_S + 900, START_S + 4500, 1.0),
    Intervention("wind", "", START_S + 1200, START_S + 4500, 24.0),
    Intervention("lane_closure", "W16-W15", START_S + 1200, START_S + 4500, 1.0, 0.99),
    Intervention("incident", "W11-W01", START_S + 1200, START_S + 4500, 0.9, 0.9),
    Intervention("reefer_trip", "W06", START_S + 1200, START_S + 4500, 0.2),
)


def readings(
    world: World, start_s: float, end_s: float, truth: TruthRecorder | None = None
) -> Iterator[list[Readings]]:
    """What all sensors send, step by step of the world."""
    world.start(start_s)
    due = {index: start_s + thing.period_s for index, thing in enumerate(world.things) if thing.kind in KINDS}
    for step in range(ceil(start_s / STEP_S) + 1, ceil(end_s / STEP_S)):
        world.advance(step * STEP_S)
        world.take_events()
        if truth is not None:
            truth.observe(world.view())
        rows: dict[str, list[tuple[str, dict[str, float | str | None]]]] = defaultdict(list)
        for index in [index for index, at_s in due.items() if at_s <= step * STEP_S]:
            thing = world.things[index]
            due[index] += thing.period_s
            rows[thing.kind].append((thing.id, world.measure(index)))
        yield [columns(kind, some, step * STEP_S) for kind, some in rows.items()]


def columns(kind: str, rows: list[tuple[str, dict[str, float | str | None]]], at_s: float) -> Readings:
    fields, texts = KINDS[kind].fields, KINDS[kind].choices
    values = [[nan if row[field.name] is None else row[field.name] for field in fields] for _, row in rows]
    words = [[text.choices.index(row[text.name]) if row[text.name] else nan for text in texts] for _, row in rows]
    return Readings(
        kind=kind,
        thing=[name for name, _ in rows],
        time_us=np.full(len(rows), round(at_s * 1e6), np.int64),
        quality=np.zeros(len(rows), np.int16),
        values=np.array(values, np.float32).reshape(len(rows), len(fields)),
        words=np.array(words, np.float32).reshape(len(rows), len(texts)),
    )


@pytest.fixture(scope="module")
def notices() -> list[Notice]:
    world = World(CATALOGUE, KINDS, 1, interventions=HAPPENS)
    return list(found(readings(world, START_S, START_S + MINUTES * 60)))


def found(batches: Iterable[list[Readings]]) -> Iterator[Notice]:
    sites = tuple(msgspec.structs.replace(site, clock="recording") for site in CATALOGUE.sites)
    catalogue = msgspec.structs.replace(CATALOGUE, sites=sites)
    engine = Engine(KINDS, catalogue)
    situations = Situations(engine.roster, catalogue)
    engine.attach(situations.watch)
    for batch in batches:
        engine.absorb(batch)
        yield from situations.run()


def named(notices: list[Notice], cause: str) -> Notice:
    return next(notice for notice in notices if notice.situation.cause == cause)


def minute(notice: Notice) -> float:
    return (notice.situation.at_us / 1e6 - START_S) / 60


def test_gate_outage_is_named_as_soon_as_the_wait_is_congested(notices: list[Notice]) -> None:
    outage = named(notices, "gate_outage")
    began = next(notice for notice in notices if notice.situation.kind == "gate" and notice.step is Step.BEGAN)
    assert outage.situation.kind == "gate"
    assert set(outage.situation.places) == {"W07-G1", "W07-G2", "W07-G3"}
    assert minute(outage) - minute(began) <= 1
    assert outage.situation.causes[0].evidence["lanes_open"] == 0


def test_one_wind_stops_the_cranes_of_both_quays_in_one_situation(notices: list[Notice]) -> None:
    stop = named(notices, "wind_stop")
    assert stop.situation.kind == "crane"
    assert {sensor[:3] for sensor in stop.situation.sensors} == {"W06", "W08"}
    assert minute(stop) <= 23


def test_closed_lane_is_named_before_there_is_a_queue(notices: list[Notice]) -> None:
    closed = named(notices, "lane_closed")
    assert (closed.situation.places, closed.situation.level.label) == (("W16-W15",), "dense")
    assert closed.situation.causes[0].evidence["sensor"] == "W15-F2"


def test_rack_without_power_has_tripped(notices: list[Notice]) -> None:
    tripped = named(notices, "reefer_trip")
    assert tripped.situation.places == ("W06-R1",)
    assert tripped.situation.causes[0].evidence["plugs_failed"] >= 3


def test_nothing_else_is_given_one_of_these_names(notices: list[Notice]) -> None:
    where = {(notice.situation.cause.value, place) for notice in notices for place in notice.situation.places}
    places = {place for cause, place in where if cause in ("gate_outage", "wind_stop", "lane_closed")}
    assert {place.split("-")[0] for place in places} <= {"W07", "W06", "W08", "W16", "W02", "W03"}


@pytest.mark.prove
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_monday_0730_is_two_stories_told_within_two_minutes(seed: int) -> None:
    drawn = draw(load_scenarios()["monday-0730"], CATALOGUE, seed=seed, week_start_s=WEEK_START.timestamp())
    world = World(CATALOGUE, KINDS, seed, interventions=drawn.interventions)
    truth = TruthRecorder(
        CATALOGUE, drawn.interventions, scenario="monday-0730", seed=seed, kinds=KINDS, ordinary=world.ordinary()
    )
    told = list(found(readings(world, drawn.start_s, drawn.end_s, truth)))
    events = truth.finish().events
    headlines = Headlines(CATALOGUE, KINDS)
    for kind, what, cause, place, why in (
        ("gate", "gate_outage", "gate_outage", "à la porte Seayard", "Cause : panne, aucune voie ouverte"),
        ("crane", "wind", "wind_stop", "à Eurofos et à Seayard", "Cause : vent fort, rafales à"),
    ):
        onset = min(one.onset for one in events if one.cause and one.cause.what == what and one.kind == kind)
        standing = [
            one for one in told if one.situation.kind == kind and one.situation.at_us <= _us(onset) + TWO_MINUTES_US
        ]
        assert standing, f"nobody told of the {kind} within two minutes"
        assert standing[-1].situation.cause == cause
        french = headlines.of(standing[-1].situation).fr.replace("\N{NO-BREAK SPACE}", " ")
        assert place in french
        assert why in french
    last_us = max(_us(min(one.onset for one in events if one.kind == kind and one.cause)) for kind in ("gate", "crane"))
    newest = {one.situation.id: one for one in told if one.situation.at_us <= last_us + TWO_MINUTES_US}
    stories = [one.situation for one in newest.values() if one.step is not Step.ENDED and one.situation.parent is None]
    assert {one.cause.value for one in stories if one.kind in ("gate", "crane")} == {"gate_outage", "wind_stop"}
    assert len([one for one in stories if one.kind in ("gate", "crane")]) == 2


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1e6)
