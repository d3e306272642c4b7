"""The things of a port: sites, sensors, corridors, terminals, road sections, ways. Frozen, no IO but reading files.

The shipped catalogue (`sensors/port.toml`) seeds the database; from then on the database is the truth.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from sensors.errors import OperatorError
from sensors.rule import rises

Clock = Literal["wall", "recording"]


class CatalogueError(OperatorError):
    """A file that is no catalogue; the message names it and what was expected."""


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A place with sensors. `clock` says whose time counts: the wall's, or the site's own for a recording."""

    id: str
    name: str
    basin: str
    latitude: float | None = None
    longitude: float | None = None
    position_accuracy_m: float | None = None
    clock: Clock = "wall"
    timezone: str = "Europe/Paris"
    terminal: str | None = None


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sensor. Road sensors carry road, direction (towards a place) and lane; what does not apply is None.

    `free_speed_kmh` is the configured free speed; `capacity` that of a car park or yard; `storage_m` the length of road
    a gate's queue may fill. A gate's `direction` is `in`, `out`, or None for both. `period_s` overrides the kind's, and
    so do `dense`, `congested` and `jammed`, together, the limits of its level.
    """

    id: str
    site: str
    kind: str
    name: str = ""
    latitude: float | None = None
    longitude: float | None = None
    position_km: float | None = None
    road: str | None = None
    direction: str | None = None
    lane: int | None = None
    period_s: float | None = None
    free_speed_kmh: float | None = None
    capacity: float | None = None
    storage_m: float | None = None
    lanes: int | None = None
    dense: float | None = None
    congested: float | None = None
    jammed: float | None = None

    @property
    def limits(self) -> tuple[float, float, float] | None:
        """Its own limits from dense over congested to jammed, where it has all three and they rise."""
        if self.dense is None or self.congested is None or self.jammed is None:
            return None
        own = (self.dense, self.congested, self.jammed)
        return own if rises(*own) else None


class Corridor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A Bluetooth pair: `id` is FROM-TO in site ids; the downstream reader publishes its travel times."""

    id: str
    from_site: str
    to_site: str
    reader: str
    length_km: float


class Terminal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A terminal by its published code (SMDG) within a UN/LOCODE."""

    code: str
    locode: str
    name: str


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A directed stretch of road between two sites, with what it can store."""

    id: str
    from_site: str
    to_site: str
    road: str
    length_km: float
    lanes: int
    free_speed_kmh: float
    storage_m: float


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One direction of a road: its sites in the order of travel. `direction` is what its sensors call it."""

    id: str
    road: str
    direction: str
    sites: tuple[str, ...]


class Ban(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A stretch of road from which lorries are banned, and where they are sent instead.

    Both by the sections on which lorries are counted, one a direction: on two in a row a lorry would count twice.
    `objective` is the share by which lorries on the stretch should become fewer.
    """

    id: str
    name: str
    stretch: tuple[str, ...]
    detour: tuple[str, ...]
    objective: float


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """Everything that is installed, as one value."""

    sites: tuple[Site, ...]
    sensors: tuple[Sensor, ...]
    corridors: tuple[Corridor, ...] = ()
    terminals: tuple[Terminal, ...] = ()
    sections: tuple[Section, ...] = ()
    ways: tuple[Way, ...] = ()
    bans: tuple[Ban, ...] = ()

    @cached_property
    def site_by_id(self) -> dict[str, Site]:
        return {site.id: site for site in self.sites}

    @cached_property
    def sensor_by_id(self) -> dict[str, Sensor]:
        return {sensor.id: sensor for sensor in self.sensors}

    @cached_property
    def corridor_by_id(self) -> dict[str, Corridor]:
        return {corridor.id: corridor for corridor in self.corridors}


def shipped_catalogue() -> Catalogue:
    """The port's 30 sites and 90 sensors."""
    text = (resources.files("sensors") / "port.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Catalogue)


def read_catalogue(path: Path) -> Catalogue:
    """A catalogue from a file written as `sensors/port.toml` is; raises `CatalogueError`."""
    try:
        catalogue = msgspec.convert(tomllib.loads(path.read_text("utf-8")), Catalogue)
    except OSError as exc:
        raise CatalogueError(f"{path}: cannot be read: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as exc:
        raise CatalogueError(f"{path}: not a catalogue as sensors/port.toml is one: {exc}") from exc
    for sensor in catalogue.sensors:
        if sensor.site not in catalogue.site_by_id:
            raise CatalogueError(f"{path}: sensor {sensor.id} stands at {sensor.site!r}, which is none of the sites")
    for corridor in catalogue.corridors:
        if corridor.reader not in catalogue.sensor_by_id:
            raise CatalogueError(f"{path}: corridor {corridor.id} is read by {corridor.reader!r}, which is no sensor")
    return catalogue
