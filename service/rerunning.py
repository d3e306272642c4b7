"""`vigie replay --from --to`: a range of the own database played again, into a site of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sensors.catalogue import Catalogue
from sensors.kind import Kind, Kinds
from sensors.topics import is_topic_level
from service.endpoints import Endpoints
from service.free_speeds import free_speeds
from service.recorder import require_range
from service.replaying import Replayed, ReplayError, claim, play
from service.selection import Selected, select
from simulators.carriageway import along_the_road
from simulators.message import Message
from simulators.recorder import FreeSpeed
from simulators.replay import Neighbour, Plan, UsualSpeed
from simulators.rerun import Reading, RerunMessages, plan_rerun
from store.catalogue import load_catalogue
from store.database import Connection, connected
from store.ranges import Range, count_stored, extent_of, neighbours_of, read_stored, usual_speeds_of

_PIECE = timedelta(minutes=10)
"""Of the range at once: 1,000 sensors at 30 s are 20,000 readings. Longer costs memory, shorter a query a kind more."""


@dataclass(frozen=True, slots=True)
class Past:
    """What was measured in [start, end) at `sites`, empty for the whole port; played into the site `name`."""

    start: datetime
    end: datetime
    sites: tuple[str, ...] = ()
    name: str | None = None

    @property
    def site(self) -> str:
        """By default named after the start of the range, so that a repetition meets itself."""
        return self.name or f"replay-{self.start:%Y%m%dt%H%M%S}"


async def replay_past(
    endpoints: Endpoints, kinds: Kinds, past: Past, *, speed: float | None, say: Callable[[str], None]
) -> Replayed:
    """Replay a range, `speed` times as fast as it was or as fast as possible; return what became of it.

    Raises `RecordError`, `SelectionError`, `ReplayError`, `PublishError`, `DatabaseUnavailable` or `CatalogueRefused`.
    """
    require_range(past.start, past.end)
    if not is_topic_level(past.site):
        raise ReplayError(f"--as {past.site!r} cannot name a site: use 1 to 64 letters, digits and _ . : -")
    if past.site in past.sites:
        raise ReplayError(f"site {past.site} cannot be replayed into itself: choose another name with --as")
    async with connected(endpoints.database_url, name="replay") as conn:
        await claim(conn, past.site, f"site {past.site} is being replayed already: wait for its end, or use --as NAME")
        catalogue = await load_catalogue(conn)
        things = _things(select(catalogue, sites=past.sites), kinds)
        count = sum([await count_stored(conn, _range(kinds, things, kind, past.start, past.end)) for kind in things])
        if not count:
            raise ReplayError(await _nothing(conn, kinds, things, past))
        plan = await _plan(conn, catalogue, kinds, past)
        say(f"{count} readings of {len(plan.sensors)} sensors as site {past.site}")
        messages = _messages(conn, kinds, things, past)
        return await play(conn, endpoints, plan, messages, speed=speed, say=say)


def _things(chosen: Selected, kinds: Kinds) -> dict[str, list[str]]:
    """Who has readings of each kind."""
    sensors = {
        name: [sensor.id for sensor in chosen.sensors if name in kinds.published_by(sensor.kind)]
        for name, kind in kinds.items()
        if kind.subject == "sensor"
    }
    corridors = [corridor.id for corridor in chosen.corridors]
    paired = {name: corridors for name, kind in kinds.items() if kind.subject == "corridor"}
    return {name: things for name, things in (sensors | paired).items() if things}


async def _plan(conn: Connection, catalogue: Catalogue, kinds: Kinds, past: Past) -> Plan:
    chosen = select(catalogue, sites=past.sites)
    sensors = [sensor for sensor in chosen.sensors if sensor.kind in kinds]
    ids = [sensor.id for sensor in sensors]
    free: dict[str, FreeSpeed] = {}
    for kind in _judged_by_speed(kinds):
        free |= await free_speeds(conn, kind, [sensor for sensor in sensors if sensor.kind == kind.name])
    near = {Neighbour(*row) for row in await neighbours_of(conn, ids)} | set(along_the_road(catalogue, sensors))
    usual = [UsualSpeed(*row) for row in await usual_speeds_of(conn, ids)]
    return plan_rerun(
        past.site, catalogue, sensors, chosen.corridors, free_speeds=free, neighbours=sorted(near), usual_speeds=usual
    )


def _judged_by_speed(kinds: Kinds) -> list[Kind]:
    return [kind for kind in kinds.values() if "speed_kmh" in kind.field_names]


async def _messages(
    conn: Connection, kinds: Kinds, things: Mapping[str, list[str]], past: Past
) -> AsyncIterator[Message]:
    messages = RerunMessages(past.site, kinds, boot=int(past.start.timestamp()))
    start = past.start
    while start < past.end:
        end = min(start + _PIECE, past.end)
        found: list[Reading] = []
        for kind in things:
            within = _range(kinds, things, kind, start, end)
            found += [(kind, *reading) for reading in await read_stored(conn, within)]
        # Passages of one instant differ in what makes them unique, so the order is the same each time.
        for message in messages.of(sorted(found, key=_in_order)):
            yield message
        start = end


def _in_order(reading: Reading) -> tuple[datetime, str, str, str]:
    kind, thing, time, values = reading
    return time, thing, kind, repr(sorted(values.items()))


def _range(kinds: Kinds, things: Mapping[str, list[str]], kind: str, start: datetime, end: datetime) -> Range:
    return Range(kinds[kind], things[kind], start, end)


async def _nothing(conn: Connection, kinds: Kinds, things: Mapping[str, list[str]], past: Past) -> str:
    extents = [await extent_of(conn, kinds[kind], names) for kind, names in things.items()]
    found = [extent for extent in extents if extent]
    where = ", ".join(past.sites) or "the port"
    if not found:
        return f"{where} has no readings at all yet"
    first, last = min(first for first, _ in found), max(last for _, last in found)
    return (
        f"{where} has no readings between {past.start.isoformat()} and {past.end.isoformat()}: "
        f"there are some from {first.isoformat()} to {last.isoformat()}"
    )
