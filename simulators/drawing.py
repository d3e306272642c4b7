"""Small pictures as SVG: panels of lines and points over axes, without any library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

COLOURS: Final = ("#0b5fa5", "#c8553d", "#5a8f29", "#7a4fa3")
GREY: Final = "#a8a8a8"

_LEGEND: Final = 160
"""Room for a name in the legend."""


class Line(NamedTuple):
    """One curve, or the points of one, with what its legend says; a curve is broken where `y` is NaN."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    points: bool = False
    colour: str = ""


class Box(NamedTuple):
    """Where a panel's axes lie in the picture."""

    left: float
    top: float
    wide: float
    high: float


class Axis(NamedTuple):
    """From where to where an axis goes, in how many steps, and what they are called when not by number."""

    low: float
    high: float
    steps: int
    title: str = ""
    names: Sequence[str] = ()

    def ticks(self) -> Iterator[tuple[float, str]]:
        for step in range(self.steps + 1):
            value = self.low + (self.high - self.low) * step / self.steps
            yield value, self.names[step] if self.names else f"{value:.3g}"


def upwards(highest: float, title: str = "") -> Axis:
    """From 0 to the least round number, in fifths, that holds the highest value."""
    power = 10.0 ** math.floor(math.log10(highest / 5))
    fifth = next(power * part for part in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if power * part * 5 >= highest)
    return Axis(0, fifth * 5, 5, title, [f"{fifth * step:g}" for step in range(6)])


def picture(wide: int, high: int, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
    )
    return "\n".join([head, *parts, "</svg>", ""])


def text(x: float, y: float, words: str, *, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(words)}</text>'


def panel(
    box: Box, across: Axis, up: Axis, lines: Sequence[Line], *, shaded: tuple[float, float] | None = None
) -> Iterator[str]:
    """Axes with their titles, and the lines in them, over a shaded span; the legend stands above."""
    base = box.top + box.high

    def at(x: float, y: float) -> tuple[float, float]:
        right, rise = (x - across.low) / (across.high - across.low), (y - up.low) / (up.high - up.low)
        return box.left + right * box.wide, base - rise * box.high

    if shaded:
        left, right = (at(x, up.low)[0] for x in shaded)
        yield f'<path d="M{left:.1f} {box.top:g}H{right:.1f}V{base:g}H{left:.1f}z" fill="#fbeee6"/>'
    for value, name in across.ticks():
        yield text(at(value, up.low)[0], base + 16, name, more=' text-anchor="middle"')
    for value, name in up.ticks():
        y = at(across.low, value)[1]
        yield f'<path d="M{box.left:g} {y:.1f}h{box.wide:g}" stroke="#ddd"/>'
        yield text(box.left - 6, y + 4, name, more=' text-anchor="end"')
    yield text(box.left + box.wide / 2, base + 34, across.title, more=' text-anchor="middle"')
    for number, line in enumerate(lines):
        colour = line.colour or COLOURS[number]
        places = [at(x, y) for x, y in zip(line.x, line.y, strict=True)]
        yield from _points(places, colour) if line.points else _curve(places, colour)
        yield text(box.left + 10 + _LEGEND * number, box.top - 6, line.name, more=f' fill="{colour}"')


def _points(places: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
    """One path for all points, each pixel once: dots are strokes without length, with round ends."""
    dots = "".join(dict.fromkeys(f"M{x:.0f} {y:.0f}h0" for x, y in places if not math.isnan(y)))
    yield f'<path d="{dots}" stroke="{colour}" stroke-width="4" stroke-linecap="round"/>'


def _curve(places: Sequence[tuple[float, float]], colour: str) -> Iterator[str]:
    path, pen = "", "M"
    for x, y in places:
        path, pen = (path, "M") if math.isnan(y) else (f"{path}{pen}{x:.1f} {y:.1f}", "L")
    yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
