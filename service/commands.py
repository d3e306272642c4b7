"""One function a command: it resolves where things are and hands over."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry

from analytics.alarms.rulebook import load_rules
from sensors.asyncapi import asyncapi
from sensors.catalogue import Sensor
from sensors.errors import OperatorError
from sensors.kind import Kinds, load_kinds
from service.accounting import account, account_json, account_rows
from service.alarm_desk import rules_of, run_alarms
from service.analyst import run_analysis
from service.bench.detect import bench_detect
from service.bench.ingest import bench_ingest
from service.bench.latency import bench_latency
from service.bench.report import as_json, as_lines, record
from service.chaos.director import Options as ChaosOptions
from service.chaos.director import require_nothing_lost, run_chaos
from service.endpoints import cache_folder, find_endpoints
from service.evaluate.evaluation import Disturbance, as_text, evaluate
from service.field_broker import tells_password
from service.fieldwork import Fieldwork
from service.ingestor import Ingest
from service.outgoing import api_settings, outgoing
from service.parts import Part, keep_all_running
from service.quarantining import keep_bounded, list_entries, run_reingest, show_entry
from service.sending import Sent
from service.server import run_server
from service.settings import Settings
from service.simulation import run_simulation
from service.staging import stage_of
from service.up import Options, up
from service.upkeep import run_upkeep
from store.catalogue import load_catalogue, register_sensor, seed, set_limits
from store.database import connected
from store.migrate import migrate

Command = Callable[[Settings, argparse.Namespace], Awaitable[None]]


class LimitsError(OperatorError):
    """Limits that are not complete."""


def kinds_of(settings: Settings) -> Kinds:
    """The shipped kinds and those of the installation."""
    return load_kinds(Path(settings.kinds_dir).expanduser() if settings.kinds_dir else None)


def tell(line: str) -> None:
    """Print a line of the result; the log goes to standard error."""
    print(line, flush=True)  # noqa: T201


def note(line: str) -> None:
    """Print a line about how far things are."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def tell_counts(counts: Mapping[str, object], *, as_json: bool) -> None:
    """Print one count a line, or one JSON object."""
    tell(msgspec.json.encode(counts).decode() if as_json else "\n".join(f"{k} {v}" for k, v in counts.items()))


async def run_up(settings: Settings, arguments: argparse.Namespace) -> None:
    options = Options(
        simulators=not arguments.no_simulators,
        for_s=arguments.for_s,
        config=arguments.config,
        say=tell,
        stage=stage_of(arguments),
    )
    await up(settings, kinds_of(settings), options)


async def run_ingest(settings: Settings, _: argparse.Namespace) -> None:
    ingest = Ingest(settings, find_endpoints(settings), kinds_of(settings))
    await keep_all_running(ingest.parts())


async def run_analyse(settings: Settings, _: argparse.Namespace) -> None:
    url, kinds, rules = find_endpoints(settings).database_url, kinds_of(settings), rules_of(settings)
    await keep_all_running(
        [
            Part("analyse", lambda: run_analysis(url, kinds)),
            Part("alarms", lambda: run_alarms(url, rules)),
            Part("upkeep", lambda: run_upkeep(url, kinds, settings)),
            Part("quarantine", lambda: keep_bounded(url, settings.quarantine_mb)),
        ]
    )


async def run_serve(settings: Settings, _: argparse.Namespace) -> None:
    endpoints, kinds, registry = find_endpoints(settings), kinds_of(settings), CollectorRegistry()
    url = endpoints.database_url
    api = api_settings(settings)
    serve = partial(run_server, url, kinds, settings.http, api=api, registry=registry, ready=_answering)
    await keep_all_running([Part("serve", serve), *outgoing(endpoints, settings, api)])


def _answering(page: str) -> None:
    tell(f"answering at {page}")


async def run_simulate(settings: Settings, arguments: argparse.Namespace) -> None:
    def ended(sent: Sent) -> None:
        if arguments.json or not arguments.quiet:
            tell_counts(asdict(sent), as_json=arguments.json)

    if tells_password(arguments):
        note("the password in --broker can be read by everybody on this machine: --password-file hides it")
    fieldwork, stage = Fieldwork.of(arguments, settings), stage_of(arguments)
    await run_simulation(settings, fieldwork, kinds_of(settings), stage, note=note, ended=ended)


async def run_evaluate(settings: Settings, arguments: argparse.Namespace) -> None:
    kinds, disturbance = kinds_of(settings), Disturbance(arguments.faults, arguments.loss, arguments.seed)
    found = [await asyncio.to_thread(evaluate, path, kinds, disturbance) for path in arguments.recordings]
    tell(msgspec.json.encode(found).decode() if arguments.json else "\n".join(as_text(found)))


async def run_bench_ingest(settings: Settings, arguments: argparse.Namespace) -> None:
    messages, rounds = arguments.messages, arguments.rounds
    figures = await bench_ingest(settings, kinds_of(settings), messages, rounds, note)
    _report("vigie bench ingest", figures, arguments)


