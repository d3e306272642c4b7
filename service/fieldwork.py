"""`vigie simulate` for whoever stands in the field: how one run sends, checked before anything is sent."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sensors.catalogue import Sensor
from sensors.errors import OperatorError
from sensors.kind import Kind, Kinds
from service.field_broker import Place, place_of
from service.options import flat
from service.selection import Selected, select
from service.settings import Settings
from simulators.by_hand import values_of
from simulators.connection import Dialect
from simulators.manner import Manner
from simulators.world import Thing, Values, World

PATIENCE_S: Final = 15.0
"""How long the end waits for receipts: they come every 10 s (`ingest_receipt_s`), later while a backlog is stored."""


class FieldworkError(OperatorError):
    """Options that cannot be used together, or for these sensors."""


@dataclass(frozen=True, slots=True)
class Sending:
    """How messages go out, and when it ends: after `for_s`, after `count` messages, or when told."""

    dialect: Dialect
    senml: bool
    client_id: str
    receipts: bool
    patience_s: float
    for_s: float | None
    count: int | None


@dataclass(frozen=True, slots=True)
class Fieldwork:
    """One run. Empty `sites` and `things` are the whole port; `said` are values set by hand, `field=value`."""

    place: Place
    sending: Sending
    quiet: bool
    sites: tuple[str, ...]
    things: tuple[str, ...]
    said: tuple[str, ...]
    force: bool
    rate: float
    every_s: float | None
    jitter: float

    @classmethod
    def of(cls, arguments: argparse.Namespace, settings: Settings) -> Fieldwork:
        """Read the command line; raises `FieldworkError` and what `place_of` does."""
        if arguments.said and not arguments.things:
            raise FieldworkError("--set needs --only: name the sensors that say so")
        return cls(
            place=place_of(arguments, settings),
            sending=Sending(
                dialect=Dialect(arguments.mqtt, arguments.qos),
                senml=arguments.format == "senml",
                client_id=arguments.client_id or f"vigie-simulate-{secrets.token_hex(4)}",
                receipts=not arguments.no_receipts,
                patience_s=arguments.patience,
                for_s=arguments.for_s,
                count=arguments.count,
            ),
            quiet=arguments.quiet,
            sites=flat(arguments.sites),
            things=flat(arguments.things),
            said=tuple(arguments.said),
            force=arguments.force,
            rate=arguments.rate,
            every_s=arguments.every,
            jitter=arguments.jitter,
        )

    def manner(self, world: World, kinds: Kinds) -> Manner:
        """Who sends, and how; raises `SelectionError`, `SettingError` or `FieldworkError`."""
        chosen = select(world.catalogue, sites=self.sites, things=self.things)
        simulated = {thing.id: thing for thing in world.things}
        senders = list(self._senders(chosen, kinds, simulated))
        if not senders:
            raise FieldworkError("nothing of what was chosen sends anything: 'vigie sensors list' shows what there is")
        return Manner(
            only=frozenset(thing.id for thing in senders),
            rate=self.rate,
            every_s=self.every_s,
            jitter=self.jitter,
            said=self._said(senders, kinds),
            extra=tuple(thing for thing in senders if thing.id not in simulated),
        )

    def _senders(self, chosen: Selected, kinds: Kinds, simulated: Mapping[str, Thing]) -> Iterator[Thing]:
        """Everything chosen that sends for itself; of kinds that the world does not know, what is set by hand."""
        for sensor in chosen.sensors:
            kind = kinds.get(sensor.kind)
            if sensor.id in simulated:
                yield simulated[sensor.id]
            elif kind is not None and kind.subject == "sensor" and self.things:
                yield self._by_hand(sensor, kind)
        yield from (simulated[corridor.id] for corridor in chosen.corridors if corridor.id in simulated)

    def _by_hand(self, sensor: Sensor, kind: Kind) -> Thing:
        if not self.said:
            raise FieldworkError(f"{sensor.id}: nobody simulates a {kind.name}; say what it measures with --set")
        period_s = sensor.period_s or kind.period_s
        if not period_s > 0 and self.every_s is None:
            raise FieldworkError(f"{sensor.id}: a {kind.name} is an event and has no period; give one with --every")
        return Thing(sensor.site, sensor.id, kind.name, period_s)

    def _said(self, senders: list[Thing], kinds: Kinds) -> dict[str, Values]:
        """What is set by hand, by thing: all of them must be of one kind, or a field could mean two things."""
        if not self.said:
            return {}
        found = sorted({thing.kind for thing in senders})
        if len(found) > 1:
            raise FieldworkError(
                f"--set is for sensors of one kind, and these are {' and '.join(found)}: run it for each"
            )
        return {thing.id: values_of(self.said, kinds[found[0]], force=self.force) for thing in senders}
