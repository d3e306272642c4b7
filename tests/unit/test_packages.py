"""Our packages have common names: a third-party `sensors` or `api` beside us must not be the one imported."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
    "packages"
]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_package_that_is_imported_is_ours(package: str) -> None:
    assert importlib.import_module(package).__file__ == str(ROOT / package / "__init__.py")


def test_every_folder_with_code_is_shipped() -> None:
    with_code = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert with_code - {"tests"} == set(PACKAGES)


def test_no_file_is_longer_than_300_lines() -> None:
    files = [
        file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.suffix in {".py", ".js", ".css"}
    ]
    long = {str(file.relative_to(ROOT)): count for file in files if (count := len(file.read_text().splitlines())) > 300}
    assert not {name: count for name, count in long.items() if "vendor" not in name}
