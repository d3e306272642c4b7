"""What is fetched, when a cache folder counts as complete, and what an apt failure is told as."""

import json
from pathlib import Path

import pytest

from deploy.embedded import packages
from deploy.embedded.apt import Package, parse_uris, refusal
from deploy.embedded.programs import timescale_version, version_in

POOL = "'http://mirror.example/pool/main"
URIS = f"""\
{POOL}/p/postgresql-17/postgresql-17_17.12-0%2bdeb13u1_amd64.deb' postgresql-17_17.12-0+deb13u1_amd64.deb 16760112 SHA:a
{POOL}/l/llvm/libllvm19_19.1_amd64.deb' libllvm19_1%3a19.1.7-3+b1_amd64.deb 25978316 SHA:b
{POOL}/z/zlib/zlib1g_1.3_amd64.deb' zlib1g_1%3a1.3.dfsg+really1.3.1-1_amd64.deb 90000 SHA:c
{POOL}/p/perl/perl_5.40_all.deb' perl_5.40_all.deb 1000 SHA:d
"""


def test_the_closure_is_read_with_epochs_and_sizes() -> None:
    closure = parse_uris(URIS)
    assert closure[0] == Package("postgresql-17", "17.12-0+deb13u1", 16_760_112)
    assert closure[1].version == "1:19.1.7-3+b1"


def test_only_the_servers_and_their_libraries_are_fetched() -> None:
    assert [p.name for p in packages.needed(parse_uris(URIS))] == ["postgresql-17", "zlib1g"]


def _complete(folder: Path) -> None:
    for program in packages._PROGRAMS:
        (folder / program).parent.mkdir(parents=True, exist_ok=True)
        (folder / program).touch()
    manifest = {"folder": str(folder), "packages": {"mosquitto": "2.0.21-1"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_complete_folder_is_used(tmp_path: Path) -> None:
    _complete(tmp_path)
    found = packages.read_manifest(tmp_path)
    assert found is not None
    assert found.versions == {"mosquitto": "2.0.21-1"}


def test_a_folder_that_was_cut_short_moved_or_emptied_is_not_used(tmp_path: Path) -> None:
    assert packages.read_manifest(tmp_path / "absent") is None
    _complete(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    assert packages.read_manifest(tmp_path / "b") is None
    _complete(tmp_path / "c")
    (tmp_path / "c/usr/sbin/mosquitto").unlink()
    assert packages.read_manifest(tmp_path / "c") is None
    _complete(tmp_path / "d")
    (tmp_path / "d/manifest.json").write_text('{"folder": ')
    assert packages.read_manifest(tmp_path / "d") is None


@pytest.mark.parametrize(
    ("complaint", "told"),
    [
        ("W: GPG error: NO_PUBKEY 6ED0E7B82643E131", "update debian-archive-keyring"),
        ("E: The repository '...' does not have a Release file.", "carries no Debian trixie"),
        ("E: Failed to fetch http://u:p@m.example/x  Could not connect", "Failed to fetch http://m.example/x"),
    ],
)
def test_a_failure_of_apt_is_one_line_with_the_way_out(complaint: str, told: str) -> None:
    line = refusal("http://user:secret@m.example/debian", complaint)
    assert told in line
    assert "\n" not in line
    assert "secret" not in line


def test_libraries_of_the_host_are_noticed(tmp_path: Path) -> None:
    listed = f"linux-vdso.so.1 (0x0)\nlibc.so.6 => {tmp_path}/libc.so.6 (0x1)\nlibz.so.1 => /lib/libz.so.1 (0x2)\n"
    assert packages._foreign_libraries(listed, tmp_path) == ["/lib/libz.so.1"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("mosquitto version 2.0.21\n\nmosquitto is an MQTT broker", (2, 0, 21)),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", (15, 18)),
        ("no such thing", ()),
    ],
)
def test_versions_are_read(text: str, version: tuple[int, ...]) -> None:
    assert version_in(text) == version


def test_postgres_without_timescale_is_not_good_enough(tmp_path: Path) -> None:
    assert timescale_version(tmp_path, tmp_path) == ()
    (tmp_path / "timescaledb.control").write_text("default_version = '2.19.3'\n")
    assert timescale_version(tmp_path, tmp_path) == (), "the control file without its library"
    (tmp_path / "timescaledb-2.19.3.so").touch()
    assert timescale_version(tmp_path, tmp_path) == (2, 19, 3)
