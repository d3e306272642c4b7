"""A lane on which nobody is: closed, when the other one has taken its vehicles over; a dead loop otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from making import readings_of

from analytics.health.watch import Health
from analytics.readings import Readings
from sensors.catalogue import Catalogue, Section, Sensor, Site, Way
from sensors.fault import Fault
from sensors.kind import load_kinds

KINDS = load_kinds()
START_US = 1_772_409_600_000_000
GROWS = 1.7
HERE, FURTHER = ("B-F1", "B-F2"), ("C-F1", "C-F2")


def _section(start: str, end: str) -> Section:
    return Section(
        id=f"{start}-{end}", from_site=start, to_site=end, road="N1", length_km=2.0, lanes=2, free_speed_kmh=90,
        storage_m=4000,
    )  # fmt: skip


ROAD = Catalogue(
    sites=tuple(Site(id=name, name=name, basin="west", clock="recording") for name in "ABC"),
    sensors=tuple(
        Sensor(
            id=name, site=name[0], kind="traffic", road="N1", direction="south", lane=int(name[-1]), free_speed_kmh=90
        )
        for name in (*HERE, *FURTHER)
    ),
    sections=(_section("A", "B"), _section("B", "C")),
    ways=(Way(id="w", road="N1", direction="south", sites=("A", "B", "C")),),
)


def readings(counts: dict[str, int], minute: int) -> Readings:
    """Two readings of half a minute each; who has no vehicles has no speed."""
    count = np.tile(list(counts.values()), 2)
    return readings_of(
        KINDS["traffic"],
        list(counts) * 2,
        START_US + minute * 60_000_000 + np.repeat([0, 30_000_000], len(counts)),
        count=count,
        flow_veh_h=120 * count,
        occupancy_pct=0.65 * count,
        speed_kmh=np.where(count > 0, 86 + (minute + np.arange(len(count))) % 5, np.nan),
        hgv_share=0,
    )


@pytest.mark.parametrize(("closed", "expected"), [(True, []), (False, [Fault.CARD_OFF])])
def test_a_lane_is_closed_when_the_other_one_has_taken_over(*, closed: bool, expected: list[Fault]) -> None:
    """It carries more, too, when everything does in the morning."""
    health, rng, found = Health(KINDS, ROAD), np.random.default_rng(1), []
    for minute in range(4 * 60):
        before = minute < 75
        all_of_them = int(rng.poisson(8 if before else GROWS * 8))
        right, on = rng.binomial(all_of_them, 0.5, 2).tolist()
        here = (right, all_of_them - right) if before else (all_of_them if closed else right, 0)
        counts = dict(zip((*HERE, *FURTHER), (*here, on, all_of_them - on), strict=True))
        found += health.absorb([readings(counts, minute)])
    assert [change.fault for change in found if change.place == "B-F2" and change.began] == expected
    assert {change.place for change in found} <= {"B-F2"}
