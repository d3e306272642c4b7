"""Which situation brought another about: a gate's queue the jam on the road behind, a full yard the gate's queue.

Parent and child are two situations: a gate's queue is never hidden by that of the road, nor the reverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analytics.situations.cause import Cause
from analytics.situations.gates import gate_state
from analytics.situations.ground import Ground
from analytics.situations.places import ROAD
from analytics.situations.record import Record
from analytics.situations.sight import Sight

ELDERS = frozenset({"gate", "yard"})
"""Kinds of situations that bring about others."""


def parents(children: Iterable[Record], records: Iterable[Record], ground: Ground, sight: Sight) -> dict[str, str]:
    """Return the parents, among `records`, of those situations that have one, by id."""
    kept = [record for record in records if record.kind in ELDERS and record.host is None and record.extent.head >= 0]
    at = {(record.kind, ground.graph.places[record.extent.head].id): record for record in kept}
    found = {record.identity.id: _parent(record, at, ground, sight) for record in children if record.host is None}
    return {child: parent.identity.id for child, parent in found.items() if parent is not None}


def _parent(record: Record, at: Mapping[tuple[str, str], Record], ground: Ground, sight: Sight) -> Record | None:
    if record.extent.head < 0:
        return None
    if record.kind == ROAD:
        site = ground.gate_ahead(record.extent.head)
        loaded = site is not None and gate_state(site, site.entries, sight).loaded
        return at.get(("gate", site.site)) if site is not None and loaded else None
    if record.kind == "gate" and record.verdict.named is Cause.YARD_SATURATED:
        site = ground.gates.get(ground.graph.places[record.extent.head].id)
        yards = {sight.things[yard].site for yard in site.yards} if site else set()
        return next((at["yard", yard] for yard in sorted(yards) if ("yard", yard) in at), None)
    return None
