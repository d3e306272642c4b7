"""Figures for a reader: lines on the terminal, one JSON object, an entry of a results file that names the machine."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

_CLIENTS = ("mqtt5", "psycopg", "msgspec", "numpy", "aiomqtt")


def as_json(figures: Mapping[str, float]) -> str:
    return msgspec.json.encode(figures).decode()


def as_lines(figures: Mapping[str, float]) -> str:
    width = max(map(len, figures))
    return "\n".join(f"{name.ljust(width)}  {value:>12,}" for name, value in figures.items())


def record(file: Path, what: str, figures: Mapping[str, float]) -> None:
    """Append the figures to a results file in Markdown."""
    rows = "\n".join(f"| {name} | {value:,} |" for name, value in figures.items())
    text = f"\n## {what}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC\n\n{machine()}\n\n| | |\n|---|---:|\n{rows}\n"
    with file.open("a", encoding="utf-8") as results:
        results.write(text)


def machine() -> str:
    """One line on what was measured: processor, cores, memory, versions."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in _CLIENTS)
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB; {system}; {versions}; Vigie {version('vigie')}"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()
