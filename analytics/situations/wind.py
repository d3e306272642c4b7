"""What the wind does to cranes: whether it explains that they stand, and whether it is the mean or only gusts."""

from __future__ import annotations

from math import isnan

from analytics.situations.cause import Cause, Hint
from analytics.situations.graph import Graph
from analytics.situations.ground import Ground
from analytics.situations.sight import Sight

STRONG_MS, GUSTS_MS = 18.0, 25.0
"""Mean wind and gusts from which cranes are taken to stop for the wind. They stop above 20 to 25 m/s (domain section
2), and an anemometer on another quay shows 10 % less or more. Lower: a crane's fault on a windy day is the wind's."""

GALE_MS = 22.0
"""Mean wind that stops cranes by itself: 20 m/s, and 10 % for the anemometer. A mean changes over hours, a gust is over
in minutes, and there is little in between (van der Hoven, Journal of Meteorology 14, 1957). Lower: gusts are expected
to last for hours; higher: a mistral is expected to be over in minutes."""


def wind_hint(site: str, ground: Ground, sight: Sight) -> Hint:
    """Look at the anemometers of a crane's basin."""
    winds = [(sight.now(w, "mean_ms"), sight.now(w, "gust_ms"), sight.things[w].id) for w in ground.winds.get(site, ())]
    strong = [one for one in winds if one[0] >= STRONG_MS or one[1] >= GUSTS_MS]
    if not strong:
        return Hint(Cause.WIND_STOP, 0.0)
    mean_ms, gust_ms, sensor = max(strong)
    evidence = {"wind_ms": mean_ms, "gust_ms": gust_ms}
    known = {name: round(value, 1) for name, value in evidence.items() if not isnan(value)}
    return Hint(Cause.WIND_STOP, 0.95, {"sensor": sensor, **known})


def strong_at(graph: Graph, wind: int, ground: Ground, sight: Sight) -> bool:
    """Tell whether the wind of a basin, a place, stops cranes."""
    cranes = [graph.places[other].site for other in graph.beside.at(wind)]
    return any(wind_hint(site, ground, sight).confidence > 0 for site in cranes)


def gale_at(site: str, ground: Ground, sight: Sight) -> bool:
    """Tell whether the mean wind at a crane's site stops it."""
    return float(wind_hint(site, ground, sight).evidence.get("wind_ms", 0.0)) >= GALE_MS
