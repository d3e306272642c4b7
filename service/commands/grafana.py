"""`vigie grafana`: the dashboards, built to files, and pushed to a Grafana."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from deploy.grafana.shipped import FOLDER
from deploy.grafana.words import LANGUAGES
from sensors.errors import OperatorError
from service.commands.common import common_options, tell
from service.dashboards import push_dashboards, require_token
from service.endpoints import find_reader
from service.server import page_url
from service.settings import Settings


class NoBuilderError(OperatorError):
    """What builds dashboards is not installed."""


def add_grafana(grafana: argparse.ArgumentParser) -> None:
    actions = grafana.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser(
        "build", parents=[common_options()], help="write the dashboards as files, in both languages"
    )
    build.add_argument(
        "--folder", type=Path, default=FOLDER, metavar="DIR", help="where to (default: deploy/grafana of the project)"
    )
    build.set_defaults(run=run_build)
    push = actions.add_parser("push", parents=[common_options()], help="bring a Grafana to what is shipped")
    push.add_argument("--url", required=True, metavar="URL", help="of Grafana, such as http://grafana.example:3000")
    push.add_argument("--token", metavar="TOKEN", help="of a service account (default: the setting grafana_token)")
    push.add_argument(
        "--language", choices=LANGUAGES, dest="grafana_language", help="of the dashboards (default: fr, or the setting)"
    )
    push.add_argument("--page", metavar="URL", help="where the operator's page is (default: that of the setting http)")
    push.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    push.set_defaults(run=run_push)


async def run_push(settings: Settings, arguments: argparse.Namespace) -> None:
    await push_dashboards(
        settings,
        arguments.url,
        require_token(settings, arguments.token),
        find_reader(settings),
        page=arguments.page or page_url(settings),
        say=tell,
        dry_run=arguments.dry_run,
    )


async def run_build(_: Settings, arguments: argparse.Namespace) -> None:
    if find_spec("grafana_foundation_sdk") is None:
        raise NoBuilderError(
            "grafana-foundation-sdk is not installed: run `make setup` in the project, or pip install 'vigie[grafana]'"
        )
    from deploy.grafana.build import build  # noqa: PLC0415  only who builds needs the SDK

    changed = build(arguments.folder)
    tell("\n".join(map(str, changed)) or "nothing changed")
