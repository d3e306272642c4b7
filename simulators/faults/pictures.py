"""A picture for every fault, without it and with it: `python -m simulators.faults.pictures FOLDER` draws them as SVG.

Most come from the same two simulated mornings, a clean one and one with each fault at a sensor of its own; what needs
days comes from days.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.kind import load_kinds
from sensors.topics import parse_reading_topic
from simulators.drawing import COLOURS, Box, Line, panel, picture, text
from simulators.faults.injection import Injection
from simulators.faults.sights import DAYS, HOUR_S, MIDNIGHT_S, SIGHTS, Day, Heard, Lines, Sight, hours_of
from simulators.simulate import messages
from simulators.world import World

_MORNING_H: Final = (6.5, 12.5)
_FAULT_H: Final = (8.0, 11.0)
_DAYS_H: Final = (0.0, 120.0)
_SLOW_FAULT_H: Final = (24.0, 120.0)

_WIDE, _HIGH, _TOP, _BELOW, _PANEL = 824, 230, 46, 42, 320
_LEFT: Final = (70, 476)

_SHOWN: Final = (62, 44)
"""Signs of a payload that are shown, of its beginning and of its end."""


def pictures() -> Iterator[tuple[str, str]]:
    """Names of the faults and their pictures."""
    port = shipped_catalogue()
    runs = ((SIGHTS, port, _MORNING_H, _FAULT_H), (DAYS, _only(DAYS, port), _DAYS_H, _SLOW_FAULT_H))
    for sights, catalogue, run_h, fault_h in runs:
        start_s, end_s = (MIDNIGHT_S + HOUR_S * hour for hour in fault_h)
        clean = _day(catalogue, (), run_h)
        injections = [Injection(one.what, one.where, start_s, end_s, one.size) for one in sights]
        faulty = _day(catalogue, injections, run_h)
        for sight in sights:
            if sight.lines is None:
                yield sight.what, _payloads(sight, clean, faulty)
            else:
                yield sight.what, _panels(sight, sight.lines, (clean, faulty), fault_h)


def _panels(sight: Sight, lines: Lines, days: tuple[Day, Day], fault_h: tuple[float, float]) -> str:
    """Both side by side, on the same axes."""
    parts, from_h, until_h = [_headline(sight)], sight.hours.low, sight.hours.high
    spans = None, (max(from_h, fault_h[0]), min(until_h, fault_h[1]))
    for left, day, span, name in zip(_LEFT, days, spans, ("without", "with the fault"), strict=True):
        box = Box(left, _TOP, _PANEL, _HIGH - _TOP - _BELOW)
        shown = [_within(line, from_h, until_h) for line in lines(day)]
        parts += panel(
            box,
            sight.hours._replace(title=", ".join(filter(None, (name, sight.hours.title)))),
            sight.up,
            shown,
            shaded=span,
        )
    return picture(_WIDE, _HIGH, parts)


def _payloads(sight: Sight, clean: Day, faulty: Day) -> str:
    """The same messages as they were and as they came."""
    parts, y = [_headline(sight)], 42.0
    for name, day, colour in (("without", clean, COLOURS[0]), ("with the fault", faulty, COLOURS[1])):
        parts.append(text(10, y, name, more=f' fill="{colour}"'))
        for one in [one for one in day[sight.where] if one.at_h > sum(_FAULT_H) / 2][1:7]:
            y += 17
            parts.append(text(10, y, _shown(one.payload), more=' font-family="monospace" font-size="10"'))
        y += 26
    return picture(_WIDE, int(y), parts)


def _headline(sight: Sight) -> str:
    words = f"{sight.what}: {sight.title} ({sight.where})"
    return text(10, 18, words, more=' font-size="14" font-weight="bold"')


def _shown(payload: bytes) -> str:
    first, last = _SHOWN
    if len(payload) <= first + last:
        return _plain(payload)
    return f"{_plain(payload[:first])[:first]} … {_plain(payload[-last:])[-last:]}  {len(payload):,} bytes"


def _plain(part: bytes) -> str:
    return part.decode("latin-1").encode("unicode_escape").decode()


def _within(line: Line, low: float, high: float) -> Line:
    kept = [(x, y) for x, y in zip(line.x, line.y, strict=True) if low <= x <= high]
    return line._replace(x=[x for x, _ in kept], y=[y for _, y in kept])


def _only(sights: Sequence[Sight], port: Catalogue) -> Catalogue:
    """The port with the road sensors that are shown and no others: days are quicker so."""
    shown = {one.where for one in sights}
    sensors = tuple(sensor for sensor in port.sensors if sensor.kind != "traffic" or sensor.id in shown)
    return msgspec.structs.replace(port, sensors=sensors, corridors=())


def _day(catalogue: Catalogue, injections: Sequence[Injection], hours: tuple[float, float]) -> Day:
    world, kinds, found = World(catalogue, load_kinds(), 1), load_kinds(), defaultdict(list)
    start_s, end_s = (MIDNIGHT_S + HOUR_S * hour for hour in hours)
    for message in messages(world, kinds, start_s=start_s, end_s=end_s, seed=1, injections=injections):
        topic = parse_reading_topic(message.topic)
        if topic and topic.kind != "passage":
            found[topic.thing].append(Heard(hours_of(message.time_s), message.payload))
    return found


def main(folder: str) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, svg in pictures():
        (Path(folder) / f"{name}.svg").write_text(svg, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
