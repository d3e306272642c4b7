"""`vigie up`: everything on this machine, started in order, kept running, named when it stops, ended in order."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from api.security import require_loopback
from api.server import bind
from deploy.embedded.stack import EmbeddedStack
from sensors.errors import OperatorError
from sensors.kind import Kinds
from service.access import OPERATOR, new_link
from service.alarm_desk import rules_of, run_alarms
from service.analyst import run_analysis
from service.backtest.beside import backtests_of
from service.children import command_part, server_part
from service.clocks import now
from service.dashboards import push_dashboards, require_token
from service.endpoints import Endpoints, cache_folder, find_reader, home_folder
from service.ingestor import Ingest
from service.metrics import IngestMetrics, quarantine_drops
from service.outgoing import api_settings, outgoing
from service.parts import Part, keep_running, stop_in_order
from service.quarantining import keep_bounded
from service.server import page_url, parse_address, run_server
from service.settings import Settings
from service.simulation import resolve_now
from service.staging import Stage, arguments_of, check_words, scenarios_of
from service.upkeep import run_upkeep
from store.catalogue import load_catalogue, seed
from store.database import connected
from store.migrate import migrate

STOP_S = 4.0
"""How long the parts may take to finish what is under way; what is not finished is read again, nothing is lost."""

_log = structlog.get_logger("up")


@dataclass(frozen=True, slots=True)
class Options:
    """What only `up` knows: are sensors simulated, what do they play, when does it end, what do its children read."""

    simulators: bool
    for_s: float | None
    config: Path | None
    say: Callable[[str], None]
    stage: Stage
    link: str = ""
    """What follows the page's address for the browser that is to be signed in."""
    grafana: str | None = None
    """The Grafana that gets the dashboards at start."""


async def up(settings: Settings, kinds: Kinds, options: Options) -> None:
    """Run until cancelled or until `for_s` is over; raises the error of a part that cannot be kept running."""
    _require_free_address(settings)
    rules_of(settings)
    check_words(options.stage, scenarios_of(settings))
    if options.grafana:
        require_token(settings)
    home = home_folder(settings)
    database, broker = settings.database_url is None, settings.broker_url is None
    stack = EmbeddedStack(home, say=options.say, cache=cache_folder(settings), database=database, broker=broker)
    async with stack:
        endpoints = Endpoints(
            settings.database_url or stack.urls.database_url, settings.broker_url or stack.urls.broker_url
        )
        await migrate(endpoints.database_url, kinds)
        await seed(endpoints.database_url)
        if options.grafana:
            await _push(settings, options.grafana, stack, options.say)
        if options.simulators:
            await _require_playable(settings, options.stage, endpoints)
        link = await new_link(endpoints.database_url, "", OPERATOR, ["operate", "integrate"])
        options = replace(options, link=link)
        await _run(list(_parts(settings, kinds, options, endpoints, stack)), options.for_s)
        options.say("everything has ended; the data stay in " + str(home))


async def _require_playable(settings: Settings, stage: Stage, endpoints: Endpoints) -> None:
    """Refuse here what a part would otherwise stop with again and again."""
    async with connected(endpoints.database_url, name="up") as conn:
        resolve_now(settings, stage, await load_catalogue(conn))


async def _push(settings: Settings, grafana: str, stack: EmbeddedStack, say: Callable[[str], None]) -> None:
    """Bring the dashboards to a Grafana; one that is away keeps nothing here from starting."""
    try:
        reader_url = settings.grafana_database_url or stack.urls.reader_url or find_reader(settings)
        page = page_url(settings)
        await push_dashboards(settings, grafana, require_token(settings), reader_url, page=page, say=say)
    except OperatorError as exc:
        say(f"Grafana has not got the dashboards: {exc}")


def _require_free_address(settings: Settings) -> None:
    """Refuse what cannot be served before anything is started."""
    host, port = parse_address(settings.http)
    require_loopback(host)
    bind(host, port).close()


def _parts(
    settings: Settings, kinds: Kinds, options: Options, endpoints: Endpoints, stack: EmbeddedStack
) -> Iterator[Part]:
    """Everything that runs, in the order in which it must end: first who sends, last who stores."""
    url, rules, registry, home = endpoints.database_url, rules_of(settings), CollectorRegistry(), home_folder(settings)
    if options.simulators:
        yield command_part("simulators", _simulate_command(home, options, settings.simulate_seed))
    ingest = Ingest(settings, endpoints, kinds, IngestMetrics(registry), partial(_save_sessions, stack))
    yield from ingest.parts()
    yield Part("analyse", lambda: run_analysis(url, kinds))
    yield Part("alarms", lambda: run_alarms(url, rules))
    yield Part("upkeep", lambda: run_upkeep(url, kinds, settings))
    drops = quarantine_drops(registry)
    yield Part("quarantine", lambda: keep_bounded(url, settings.quarantine_mb, drops))
    api = api_settings(settings)
    announce, beside = partial(_announce, options, home), backtests_of(settings, endpoints, now)
    serve = partial(run_server, url, kinds, settings.http, api=api, registry=registry, ready=announce)
    yield Part("serve", partial(serve, backtests=beside, home=home))
    yield from outgoing(endpoints, settings, api)
    yield from map(server_part, stack.children)


async def _run(parts: list[Part], for_s: float | None) -> None:
    tasks = [asyncio.create_task(keep_running(part), name=part.name) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await stop_in_order(tasks, STOP_S)


def _simulate_command(home: Path, options: Options, seed: int) -> list[str | Path]:
    # -P: a folder called `service` where the user stands must not be taken for ours.
    command: list[str | Path] = [sys.executable, "-P", "-m", "service", "simulate", "--home", home]
    # The end of `up` is quick: what is not receipted by then is what the simulators of the next start begin without.
    command += ["--quiet", "--patience", "0", f"--seed={seed}", *arguments_of(options.stage)]
    return command if options.config is None else [*command, "--config", options.config]


def _save_sessions(stack: EmbeddedStack) -> None:
    """Have our broker save at once: killed before its next save it would forget that a session exists."""
    for child in stack.children:
        if child.name == "broker":
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGUSR1)


def _announce(options: Options, home: Path, page: str) -> None:
    """Print where to look, with commands that can be copied as they are."""
    vigie = "vigie" if shutil.which("vigie") == os.path.realpath(sys.argv[0]) else sys.argv[0]
    where = "" if home == home_folder(Settings()) else f" --home {home}"
    simulated = "90 simulated sensors" if options.simulators else "no simulators: waiting for sensors or a replay"
    options.say(f"Vigie is live: {page}  ({simulated})")
    options.say(f"  sign in {page.rstrip('/')}{options.link}  (opens once, within an hour)")
    options.say(f'  data   psql "$({vigie} db url{where})"')
    options.say(f"  replay {vigie} replay RECORDING.npz{where}")
    options.say(f"  API    {page}openapi.json  with a key: {vigie} keys create --name NAME --scope read{where}")
    options.say("  stop   Ctrl-C" if options.for_s is None else f"  ends   by itself after {options.for_s:g} s")
