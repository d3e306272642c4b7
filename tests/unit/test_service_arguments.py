from __future__ import annotations

import subprocess
import sys

import pytest

from service.arguments import COMMANDS, parse


def imported_by(*words: str) -> set[str]:
    """The modules that a process has loaded once its command line is understood."""
    look = "import sys; from service.arguments import parse; parse(sys.argv[1:]); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", look, *words], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("command", [one.name for one in COMMANDS])
def test_every_command_tells_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse([command, "--help"])
    assert left.value.code == 0
    assert f"usage: vigie {command}" in capsys.readouterr().out


def test_sensors_and_ingestors_start_without_the_api() -> None:
    assert not {"fastapi", "api"} & (imported_by("simulate") | imported_by("ingest"))


def test_an_unknown_command_is_refused_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(["upp"])
    assert left.value.code == 2
    assert "'upp'" in (told := capsys.readouterr().err)
    assert "'up'" in told
