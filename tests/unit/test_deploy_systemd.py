"""The units for machines without containers, as systemd itself judges them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.arguments import COMMANDS
from service.settings import load_settings

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
EXPOSURE = 20
"""Tenths: systemd rates 0 to 100, under 20 as well protected; ours stood at 12 when they were written."""


def values(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units, with a program that is on this machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine: it comes with systemd")
    folder = tmp_path_factory.mktemp("units")
    for unit in [*SERVICES, *UNITS.glob("*.timer"), *UNITS.glob("*.target")]:
        (folder / unit.name).write_text(unit.read_text().replace("/opt/vigie/bin/vigie", sys.executable))
    return folder


def test_systemd_finds_nothing_wrong(here: Path) -> None:
    units = sorted(map(str, here.iterdir()))
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_service_is_well_protected(here: Path) -> None:
    for unit in sorted(here.glob("*.service")):
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(unit)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert rated.returncode == 0, f"{unit.name}: {rated.stdout.splitlines()[-1]}"


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_every_variable_is_a_setting_and_every_command_exists(unit: Path, tmp_path: Path) -> None:
    environ = {}
    for assignment in values(unit, "Environment"):
        name, _, value = assignment.partition("=")
        if value.startswith("%d/"):
            assert any(line.startswith(f"{value[3:]}:/etc/vigie/secrets/") for line in values(unit, "LoadCredential"))
            (tmp_path / value[3:]).write_text("mqtts://vigie:password@localhost")
            value = str(tmp_path / value[3:])
        environ[name] = value
    settings = load_settings(environ)
    assert settings.database_url
    assert settings.broker_url
    command = re.search(r"/opt/vigie/bin/vigie (\w+)", values(unit, "ExecStart")[0])
    assert command is not None
    assert command[1] in {known.name for known in COMMANDS}
