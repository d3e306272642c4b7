"""What was true in the end, whether and when it was told, and what was told that was not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sensors.catalogue import Catalogue
from service.demo.changes import delay
from service.score.alarms import Alarms, Detected, Fate
from service.score.feed import Alert, said
from service.score.ground import ground_of
from service.score.watch import watch_of
from simulators.profile import PORT_TIME
from simulators.truth import Truth

_NAMED: Final = 3
_SITUATION: Final = "vigie.situation.began.v1"
_HEADS: Final = ("congested", "from", "to", "because of", "told after")


def table(truth: Truth, alerts: Sequence[Alert], catalogue: Catalogue) -> Iterator[str]:
    """A line for each true event, and one for what was said in all; by the rules of `vigie score`."""
    ground = ground_of(truth)
    told = said(alerts, ground.span)
    alarms = Alarms(ground, watch_of(catalogue), told.episodes)
    found = alarms.detections(told.verdicts)
    yield from _aligned([_HEADS, *(_row(one, ground.span.end_s) for one in found)])
    yield ""
    fates = Counter(fate for _, fate in alarms.fates())
    situations = sum(alert["type"] == _SITUATION for alert in alerts)
    yield f"{sum(one.after_s is not None for one in found)} of {len(found)} told, by {fates.total()} alarms" + (
        f" in {situations} situations" if situations else ""
    )
    yield (
        f"alarms where nothing was congested: {fates[Fate.FALSE]}; where it was only slow: {fates[Fate.NUISANCE]}; "
        f"true congestion hidden by a verdict over a sensor: {sum(one.muted for one in found)}"
    )


def _row(one: Detected, end_s: float) -> tuple[str, ...]:
    event = one.event
    places = sorted(event.stretches, key=lambda place: event.stretches[place][0].start_s)
    where = ", ".join(places[:_NAMED]) + (f" and {len(places) - _NAMED} more" if len(places) > _NAMED else "")
    end = "later" if event.span.end_s >= end_s else _clock(event.span.end_s)
    told = "not told" if one.after_s is None else f"{delay(one.after_s)} min"
    return where, _clock(event.span.start_s), end, (event.cause or "an ordinary day").replace("_", " "), told


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _clock(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, PORT_TIME):%H:%M}"
