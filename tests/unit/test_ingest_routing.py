"""Unknown senders: one refresh of the directory, and never more than the budget allows."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ingest.columns import SinkUnavailable
from ingest.directory import CatalogueDirectory
from ingest.routing import RefreshBudget, Router
from sensors.catalogue import Catalogue, Sensor, Site
from sensors.kind import load_kinds
from sensors.payload import Reason

KINDS = load_kinds()


def catalogue(*sensors: str, clock: str = "wall") -> Catalogue:
    site = Site(id="W15", name="Road", basin="west", clock="recording" if clock == "recording" else "wall")
    return Catalogue(sites=(site,), sensors=tuple(Sensor(id=name, site="W15", kind="traffic") for name in sensors))


def topic(sensor: str) -> str:
    return f"vigie/1/readings/W15/{sensor}/traffic"


@dataclass
class World:
    """A database that is asked for the catalogue, and a clock."""

    catalogue: Catalogue = field(default_factory=catalogue)
    reads: int = 0
    now: float = 0.0
    down: bool = False

    async def load(self) -> Catalogue:
        self.reads += 1
        if self.down:
            raise SinkUnavailable("the database is down")
        return self.catalogue

    def router(self, budget: RefreshBudget | None = None) -> Router:
        directory = CatalogueDirectory(KINDS, catalogue("old"), self.load)
        return Router(KINDS, directory, lambda: self.now, budget)


async def test_known_topics_never_ask_the_database() -> None:
    world = World()
    router = world.router()
    for _ in range(3):
        await router.prepare([topic("old")])
    assert world.reads == 0
    assert router.routes[topic("old")].known.thing == "old"


async def test_a_sensor_registered_a_moment_ago_is_found_by_one_refresh() -> None:
    world = World(catalogue("old", "new"))
    router = world.router()
    await router.prepare([topic("old"), topic("new")])
    assert world.reads == 1
    assert router.routes.keys() == {topic("old"), topic("new")}


async def test_a_sensor_that_stays_unknown_is_asked_for_once_until_it_is_forgotten() -> None:
    world = World(catalogue("old"))
    router = world.router()
    for now in (0.0, 1.0, 29.0):
        world.now = now
        await router.prepare([topic("ghost")])
    assert world.reads == 1
    world.now = 31.0
    await router.prepare([topic("ghost")])
    assert world.reads == 2
    assert router.explain(topic("ghost"))[2].reason is Reason.UNKNOWN_SENSOR


async def test_a_flood_of_invented_sensors_stays_within_the_budget() -> None:
    world = World(catalogue("old"))
    router = world.router(RefreshBudget(burst=3, every_s=10))
    for number in range(1_000):
        world.now = number / 100
        await router.prepare([topic(f"ghost{number}")])
    assert world.reads == 3
    world.now = 20.0
    await router.prepare([topic("ghost")])
    assert world.reads == 4


@pytest.mark.parametrize("name", ["other/topic", "vigie/1/readings/W15/old/no_such_kind", "vigie/1/readings/#"])
async def test_what_no_refresh_can_cure_causes_none(name: str) -> None:
    world = World()
    router = world.router()
    await router.prepare([name])
    assert world.reads == 0
    assert router.explain(name)[2].reason is Reason.TOPIC


async def test_nobody_is_called_unknown_while_the_database_cannot_be_asked() -> None:
    world = World(catalogue("old", "new"), down=True)
    router = world.router()
    with pytest.raises(SinkUnavailable):
        await router.prepare([topic("new")])
    world.down = False
    await router.prepare([topic("new")])
    assert topic("new") in router.routes


async def test_an_outage_of_the_database_does_not_use_up_the_budget() -> None:
    world = World(catalogue("old", "new"), down=True)
    router = world.router(RefreshBudget(burst=2, every_s=1e9))
    for _ in range(10):
        with pytest.raises(SinkUnavailable):
            await router.prepare([topic("new")])


async def test_a_changed_catalogue_replaces_what_was_known() -> None:
    directory = CatalogueDirectory(KINDS, catalogue("old"), World().load)
    router = Router(KINDS, directory, lambda: 0.0)
    await router.prepare([topic("old")])
    directory.replace(catalogue("old", clock="recording"))
    await router.prepare([topic("old")])
    assert not router.routes[topic("old")].known.wall


def test_an_equal_catalogue_changes_nothing() -> None:
    directory = CatalogueDirectory(KINDS, catalogue("old"), World().load)
    directory.replace(catalogue("old"))
    assert directory.version == 0
