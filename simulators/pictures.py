"""Pictures of the simulated port for its documentation: `python -m simulators.pictures FOLDER` writes them as SVG."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from simulators.drawing import Axis, Box, Line, panel, picture, text, upwards
from simulators.interventions import Intervention
from simulators.network import LORRY_CARS
from simulators.profile import PORT_TIME
from simulators.world import World

_MIDNIGHT: Final = datetime(2026, 3, 3, tzinfo=PORT_TIME).timestamp()  # a Tuesday
_HOUR: Final = 3600
_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 720, 320, 60, 40, 20, 50


def chart(title: str, x_title: str, span: tuple[float, float], lines: Sequence[Line]) -> str:
    """Draw lines over common axes; the vertical one begins at 0, the horizontal one has this span."""
    box = Box(_LEFT, _TOP, _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM)
    up, across = upwards(max(max(line.y) for line in lines)), Axis(*span, 6, x_title)
    headline = text(_LEFT, 18, title, more=' font-size="14" font-weight="bold"')
    return picture(_WIDTH, _HEIGHT, [headline, *panel(box, across, up, lines)])


def _world(*happens: Intervention, hour: float) -> World:
    world = World(shipped_catalogue(), load_kinds(), 1, interventions=happens)
    world.start(_MIDNIGHT + hour * _HOUR)
    return world


def ordinary_day() -> dict[str, str]:
    """RN568 at Port-de-Bouc and the gates of Eurofos, hour by hour."""
    world = _world(hour=0.01)
    hours, cars, lorries, entered, waits = np.arange(24) + 0.5, [], [], [], []
    place = [world.view().sections.index(name) for name in ("W16-W15", "W15-W16")]
    for hour in range(24):
        before, came, wait = world.view(), 0, 0.0
        for minute in range(5, 61, 5):
            world.advance(_MIDNIGHT + hour * _HOUR + minute * 60)
            passed = [e for e in world.take_events() if e.thing.site == "W05" and e.values["direction"] == "in"]
            came += len(passed)
            wait = max(wait, float(world.view().gate_wait_s[:2].max()) / 60)
        after = world.view()
        cars.append(float((after.cars_passed - before.cars_passed)[place].sum()))
        lorries.append(float((after.lorries_passed - before.lorries_passed)[place].sum()))
        entered.append(float(came))
        waits.append(wait)
    total, share = sum(cars) + sum(lorries), sum(lorries) / (sum(cars) + sum(lorries))
    road = f"RN568 at Port-de-Bouc: {total:,.0f} vehicles on a Tuesday, {share:.1%} lorries"
    gate = f"Eurofos: {sum(entered):,.0f} lorries in on a Tuesday"
    x = hours.tolist()
    return {
        "simulated-road": chart(
            road, "hour", (0, 24), [Line("cars an hour", x, cars), Line("lorries an hour", x, lorries)]
        ),
        "simulated-gate": chart(
            gate, "hour", (0, 24), [Line("lorries in, an hour", x, entered), Line("longest wait, min", x, waits)]
        ),
    }


def fundamental_diagram() -> dict[str, str]:
    """Readings of one loop, free and in a queue that is let go in steps."""
    start, shut_s, each_s = _MIDNIGHT + 7 * _HOUR, 2.5 * _HOUR, 600
    parts = (0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9)
    ends = [start + shut_s + k * each_s for k in range(len(parts) + 1)]
    narrow = [Intervention("incident", "W14-W13", start, ends[0], 1.0, 0.0)]
    narrow += [Intervention("incident", "W14-W13", ends[k], ends[k + 1], 1 - p, 0.0) for k, p in enumerate(parts)]
    world = _world(*narrow, hour=5)
    loop = next(index for index, thing in enumerate(world.things) if thing.id == "W14-F1")
    density, flow = [], []
    for at_s in np.arange(_MIDNIGHT + 5 * _HOUR, ends[-1] + _HOUR, 240).tolist():
        world.advance(at_s)
        values = world.measure(loop)
        if values["count"]:
            cars_h = float(values["flow_veh_h"] or 0) * (1 + float(values["hgv_share"] or 0) * (LORRY_CARS - 1))
            flow.append(cars_h)
            density.append(cars_h / float(values["speed_kmh"] or 1))
    triangle = Line("its parameters", [0, 1400 / 60, 120], [0, 1400, 0])
    read = Line("readings of W14-F1, 4 min each", density, flow, points=True)
    title = "Flow (cars an hour) over density, RP544: one lane, 60 km/h, 1,400 cars an hour"
    return {"simulated-diagram": chart(title, "cars per km", (0, 120), [triangle, read])}


def closed_gate() -> dict[str, str]:
    """How a gate that does not serve stops the roads before it, one after the other."""
    world = _world(Intervention("gate_outage", "W07", _MIDNIGHT + 9 * _HOUR, _MIDNIGHT + 11 * _HOUR), hour=8.5)
    names = {"W03-W07": "access to Seayard", "W02-W03": "RD268 before it", "W01-W02": "RD268 from La Fossette"}
    hours, ratios = [], []
    for at_s in np.arange(_MIDNIGHT + 8.5 * _HOUR, _MIDNIGHT + 14.5 * _HOUR, 120).tolist():
        world.advance(at_s)
        view = world.view()
        hours.append((at_s - _MIDNIGHT) / _HOUR)
        ratios.append([100 * float(view.speed_ratio[view.sections.index(name)]) for name in names])
    lines = [Line(told, hours, [row[k] for row in ratios]) for k, told in enumerate(names.values())]
    return {
        "simulated-outage": chart(
            "Seayard's gates stop from 09:00 to 11:00: speed, % of free", "hour", (8.5, 14.5), lines
        )
    }


def main(folder: str) -> None:
    for name, svg in (ordinary_day() | fundamental_diagram() | closed_gate()).items():
        (Path(folder) / f"{name}.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
