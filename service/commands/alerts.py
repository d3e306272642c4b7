"""`vigie alerts`: the feed on a terminal."""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TextIO
from urllib.parse import urlencode

import msgspec

from sensors.errors import OperatorError
from service.access import key_for, read_key
from service.alert_stream import Sent, follow
from service.commands.common import common_options, tell
from service.server import page_url
from service.settings import Settings

_CHOICES = ("type", "site", "terminal")


class KeyUnreadableError(OperatorError):
    """A file that holds no access key."""


def add_alerts(alerts: argparse.ArgumentParser) -> None:
    actions = alerts.add_subparsers(dest="action", required=True, metavar="ACTION")
    tail = actions.add_parser("tail", parents=[common_options()], help="print alerts as they come, until Ctrl-C")
    tail.add_argument("--url", metavar="URL", help="the service (default: that of the setting http)")
    tail.add_argument("--key-file", type=Path, metavar="FILE", help="holds the access key (default: this machine's)")
    tail.add_argument("--after", type=int, metavar="ID", help="begin after this event (default: now)")
    for name in _CHOICES:
        tail.add_argument(
            f"--{name}", action="append", default=[], metavar=name.upper(), help="only these; again for more"
        )
    tail.add_argument("--json", action="store_true", help="print each CloudEvent as one line of JSON")
    tail.set_defaults(run=run_tail)


async def run_tail(settings: Settings, arguments: argparse.Namespace) -> None:
    base = (arguments.url or page_url(settings)).rstrip("/")
    chosen = [(name, value) for name in _CHOICES for value in getattr(arguments, name)]
    url = f"{base}/v1/alerts/stream?{urlencode(chosen)}"
    after = None if arguments.after is None else str(arguments.after)
    key = _key(arguments.key_file) if arguments.key_file else key_for(base, settings)
    async with aclosing(follow(url, key, after)) as events:
        async for sent in events:
            if sent.event == "alert":
                await _taken(sys.stdout)
                try:
                    tell(sent.data.decode() if arguments.json else _line(sent))
                except BrokenPipeError:  # who reads us, as head does, has had enough
                    return


async def _taken(out: TextIO) -> None:
    """Wait until somebody takes more of what we print: while Python waits for that itself, it hears no signal."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_writer(out.fileno(), ready.set)
    except (OSError, ValueError):  # a file takes everything, and a test may have no descriptor
        return
    try:
        await ready.wait()
    finally:
        loop.remove_writer(out.fileno())


def _key(path: Path) -> str:
    key = read_key(path)
    if key is None:
        raise KeyUnreadableError(f"--key-file {path} holds no access key: vigie keys create ... > {path} writes one")
    return key


def _line(sent: Sent) -> str:
    alert = msgspec.json.decode(sent.data)
    data = alert["data"]
    said = [str(data[name]) for name in ("level", "priority", "state", "fault") if data.get(name) is not None]
    return " ".join([alert["time"], alert["id"], alert["type"], alert.get("subject") or "-", *said])
