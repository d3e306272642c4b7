"""The `vigie` command: parses, hands over, and turns what went wrong into one line."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NoReturn

import msgspec

from service.arguments import parse
from service.commands.common import note
from service.errors import operator_message
from service.logs import configure_logs
from service.settings import Settings, load_settings

_ENDLESS = frozenset({"alerts", "up", "ingest", "analyse", "serve", "simulate"})
"""Commands for which Ctrl-C is the ordinary end."""
_WAITING = frozenset({"simulate"})
"""Commands that wait for something at their end: a second Ctrl-C ends that, too."""
_INTERRUPTED = 130
"""Exit status of a command that was interrupted, as shells have it: 128 + SIGINT."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = parse(argv)
    try:
        settings = _overridden(load_settings(os.environ, arguments.config), arguments)
        configure_logs(settings)
        return asyncio.run(_until_signal(arguments.run(settings, arguments), arguments.command))
    except Exception as exc:
        message = operator_message(exc)
        if message is None:
            raise
        note(f"vigie: {message}")
        return 1


def run() -> NoReturn:
    """The command as a process: when it has ended, so has the process.

    The interpreter would take everything apart piece by piece, what the kernel frees at once: a fifth of a second of
    CPU, seconds on a machine that is busy, and Ctrl-C is promised to end everything within five.
    """
    status = main()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError):
            stream.flush()
    os._exit(status)


async def _until_signal(command: Awaitable[None], name: str) -> int:
    """Run a command; SIGINT and SIGTERM cancel it, and it ends in order."""
    task = asyncio.current_task()
    assert task is not None
    with _cancelled_by_signals(task, again=name in _WAITING) as signalled:
        try:
            await command
        except asyncio.CancelledError:
            if not signalled:
                raise
            return 0 if name in _ENDLESS else _INTERRUPTED
    return 0


@contextmanager
def _cancelled_by_signals(task: asyncio.Task[object], *, again: bool) -> Iterator[list[signal.Signals]]:
    """Cancel a task at the first signal; a second one changes nothing, because ends are quick, unless `again`."""
    loop = asyncio.get_running_loop()
    signalled: list[signal.Signals] = []

    def cancel(number: signal.Signals) -> None:
        if again or not signalled:
            task.cancel()
        signalled.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, cancel, number)
    try:
        yield signalled
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _overridden(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """Let the command line win over the environment, and that over the file."""
    given = {name: value for name, value in vars(arguments).items() if name in Settings.__struct_fields__}
    return msgspec.structs.replace(settings, **{name: value for name, value in given.items() if value is not None})