async def run_bench_latency(settings: Settings, arguments: argparse.Namespace) -> None:
    figures = await bench_latency(settings, kinds_of(settings), arguments.sensors, arguments.seconds, note)
    _report("vigie bench latency", figures, arguments)


async def run_bench_detect(settings: Settings, arguments: argparse.Namespace) -> None:
    kinds = kinds_of(settings)
    found = [asdict(await asyncio.to_thread(bench_detect, kinds, sensors)) for sensors in arguments.sensors]
    tell(msgspec.json.encode(found).decode() if arguments.json else "\n\n".join(map(as_lines, found)))


def _report(what: str, figures: Mapping[str, float], arguments: argparse.Namespace) -> None:
    tell(as_json(figures) if arguments.json else as_lines(figures))
    if arguments.record is not None:
        record(arguments.record, what, figures)


async def run_chaos_command(settings: Settings, arguments: argparse.Namespace) -> None:
    options = ChaosOptions(
        messages=arguments.messages,
        kills=arguments.kills,
        seed=arguments.seed,
        receipts=arguments.publisher == "receipts",
        cache=cache_folder(settings),
        say=note,
    )
    verdict = await run_chaos(kinds_of(settings), options)
    tell_counts(asdict(verdict), as_json=arguments.json)
    require_nothing_lost(verdict, options)


async def run_account(settings: Settings, arguments: argparse.Namespace) -> None:
    day = arguments.day or datetime.now(UTC).date()
    found = await account(find_endpoints(settings).database_url, kinds_of(settings), day)
    as_text = "\n".join(_table(list(account_rows(found))))
    tell(msgspec.json.encode(account_json(day, found)).decode() if arguments.json else as_text)


async def run_migrate(settings: Settings, _: argparse.Namespace) -> None:
    url = find_endpoints(settings).database_url
    applied = await migrate(url, kinds_of(settings))
    seeded = await seed(url)
    tell("\n".join([*applied, *(["the shipped catalogue"] if seeded else [])]) or "nothing to do")


async def run_url(settings: Settings, _: argparse.Namespace) -> None:
    tell(find_endpoints(settings).database_url)


async def run_broker_url(settings: Settings, _: argparse.Namespace) -> None:
    tell(find_endpoints(settings).broker_url)


async def run_asyncapi(settings: Settings, _: argparse.Namespace) -> None:
    tell(msgspec.json.format(msgspec.json.encode(asyncapi(kinds_of(settings)))).decode())


async def run_quarantine_list(settings: Settings, arguments: argparse.Namespace) -> None:
    await list_entries(find_endpoints(settings).database_url, arguments, tell)


async def run_quarantine_show(settings: Settings, arguments: argparse.Namespace) -> None:
    await show_entry(find_endpoints(settings).database_url, arguments.id, as_json=arguments.json, say=tell)


async def run_quarantine_reingest(settings: Settings, arguments: argparse.Namespace) -> None:
    await run_reingest(find_endpoints(settings).database_url, kinds_of(settings), arguments, tell)


async def run_rules_check(settings: Settings, arguments: argparse.Namespace) -> None:
    path = arguments.file or settings.rules_file
    rules = load_rules(arguments.file) if arguments.file else rules_of(settings)
    tell(f"{path or 'the shipped rules'}: {len(rules.alarm)} alarms, each with its response in French and English")


async def run_sensors_list(settings: Settings, _: argparse.Namespace) -> None:
    async with connected(find_endpoints(settings).database_url, name="sensors") as conn:
        catalogue = await load_catalogue(conn)
    rows = [(s.id, s.kind, s.site, s.name) for s in catalogue.sensors]
    tell("\n".join(_table([("id", "kind", "site", "name"), *rows])))


async def run_sensors_add(settings: Settings, arguments: argparse.Namespace) -> None:
    sensor = Sensor(id=arguments.id, site=arguments.site, kind=arguments.kind, name=arguments.name)
    kinds = kinds_of(settings)
    async with connected(find_endpoints(settings).database_url, name="sensors") as conn:
        await register_sensor(conn, sensor, kinds)
    tell(f"{sensor.id} is installed: it publishes to vigie/1/readings/{sensor.site}/{sensor.id}/{sensor.kind}")


async def run_sensors_limits(settings: Settings, arguments: argparse.Namespace) -> None:
    limits = None if arguments.of_kind else (arguments.dense, arguments.congested, arguments.jammed)
    if limits is not None and None in limits:
        raise LimitsError("give --dense, --congested and --jammed, or --of-kind for the limits of the kind")
    async with connected(find_endpoints(settings).database_url, name="sensors") as conn:
        changed = await set_limits(conn, arguments.of, arguments.kind, limits, kinds_of(settings))
    told = "those of their kind" if limits is None else ", ".join(f"{limit:g}" for limit in limits)
    tell(f"limits of {', '.join(changed)}: {told}")


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
