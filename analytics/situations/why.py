"""Which rules tell the cause of a situation, by its kind."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import isnan

import numpy as np

from analytics.situations.aftermath import Past, outage_of, upstream_of, wave
from analytics.situations.cause import Cause, Hint, ranked
from analytics.situations.gates import gate_hints, gate_state
from analytics.situations.ground import GateSite, Ground
from analytics.situations.places import ACCESS, WIND
from analytics.situations.record import Record
from analytics.situations.roads import road_hints
from analytics.situations.sight import Sight, total
from analytics.situations.wind import strong_at, wind_hint
from analytics.table import Mask

CIRCUIT = 3
"""Boxes without power in a rack from which a circuit has tripped. Lower: a single box counts; higher: small circuits do
not."""

HELD_UP = 0.9
"""Confidence that lorries who leave in a wave are those whom an outage of the same gates held up."""

CAME_MIN = (0.0, 30.0)
"""Minutes ago at which the half-hours ended in which those came who leave now: turn times are an hour and more (domain
section 4), and only the last hour is known. Without the second a surge has no name at the exit once it is over at the
entry."""

FILLED = 0.9
"""Share of the road before a gate that its queue fills, from which the approaches behind it are one jam. Lower: two
jams that have nothing to do with each other are; higher: never, the queue is measured to 5 %."""


def hints(record: Record, ground: Ground, sight: Sight, before: Sequence[Past] = ()) -> tuple[Hint, ...]:
    """Weigh what speaks for each cause of a situation; `before` are those that may have left something behind."""
    head = record.extent.head
    match record.kind:
        case "gate" if head >= 0:
            site = ground.gates[ground.graph.places[head].id]
            inside = [gate for gate in record.things if gate in site.lanes] or list(site.gates)
            outage = outage_of(head, record.identity.onset_us, before)
            return ranked(_gates(site, inside, sight, outage))
        case "road" if head >= 0:
            blocked = upstream_of(head, record.identity.onset_us, ground, before)
            return ranked(road_hints(head, record.places, ground, sight, blocked))
        case "crane" if head >= 0:
            return ranked([wind_hint(ground.graph.places[head].site, ground, sight)])
        case "yard":
            return (Hint(Cause.YARD_SATURATED, 0.95),)
        case "reefer":
            return ranked([_tripped(record, sight)])
        case _:
            return ()


def _gates(site: GateSite, inside: Collection[int], sight: Sight, outage: Past | None) -> list[Hint]:
    """Weigh the causes of a queue at some gates; a wave that leaves is a surge only where one has come in as well.

    After an outage it is those that it held up who leave.
    """
    found = gate_hints(gate_state(site, inside, sight))
    if set(inside) & set(site.entries):
        return found
    if outage is not None:
        return [wave(outage, HELD_UP), *(hint for hint in found if hint.what is not Cause.SURGE)]
    surge = max(_surge_in(site, minutes, sight) for minutes in CAME_MIN)
    return [
        replace(hint, confidence=min(hint.confidence, surge)) if hint.what is Cause.SURGE else hint for hint in found
    ]


def _surge_in(site: GateSite, before_min: float, sight: Sight) -> float:
    """Return the confidence that there was a surge at the entries; 0 where there is none."""
    came = gate_hints(gate_state(site, site.entries, sight, before=before_min))
    return next(hint.confidence for hint in came if hint.what is Cause.SURGE)


def _tripped(record: Record, sight: Sight) -> Hint:
    """Three boxes without power are a circuit, one may be a box (kinds/reefer.toml)."""
    failed = total(sight.now(rack, "plugs_failed") for rack in record.things)
    evidence = {} if isnan(failed) else {"plugs_failed": failed}
    return Hint(Cause.REEFER_TRIP, 0.95 if failed >= CIRCUIT else 0.0, evidence)


def joining(ground: Ground, sight: Sight) -> Mask:
    """Tell which places join others now: sections before a gate that its queue fills, strong wind."""
    graph = ground.graph
    joins = np.zeros(len(graph.places), np.bool_)
    for number in ground.joiners:
        place = graph.places[number]
        full = place.kind == ACCESS and _filled(ground, place.site, sight)
        joins[number] = full or (place.kind == WIND and strong_at(graph, number, ground, sight))
    return joins


def _filled(ground: Ground, gate: str, sight: Sight) -> bool:
    site = ground.gates.get(gate)
    return site is not None and gate_state(site, site.entries, sight).queue_m >= FILLED * site.storage_m > 0
