"""`vigie bench ingest`: everything side by side in one run, alternated, and the ratios that count.

The order of a round is mirrored in the next, so that a machine that slows down or is disturbed for a while weighs on
all of them alike. Rates are all messages over all seconds of the rounds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from sensors.kind import Kinds
from service.bench import rates
from service.bench.rates import Measured
from service.bench.scene import Say, Scene, scene
from service.settings import Settings

NAIVE_SHARE = 10
"""The straightforward service gets a tenth of the messages: it would take minutes for all."""

_PAHO = {"VIGIE_INGEST_TRANSPORT": "paho"}

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    measure: Callable[[], Awaitable[Measured]]


async def bench_ingest(settings: Settings, kinds: Kinds, messages: int, rounds: int, say: Say) -> Figures:
    """Measure on a scratch stack; rates in messages per second, CPU in microseconds per message."""
    async with scene(settings, kinds, say) as stage:
        rows = _rows(stage, messages)
        sums = {row.name: Measured() for row in rows}
        for number in range(rounds):
            for row in rows if number % 2 == 0 else reversed(rows):
                found = await row.measure()
                sums[row.name] += found
                say(f"round {number + 1} of {rounds}: {row.name} {found.rate:,.0f} messages/s")
    return {"messages": messages, "rounds": rounds, **_figures(sums)}


def _rows(stage: Scene, messages: int) -> list[_Row]:
    few = max(1, messages // NAIVE_SHARE)
    return [
        _Row("copy_only", partial(rates.copy_only, stage, messages)),
        _Row("naive", partial(rates.naive, stage, few)),
        _Row("broker_only", partial(rates.broker_only, stage, messages)),
        _Row("vigie", partial(rates.vigie, stage, messages, {})),
        _Row("vigie_paho", partial(rates.vigie, stage, messages, _PAHO)),
        _Row("broker_drain", partial(rates.broker_drain, stage, messages)),
        _Row("drain", partial(rates.drain, stage, messages, {})),
    ]


def _figures(sums: dict[str, Measured]) -> Figures:
    figures = {name: round(found.rate) for name, found in sums.items()}
    cpu = {name: sums[name].cpu_us for name in ("vigie", "vigie_paho", "naive", "drain")}
    return {
        **figures,
        **{f"{name}_cpu_us": round(us, 1) for name, us in cpu.items()},
        "vigie_per_broker_only": _ratio(sums["vigie"].rate, sums["broker_only"].rate),
        "vigie_paho_per_broker_only": _ratio(sums["vigie_paho"].rate, sums["broker_only"].rate),
        "vigie_per_naive": _ratio(sums["vigie"].rate, sums["naive"].rate),
        "naive_cpu_per_vigie_cpu": _ratio(cpu["naive"], cpu["vigie"]),
        "drain_per_broker_drain": _ratio(sums["drain"].rate, sums["broker_drain"].rate),
    }


def _ratio(one: float, other: float) -> float:
    return round(one / other, 2)
