"""Lorries where they are banned: more of them on the stretch than usual, fewer on the detour.

Only shares of lorries are compared, never a vehicle (`analytics.lorry_ban`).
"""

from __future__ import annotations

from analytics.situations.cause import Cause, Hint
from analytics.situations.ground import Banned, Ground
from analytics.situations.sight import Sight, ramp, ratio

MORE_FROM, MORE_SURE = 1.35, 1.8
"""Lorries on the stretch over usual. Under the ban four of ten remain (domain section 1), so that 2.5 times as many are
all of them. Lower: a busy morning breaks the ban; higher: who leaves the detour one by one does not."""

LESS_FROM, LESS_SURE = 0.9, 0.65
"""Lorries on the detour over usual: a morning with more lorries has more of them there as well."""

MINUTES = 15
"""Over which lorries are counted. Shorter: dozens, known to a quarter; longer: it is told later."""


def ban_hint(head: int, ground: Ground, sight: Sight) -> Hint:
    """Look whether a jam on a stretch under a ban, or right beside it, has lorries that should not be there."""
    best = Hint(Cause.BAN_IGNORED, 0.0)
    for ban in ground.bans:
        if head in (ban.stretch, *ground.graph.down.at(ban.stretch), *ground.graph.up.at(ban.stretch)):
            best = max(best, _ignored(ban, ground, sight), key=lambda hint: hint.confidence)
    return best


def _ignored(ban: Banned, ground: Ground, sight: Sight) -> Hint:
    more, less = (_lorries(place, ground, sight) for place in (ban.stretch, ban.detour))
    confidence = 0.92 * ramp(more, MORE_FROM, MORE_SURE) * ramp(less, LESS_FROM, LESS_SURE)
    if confidence <= 0:
        return Hint(Cause.BAN_IGNORED, 0.0)
    evidence: dict[str, float | str] = {"ban": ban.id, "lorries_ratio": round(more, 3), "detour_ratio": round(less, 3)}
    return Hint(Cause.BAN_IGNORED, round(confidence, 3), evidence)


def _lorries(place: int, ground: Ground, sight: Sight) -> float:
    """Return lorries over usual; NaN where either is not known."""
    loops = [t for t in ground.at.get(place, ()) if sight.things[t].kind.name == "traffic"]
    return ratio(sight.lorries_h(loops, MINUTES), sight.usual_lorries_h(loops))
