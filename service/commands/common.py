"""What commands share: the options of all, lines of results and of progress, the kinds that are known."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from sensors.kind import Kinds, load_kinds
from service.settings import Settings


def common_options() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--home", metavar="DIR", help="folder of the stack (default: your data folder; as root /var/lib/vigie)"
    )
    common.add_argument("--config", type=Path, metavar="FILE", help="a TOML file of settings")
    return common


def add_http(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--http", metavar="HOST:PORT", help="where page and API answer (default 127.0.0.1:8090; port 0: any free one)"
    )


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


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
