"""`vigie grafana`: the dashboards, built to files."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

import deploy.grafana
from sensors.errors import OperatorError
from service.commands.common import common_options, tell
from service.settings import Settings

FILES = Path(deploy.grafana.__file__).parent
"""Where the built files are, in the project and in an installation."""


class NoBuilderError(OperatorError):
    """What builds dashboards is not installed."""


def add_grafana(grafana: argparse.ArgumentParser) -> None:
    actions = grafana.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = actions.add_parser(
        "build", parents=[common_options()], help="write the dashboards as files, in both languages"
    )
    build.add_argument(
        "--folder", type=Path, default=FILES, metavar="DIR", help="where to (default: deploy/grafana of the project)"
    )
    build.set_defaults(run=run_build)


async def run_build(_: Settings, arguments: argparse.Namespace) -> None:
    if find_spec("grafana_foundation_sdk") is None:
        raise NoBuilderError(
            "grafana-foundation-sdk is not installed: run `make setup` in the project, or pip install 'vigie[grafana]'"
        )
    from deploy.grafana.build import build  # noqa: PLC0415  only who builds needs the SDK

    changed = build(arguments.folder)
    tell("\n".join(map(str, changed)) or "nothing changed")
