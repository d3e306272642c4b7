"""Where a field run sends to, and whose catalogue it plays: a broker anywhere, with or without a database."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

from sensors.broker_url import BrokerAddress, parse_broker_url
from sensors.catalogue import Catalogue, read_catalogue, shipped_catalogue
from sensors.errors import OperatorError
from service.endpoints import find_endpoints
from service.settings import Settings
from store.catalogue import load_catalogue
from store.database import connected

SHIPPED = "shipped"
"""Instead of a file: the catalogue that Vigie comes with."""


class FieldBrokerError(OperatorError):
    """A broker, or our credentials for it, that cannot be used."""


@dataclass(frozen=True, slots=True)
class Place:
    """None is what the stack of the settings has."""

    broker: BrokerAddress | None
    catalogue: Catalogue | None

    async def find(self, settings: Settings) -> tuple[BrokerAddress, Catalogue]:
        """Both, asking the stack for what is not given; raises `NoStackError` or `DatabaseUnavailable`."""
        if self.broker and self.catalogue:
            return self.broker, self.catalogue
        if self.catalogue and settings.broker_url:
            return parse_broker_url(settings.broker_url), self.catalogue
        endpoints = find_endpoints(settings)
        broker = self.broker or parse_broker_url(endpoints.broker_url)
        if self.catalogue:
            return broker, self.catalogue
        async with connected(endpoints.database_url, name="simulate") as conn:
            return broker, await load_catalogue(conn)


def place_of(arguments: argparse.Namespace, settings: Settings) -> Place:
    """Read the command line; raises `FieldBrokerError`, `BrokerUrlError` or `CatalogueError`.

    A broker named with --broker stands alone: then the catalogue is the shipped one unless a --home is named too.
    """
    broker = _broker(arguments, settings)
    if arguments.catalogue is not None:
        known = shipped_catalogue() if arguments.catalogue == SHIPPED else read_catalogue(Path(arguments.catalogue))
        return Place(broker, known)
    alone = arguments.broker is not None and arguments.home is None and settings.database_url is None
    return Place(broker, shipped_catalogue() if alone else None)


def tells_password(arguments: argparse.Namespace) -> bool:
    """Whether the password stands on the command line, where everybody on the machine can read it."""
    return arguments.broker is not None and parse_broker_url(arguments.broker).password is not None


def _broker(arguments: argparse.Namespace, settings: Settings) -> BrokerAddress | None:
    ours = {
        "--ca-file": arguments.ca_file,
        "--cert": arguments.cert,
        "--key": arguments.key,
        "--user": arguments.user,
        "--password-file": arguments.password_file,
    }
    given = [option for option, value in ours.items() if value is not None]
    url = arguments.broker or (settings.broker_url if given else None)
    if url is None:
        if given:
            raise FieldBrokerError(f"{given[0]} is for a broker of yours: name it with --broker, or VIGIE_BROKER_URL")
        return None
    broker = _with_tls(parse_broker_url(url), arguments)
    broker = _with_credentials(broker, arguments, settings)
    broker.tls_context()  # refused now, and not when the first connection is made
    return broker


def _with_tls(broker: BrokerAddress, arguments: argparse.Namespace) -> BrokerAddress:
    files = {"--ca-file": arguments.ca_file, "--cert": arguments.cert, "--key": arguments.key}
    given = [option for option, value in files.items() if value is not None]
    if given and not broker.tls:
        raise FieldBrokerError(f"{given[0]} is for TLS: write the broker as mqtts://{broker.label}")
    if arguments.key is not None and arguments.cert is None:
        raise FieldBrokerError("--key needs --cert: name the certificate that the key belongs to")
    named = {"ca_file": arguments.ca_file, "cert_file": arguments.cert, "key_file": arguments.key}
    return replace(broker, **{name: path for name, path in named.items() if path is not None})


def _with_credentials(broker: BrokerAddress, arguments: argparse.Namespace, settings: Settings) -> BrokerAddress:
    if arguments.user is not None and broker.user is not None:
        raise FieldBrokerError(f"--user {arguments.user} and the user {broker.user} of the URL: leave one of them out")
    user = arguments.user if broker.user is None else broker.user
    if arguments.password_file is not None:
        password: str | None = _password(arguments.password_file)
    else:
        password = broker.password or settings.simulate_password
    if arguments.password_file is not None and user is None:
        raise FieldBrokerError("--password-file needs --user: name whose password it is")
    return replace(broker, user=user, password=password if user is not None else None)


def _password(path: Path) -> str:
    """The first line of a file."""
    try:
        password = path.read_text("utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as exc:
        raise FieldBrokerError(f"{path}: no password can be read from it: {exc}") from exc
    if not password:
        raise FieldBrokerError(f"{path}: its first line is empty: write the password there")
    return password
