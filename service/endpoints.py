"""Where the broker and the database are: servers named in the settings, else the stack that runs in the home folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.stack import default_home, running_stack
from sensors.errors import OperatorError
from service.settings import Settings


class NoStackError(OperatorError):
    """Neither named nor running."""


@dataclass(frozen=True, slots=True, repr=False)
class Endpoints:
    """URLs with their passwords, kept out of any repr."""

    database_url: str
    broker_url: str


def home_folder(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the stack: the one given, else the user's data folder, as root one below /var/lib."""
    return Path(settings.home).expanduser() if settings.home else default_home(environ, is_root=os.geteuid() == 0)


def cache_folder(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where downloaded programs are kept: one folder for all homes, so that another home downloads nothing."""
    if settings.cache_dir:
        return Path(settings.cache_dir).expanduser()
    return default_home(environ, is_root=os.geteuid() == 0) / "cache"


def find_database(settings: Settings) -> str:
    """The URL of the database alone, for what needs no broker; raises `NoStackError`."""
    return settings.database_url or find_endpoints(settings).database_url


def find_reader(settings: Settings) -> str:
    """How Grafana reaches the database; raises `NoStackError` where it is neither named nor that of a running stack."""
    if settings.grafana_database_url:
        return settings.grafana_database_url
    stack = None if settings.database_url else running_stack(home_folder(settings))
    if stack is None or not stack.reader_url:
        raise NoStackError(
            "how Grafana reaches the database is not known: set VIGIE_GRAFANA_DATABASE_URL to "
            "postgresql://vigie_grafana:PASSWORD@HOST:5432/vigie (docs/grafana.md makes that role)"
        )
    return stack.reader_url


def find_endpoints(settings: Settings) -> Endpoints:
    """Resolve both URLs; raises `NoStackError` where one is neither named nor running."""
    if settings.database_url and settings.broker_url:
        return Endpoints(settings.database_url, settings.broker_url)
    home = home_folder(settings)
    stack = running_stack(home)
    if stack is None:
        missing = "VIGIE_BROKER_URL" if settings.database_url else "VIGIE_DATABASE_URL"
        raise NoStackError(
            f"no stack is running in {home}: start one with 'vigie up --home {home}', "
            f"name another with --home, or set {missing}"
        )
    return Endpoints(settings.database_url or stack.database_url, settings.broker_url or stack.broker_url)
