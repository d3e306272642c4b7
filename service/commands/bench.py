"""`vigie bench`: speeds, side by side."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from sensors.kind import Kinds
from service.bench.alerts import bench_alerts
from service.bench.api import bench_api
from service.bench.dashboards import bench_dashboards
from service.bench.detect import DetectFigures, bench_detect
from service.bench.ingest import bench_ingest
from service.bench.latency import bench_latency
from service.bench.memory import bench_memory
from service.bench.report import as_json, as_lines, record
from service.bench.situations import SituationFigures, bench_situations
from service.commands.common import common_options, kinds_of, note, table, tell
from service.options import above_zero, count
from service.settings import Settings

_SLOWEST: Final = 10
"""Panels that are named: the rest is quicker."""

Measure = Callable[[Kinds, int], DetectFigures | SituationFigures]
"""Measures so many sensors."""

_IN_PROCESS: Final[Sequence[tuple[str, Measure, str]]] = (
    ("detect", bench_detect, "analytics"),
    ("situations", bench_situations, "situations"),
)


def add_bench(bench: argparse.ArgumentParser) -> None:
    things = bench.add_subparsers(dest="action", required=True, metavar="WHAT")
    ingest = things.add_parser("ingest", parents=[common_options()], help="messages per second, beside other takers")
    ingest.add_argument("--messages", type=count, default=300_000, metavar="N", help="per measurement (300000)")
    ingest.add_argument("--rounds", type=count, default=2, metavar="N", help="every other one mirrored (2)")
    ingest.set_defaults(run=run_bench_ingest)
    latency = things.add_parser("latency", parents=[common_options()], help="milliseconds from publishing to commit")
    latency.add_argument("--sensors", type=count, default=90, metavar="N", help="publishing once a second each (90)")
    latency.add_argument("--seconds", type=above_zero, default=20.0, metavar="S", help="how long they publish (20)")
    latency.set_defaults(run=run_bench_latency)
    for name, measure, what in _IN_PROCESS:
        steps = things.add_parser(
            name, parents=[common_options()], help=f"milliseconds a step of {what} takes, in this process"
        )
        steps.add_argument(
            "--sensors", type=_counts, default=[90, 9000, 90_000], metavar="N,N", help="numbers to try (90,9000,90000)"
        )
        steps.add_argument("--json", action="store_true", help="print a list with one JSON object per number")
        steps.set_defaults(run=partial(run_bench_steps, measure))
    alerts = things.add_parser(
        "alerts",
        parents=[common_options()],
        help="milliseconds from the reading that completes a condition to its alarm",
    )
    alerts.add_argument("--alarms", type=count, default=1000, metavar="N", help="to be raised (1000)")
    alerts.set_defaults(run=run_bench_alerts)
    api = things.add_parser(
        "api",
        parents=[common_options()],
        help="milliseconds of all states at 50 requests/s, and of a month of a sensor",
    )
    api.add_argument("--seconds", type=above_zero, default=20.0, metavar="S", help="how long states are asked for (20)")
    api.set_defaults(run=run_bench_api)
    memory = things.add_parser("memory", parents=[common_options()], help="what each process holds at 90 sensors")
    memory.add_argument("--seconds", type=above_zero, default=60.0, metavar="S", help="how long the port speaks (60)")
    memory.set_defaults(run=run_bench_memory)
    dashboards = things.add_parser(
        "dashboards", parents=[common_options()], help="milliseconds that panels of Grafana wait, over a made-up month"
    )
    dashboards.add_argument("--days", type=above_zero, default=30.0, metavar="N", help="of readings (30)")
    dashboards.add_argument(
        "--step", type=above_zero, default=30.0, metavar="S", help="a reading of all every S s (30)"
    )
    dashboards.set_defaults(run=run_bench_dashboards)
    for parser in (ingest, latency, alerts, api, memory, dashboards):
        parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
        parser.add_argument("--record", type=Path, metavar="FILE", help="append figures and machine, as Markdown")


def _counts(text: str) -> list[int]:
    return [count(part) for part in text.split(",")]


async def run_bench_ingest(settings: Settings, arguments: argparse.Namespace) -> None:
    messages, rounds = arguments.messages, arguments.rounds
    figures = await bench_ingest(settings, kinds_of(settings), messages, rounds, note)
    _report("vigie bench ingest", figures, arguments)


async def run_bench_latency(settings: Settings, arguments: argparse.Namespace) -> None:
    figures = await bench_latency(settings, kinds_of(settings), arguments.sensors, arguments.seconds, note)
    _report("vigie bench latency", figures, arguments)


async def run_bench_alerts(settings: Settings, arguments: argparse.Namespace) -> None:
    figures = await bench_alerts(settings, kinds_of(settings), arguments.alarms, note)
    _report("vigie bench alerts", figures, arguments)


async def run_bench_api(settings: Settings, arguments: argparse.Namespace) -> None:
    figures = await bench_api(settings, kinds_of(settings), arguments.seconds, note)
    _report("vigie bench api", figures, arguments)


async def run_bench_memory(settings: Settings, arguments: argparse.Namespace) -> None:
    figures = await bench_memory(settings, arguments.seconds, note)
    _report("vigie bench memory", figures, arguments)


async def run_bench_dashboards(settings: Settings, arguments: argparse.Namespace) -> None:
    found = await bench_dashboards(settings, kinds_of(settings), arguments.days, arguments.step, note)
    rows = [(f"{wait.ms:.0f} ms", wait.range, wait.dashboard, wait.panel) for wait in found.waits[:_SLOWEST]]
    note("\n".join(["the slowest:", *table(rows)]))
    _report("vigie bench dashboards", found.figures, arguments)


async def run_bench_steps(measure: Measure, settings: Settings, arguments: argparse.Namespace) -> None:
    kinds = kinds_of(settings)
    found = [asdict(await asyncio.to_thread(measure, kinds, sensors)) for sensors in arguments.sensors]
    tell(msgspec.json.encode(found).decode() if arguments.json else "\n\n".join(map(as_lines, found)))


def _report(what: str, figures: Mapping[str, float], arguments: argparse.Namespace) -> None:
    tell(as_json(figures) if arguments.json else as_lines(figures))
    if arguments.record is not None:
        record(arguments.record, what, figures)
