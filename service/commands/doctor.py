"""`vigie doctor`: what is wrong, and what to do."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

import msgspec

from sensors.errors import OperatorError
from service.commands.common import kinds_of, tell
from service.doctor.examine import CHECKS, examine
from service.doctor.finding import Finding
from service.endpoints import find_endpoints
from service.options import flat, listed
from service.settings import Settings

_WIDTH = 110


class UnwellError(OperatorError):
    """Something is wrong; what, was printed."""


def add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", type=listed, action="append", metavar="CHECK[,CHECK]", help=f"some of: {', '.join(CHECKS)}"
    )
    parser.add_argument(
        "--disk", type=Path, metavar="DIR", help="a folder on the disk of the database, to forecast when it is full"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a check")
    parser.set_defaults(run=run_doctor)


async def run_doctor(settings: Settings, arguments: argparse.Namespace) -> None:
    chosen = flat(arguments.only) if arguments.only else CHECKS
    if unknown := sorted(set(chosen) - set(CHECKS)):
        raise UnwellError(f"--only {unknown[0]!r} is no check: {', '.join(CHECKS)}")
    kinds, endpoints = kinds_of(settings), find_endpoints(settings)
    only = [check for check in CHECKS if check in chosen]
    findings = []
    async for finding in examine(settings, kinds, endpoints, only=only, disk=arguments.disk):
        findings.append(finding)
        tell(msgspec.json.encode(finding).decode() if arguments.json else _text(finding))
    wrong = [finding.check for finding in findings if finding.state == "wrong"]
    if wrong:
        raise UnwellError(f"{len(wrong)} of {len(findings)} checks found something wrong: {', '.join(wrong)}")


def _text(finding: Finding) -> str:
    head = f"{finding.state:<8} {finding.check:<12}"
    lines = textwrap.wrap(finding.seen, _WIDTH) + textwrap.wrap(finding.remedy, _WIDTH, initial_indent="-> ")
    return "\n".join(f"{head if number == 0 else '':<22}{line}".rstrip() for number, line in enumerate(lines))
