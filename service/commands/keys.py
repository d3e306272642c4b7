"""`vigie keys`: who may ask the API, and how a browser signs in."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta

from api.access.scopes import Scope
from sensors.errors import OperatorError
from service.access import PER_MINUTE, give, new_link
from service.clocks import now
from service.commands.common import common_options, note, table, tell
from service.endpoints import find_database
from service.options import above_zero, count
from service.server import page_url
from service.settings import Settings
from store.access import Grant, list_grants, revoke_grants
from store.database import connected


class NoKeyError(OperatorError):
    """Nothing of that number or name is valid."""


def add_keys(keys: argparse.ArgumentParser) -> None:
    actions = keys.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", parents=[common_options()], help="make a key and print it, this once")
    _add_who(create)
    create.add_argument("--terminal", metavar="CODE", help="its rows alone, such as SEYA (default: the whole port)")
    create.add_argument("--days", type=above_zero, metavar="N", help="valid so long (default: until it is revoked)")
    create.add_argument(
        "--per-minute", type=count, default=PER_MINUTE, metavar="N", help=f"requests a minute ({PER_MINUTE})"
    )
    create.set_defaults(run=run_create)
    link = actions.add_parser("link", parents=[common_options()], help="print a link that signs one browser in, once")
    _add_who(link)
    link.add_argument("--url", metavar="URL", help="where the page is (default: that of the setting http)")
    link.set_defaults(run=run_link)
    listed = actions.add_parser("list", parents=[common_options()], help="show keys and sessions, and their last use")
    listed.set_defaults(run=run_list)
    revoke = actions.add_parser("revoke", parents=[common_options()], help="end a key or a session")
    revoke.add_argument("what", metavar="NUMBER|NAME", help="one by its number, or all of a name")
    revoke.set_defaults(run=run_revoke)


def _add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", required=True, type=_name, help="the person or the system; stands in the audit trail")
    parser.add_argument(
        "--scope",
        required=True,
        type=_scopes,
        metavar="S[,S]",
        help=f"{', '.join(Scope)}; each includes read, admin all",
    )


async def run_create(settings: Settings, arguments: argparse.Namespace) -> None:
    lasts = None if arguments.days is None else timedelta(days=arguments.days)
    async with connected(find_database(settings), name="keys") as conn:
        key, grant = await give(
            conn,
            "key",
            arguments.name,
            scopes=arguments.scope,
            terminal=arguments.terminal,
            per_minute=arguments.per_minute,
            lasts=lasts,
        )
    note(f"key {grant.id} of {grant.name}, scope {','.join(grant.scopes)}; it is not shown again:")
    tell(key)


async def run_link(settings: Settings, arguments: argparse.Namespace) -> None:
    page = arguments.url or page_url(settings)
    tell(await new_link(find_database(settings), page, arguments.name, arguments.scope))


async def run_list(settings: Settings, _: argparse.Namespace) -> None:
    async with connected(find_database(settings), name="keys") as conn:
        grants = await list_grants(conn)
    head = ("number", "what", "name", "scope", "terminal", "per minute", "created", "last use", "state")
    tell("\n".join(table([head, *map(_row, grants)])))


async def run_revoke(settings: Settings, arguments: argparse.Namespace) -> None:
    async with connected(find_database(settings), name="keys") as conn:
        ended = await revoke_grants(conn, arguments.what)
    if not ended:
        raise NoKeyError(
            f"nothing valid has the number or name {arguments.what!r}; `vigie keys list` shows what there is"
        )
    tell("\n".join(f"revoked {grant.use} {grant.id} of {grant.name}" for grant in ended))


def _row(grant: Grant) -> tuple[str, ...]:
    return (
        str(grant.id),
        grant.use,
        grant.name,
        ",".join(grant.scopes),
        grant.terminal or "-",
        str(grant.per_minute),
        f"{grant.created_at:%Y-%m-%d %H:%M}",
        f"{grant.used_at:%Y-%m-%d %H:%M}" if grant.used_at else "never",
        _state(grant, now()),
    )


def _state(grant: Grant, now: datetime) -> str:
    if grant.revoked_at is not None:
        return f"revoked {grant.revoked_at:%Y-%m-%d %H:%M}"
    if grant.expires_at is None:
        return "valid"
    return f"{'valid until' if grant.expires_at > now else 'expired'} {grant.expires_at:%Y-%m-%d %H:%M}"


def _name(text: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= 100 or not name.isprintable() or name.isdigit():  # noqa: PLR2004  a name, not a text
        raise argparse.ArgumentTypeError(f"{text!r} is not a name: 1 to 100 characters, not only digits")
    return name


def _scopes(text: str) -> list[str]:
    scopes = [part.strip() for part in text.split(",")]
    if unknown := [scope for scope in scopes if scope not in set(Scope)]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not a scope: {', '.join(Scope)}")
    return list(dict.fromkeys(scopes))
