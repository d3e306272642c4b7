"""PostgreSQL, TimescaleDB and mosquitto from Debian's packages, unpacked into the cache and relocated.

A folder in the cache counts as complete only with its manifest, which is written last, after the
programs have run from their final place. Everything before that happens in a folder beside it, under a
file lock, so that a broken or a simultaneous fetch is never taken for a finished one.
"""

import asyncio
import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.account import Account, run, write_private
from deploy.embedded.apt import SUITE, Package, PrivateApt
from deploy.embedded.errors import WAY_OUT, EmbeddedError
from deploy.embedded.lock import FileLock

POSTGRES_MAJOR = 17
_POSTGRES_BIN = Path(f"usr/lib/postgresql/{POSTGRES_MAJOR}/bin")
_ROOTS = (
    *(f"postgresql-{POSTGRES_MAJOR}", f"postgresql-client-{POSTGRES_MAJOR}"),
    *(f"postgresql-{POSTGRES_MAJOR}-timescaledb", "mosquitto", "mosquitto-clients"),
)
_PROGRAMS = (
    *(_POSTGRES_BIN / name for name in ("postgres", "initdb", "psql", "pg_dump", "pg_restore")),
    *(Path("usr/sbin/mosquitto"), Path("usr/bin/mosquitto_sub"), Path("usr/bin/mosquitto_pub")),
)
# Only libraries are needed beside the programs. LLVM and z3 serve the JIT, which is off; Perl serves
# Debian's own cluster scripts, which are not used.
_LIBRARY = re.compile("lib|zlib")
_UNUSED = re.compile(r"libllvm|libz3|libperl|lib.*-perl$|libc-bin|libc-l10n|libpam-modules|libsem|libsepol")
_UNUSED_PATHS = (
    *("etc", "var", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian"),
    *(f"{_POSTGRES_BIN.parent}/lib/bitcode", f"{_POSTGRES_BIN.parent}/lib/llvmjit.so"),
)
_TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
# Raise when unpacking or relocating changes, so that older folders in caches are left behind.
_RECIPE = 1


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the unpacked programs are."""

    postgres_bin: Path
    mosquitto: Path
    mosquitto_sub: Path
    versions: dict[str, str]


def needed(closure: Iterable[Package]) -> list[Package]:
    """Leave out of apt's closure what only an installed system needs."""
    return [
        package
        for package in closure
        if package.name in _ROOTS or (_LIBRARY.match(package.name) and not _UNUSED.match(package.name))
    ]


def folder_name(architecture: str) -> str:
    """Name the cache folder after everything that decides its content."""
    recipe = json.dumps([_RECIPE, SUITE, _ROOTS, _UNUSED.pattern, [str(p) for p in _PROGRAMS]])
    return f"debian-{SUITE}-{architecture}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"


def read_manifest(folder: Path) -> Programs | None:
    """Give the programs of a complete folder, None for one that is broken, absent or was moved."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        complete = manifest["folder"] == str(folder) and all((folder / p).exists() for p in _PROGRAMS)
        return _programs(folder, dict(manifest["packages"])) if complete else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _programs(folder: Path, versions: dict[str, str]) -> Programs:
    bin_dir = folder / "usr/bin"
    return Programs(folder / _POSTGRES_BIN, folder / "usr/sbin/mosquitto", bin_dir / "mosquitto_sub", versions)


async def fetch(cache: Path, account: Account, say: Callable[[str], None]) -> Programs:
    """Give the programs in the cache, fetching them when they are not there yet.

    Raises EmbeddedError when this machine cannot fetch Debian's packages.
    """
    architecture = await _architecture(account)
    folder = cache / folder_name(architecture)
    found = read_manifest(folder)
    if found is not None:
        return found
    async with _locked(cache, say):
        return read_manifest(folder) or await _fetch_into(folder, _TRIPLETS[architecture], account, say)


async def _architecture(account: Account) -> str:
    try:
        printed = await run(["dpkg", "--print-architecture"], account)
    except FileNotFoundError:
        raise EmbeddedError(f"there is no apt here to fetch PostgreSQL and mosquitto with: {WAY_OUT}") from None
    architecture = printed.stdout.strip()
    if architecture not in _TRIPLETS:
        raise EmbeddedError(f"no packages for the architecture {architecture!r}, only {[*_TRIPLETS]}: {WAY_OUT}")
    return architecture


@asynccontextmanager
async def _locked(cache: Path, say: Callable[[str], None]) -> AsyncIterator[None]:
    lock = FileLock(cache / "fetch.lock")
    holder = lock.acquire()
    if holder is not None:
        say(f"waiting for process {holder}, which is fetching the same packages")
    while holder is not None:
        await asyncio.sleep(0.2)
        holder = lock.acquire()
    try:
        yield
    finally:
        lock.release()


async def _fetch_into(folder: Path, triplet: str, account: Account, say: Callable[[str], None]) -> Programs:
    work = folder.with_name(folder.name + ".part")
    await _remove(work, folder)
    _make_owned([work, work / "apt", work / "debs", work / "root"], account)
    try:
        say("asking apt for PostgreSQL, TimescaleDB and mosquitto")
        apt = PrivateApt(work / "apt", account)
        packages = needed(await apt.resolve(_ROOTS))
        await apt.download(packages, work / "debs", say)
        say("unpacking")
        await _unpack(work / "debs", work / "root", account)
        loader = await _relocate(work, folder, triplet, account)
        (work / "root").rename(folder)
        await _finish(folder, loader, packages, account)
    except OSError as exc:
        raise EmbeddedError(f"cannot fetch into {folder.parent}: {exc.strerror or exc}") from exc
    finally:
        await _remove(work)
    return _programs(folder, {package.name: package.version for package in packages})


async def _remove(*folders: Path) -> None:
    for folder in folders:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _make_owned(folders: list[Path], account: Account) -> None:
    for folder in folders:
        folder.mkdir()
        if account.drop:
            os.chown(folder, account.uid, account.gid)


async def _unpack(debs: Path, root: Path, account: Account) -> None:
    one_each = 'find "$1" -name "*.deb" -print0 | xargs -0 -P 4 -I {} dpkg-deb -x {} "$2"'
    done = await run(["/bin/sh", "-c", one_each, "sh", debs, root], account)
    if done.code:
        raise EmbeddedError(f"dpkg-deb could not unpack into {root}: {done.stderr.strip()}")
    await _remove(*(root / path for path in _UNUSED_PATHS if (root / path).is_dir()))
    (root / f"{_POSTGRES_BIN.parent}/lib/llvmjit.so").unlink(missing_ok=True)


async def _relocate(work: Path, folder: Path, triplet: str, account: Account) -> Path:
    """Make the programs use the unpacked C library, wherever the host's one stands.

    RPATH, not RUNPATH: only RPATH of the program holds for the libraries of its libraries, and it wins
    over LD_LIBRARY_PATH.
    """
    patchelf = await asyncio.to_thread(_own_patchelf, work)
    root = work / "root"
    found = next((root / "usr/lib" / triplet).glob("ld-linux-*.so.*"))
    loader = folder / found.relative_to(root)
    for program in _PROGRAMS:
        up = "/".join(".." for _ in program.parent.parts)
        rpath = f"$ORIGIN/{up}/usr/lib/{triplet}:$ORIGIN/{up}/lib/{triplet}"
        change = ["--force-rpath", "--set-rpath", rpath, "--set-interpreter", str(loader)]
        done = await run([patchelf, *change, root / program], account)
        if done.code:
            raise EmbeddedError(f"patchelf could not relocate {program}: {done.stderr.strip()}")
    return loader


def _own_patchelf(work: Path) -> Path:
    """Copy patchelf to where the account can run it; the environment of root's Python may be closed to it."""
    beside_python = str(Path(sys.executable).parent)
    found = shutil.which("patchelf", path=beside_python) or shutil.which("patchelf")
    if found is None:
        raise EmbeddedError("patchelf is missing: install Vigie with its dependencies (make setup)")
    copy = work / "patchelf"
    shutil.copyfile(found, copy)
    copy.chmod(0o755)
    return copy


def _foreign_libraries(listed: str, folder: Path) -> list[str]:
    """Pick what the loader found outside the folder: it is there on this machine only."""
    paths = re.findall(r"=> (/.*) \(0x", listed)
    return [path for path in paths if not path.startswith(f"{folder}/")]


async def _finish(folder: Path, loader: Path, packages: list[Package], account: Account) -> None:
    for program in _PROGRAMS:
        done = await run([folder / program, "--help"], account)
        if "sage" not in done.stdout + done.stderr:
            raise EmbeddedError(f"{folder / program} does not run: {done.stderr.strip()}")
        listed = await run([loader, "--list", folder / program], account)
        if foreign := _foreign_libraries(listed.stdout, folder):
            raise EmbeddedError(f"{folder / program} would use libraries of the host: {foreign}")
    versions = {package.name: package.version for package in packages}
    manifest = json.dumps({"folder": str(folder), "packages": versions}, indent=1)
    await write_private(folder / "manifest.json", manifest, account)
