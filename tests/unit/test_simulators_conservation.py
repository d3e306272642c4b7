"""Nothing comes from nowhere and nothing gets lost, whatever happens in the world."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from simulators.interventions import Intervention, InterventionError, What
from simulators.profile import PORT_TIME
from simulators.world import World

KINDS = load_kinds()
CATALOGUE = shipped_catalogue()
START = datetime(2026, 3, 3, 6, 30, tzinfo=PORT_TIME).timestamp()
SECTIONS = [section.id for section in CATALOGUE.sections]
GATES = [sensor.id for sensor in CATALOGUE.sensors if sensor.kind == "gate"]


def span(what: What, places: list[str], sizes: st.SearchStrategy[float]) -> st.SearchStrategy[Intervention]:
    return st.builds(
        lambda where, start_s, length_s, size, position: Intervention(
            what, where, START + start_s, START + start_s + length_s, size, position
        ),
        st.sampled_from(places),
        st.floats(-3600, 3600),
        st.floats(60, 5400),
        sizes,
        st.floats(0, 1),
    )


SHARE = st.floats(0, 1)
ANYTHING = st.one_of(
    span("incident", SECTIONS, SHARE),
    span("lane_closure", SECTIONS, st.sampled_from([1.0, 2.0])),
    span("standing_lorries", SECTIONS, st.just(1.0)),
    span("gate_outage", GATES, SHARE),
    span("surge", ["W05", "W07", "E01", "E03", "E04"], st.floats(0, 6)),
    span("ship_late", ["W06", "W08", "E02"], st.floats(1, 20)),
    span("ban_ignored", ["", "W15-W12"], SHARE),
    span("wind", [""], st.floats(0, 30)),
    span("demand", ["", "W17", "E05"], st.floats(0, 3)),
)


# Nothing is shrunk: a day of traffic takes too long, and the world says what it was.
@settings(
    phases=[Phase.explicit, Phase.generate], max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
@given(st.lists(ANYTHING, max_size=8), st.integers(0, 2**31))
def test_vehicles_lorries_and_teu_are_conserved_to_the_unit(happens: list[Intervention], seed: int) -> None:
    world = World(CATALOGUE, KINDS, seed, interventions=happens)
    world.start(START)
    for minutes in range(0, 90, 6):
        world.advance(START + minutes * 60)
        balance, view = world.balance(), world.view()
        assert balance.holds, balance
        assert world._roads.cells.vehicles.min() >= 0
        assert (view.vehicles >= 0).all()
        assert ((view.cell_ratio >= 0) & (view.cell_ratio <= 1)).all()
        assert ((view.yard_fill >= 0) & (view.yard_fill <= 1)).all()
        lanes = np.array([section.lanes for section in CATALOGUE.sections])[view.cell_section]
        assert (view.cell_cars_km <= 120.001 * lanes).all()


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (Intervention("incident", "W15-W99", 0, 60), "W15-W99"),
        (Intervention("gate_outage", "W06", 0, 60), "W07"),
        (Intervention("wind", "", 60, 60), "start_s < end_s"),
        (Intervention("demand", "W12", 0, 60), "W17, W18"),
        (Intervention("incident", "W15-W12", 0, 60, 1.5), "share from 0 to 1"),
        (Intervention("strike", "W07", 0, 60), "standing_lorries"),  # type: ignore[arg-type]  that is the point
    ],
)
def test_an_intervention_that_cannot_be_says_what_can(one: Intervention, told: str) -> None:
    with pytest.raises(InterventionError, match=told):
        World(CATALOGUE, KINDS, 1, interventions=(one,))
