"""apt against a private, empty dpkg status: nothing of the machine is read but its mirror, nothing changed.

The machine's own apt configuration stays in force for proxies, certificates and credentials; its hooks do
not, they are for system upgrades. apt checks every signature and hash; where it cannot, this fails.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from deploy.embedded.account import Account, Output, kill_group, run, spawn, which, write_private
from deploy.embedded.errors import WAY_OUT, EmbeddedError
from deploy.embedded.sources import (
    Source,
    debian_mirrors,
    parse_deb822,
    parse_one_line,
    security_mirrors,
    stanza,
    without_secret,
)

SUITE = "trixie"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring"
_URI_LINE = re.compile(r"^'[^']+' (?P<name>[^_\s]+)_(?P<version>[^_\s]+)_\S+ (?P<size>\d+)", re.MULTILINE)
_PROGRESS = re.compile(rb"^dlstatus:\d+:(?P<percent>[\d.]+):")
_PROGRESS_STEP_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Package:
    """A package that apt resolved."""

    name: str
    version: str
    size_bytes: int


def parse_uris(text: str) -> list[Package]:
    """Read what `apt-get install --print-uris` prints."""
    found = _URI_LINE.finditer(text)
    return [Package(m["name"], unquote(m["version"]), int(m["size"])) for m in found]


def configuration(folder: Path) -> str:
    """Write the apt configuration that keeps everything inside `folder`."""
    return f"""\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::NeverAutoRemove;
#clear Acquire::IndexTargets::deb::DEP-11;
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{folder}/sources";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
Acquire::AllowInsecureRepositories "false";
Acquire::Retries "3";
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
"""


def refusal(mirror: str, complaint: str) -> str:
    """Say in one line why apt would not serve the suite from this mirror."""
    where = without_secret(mirror)
    if re.search(r"NO_PUBKEY|not signed|couldn't be verified|Missing key|Sub-process.*sqv", complaint):
        return (
            f"apt cannot verify Debian {SUITE} from {where} with this machine's keyring: update debian-archive-keyring"
        )
    if re.search(r"does not have a Release file|404", complaint):
        return f"the mirror {where} carries no Debian {SUITE}: {WAY_OUT}"
    first = next((line for line in complaint.splitlines() if line.startswith("E:")), complaint.strip())
    return f"apt could not fetch Debian {SUITE} from {where} ({without_secret(first)}): {WAY_OUT}"


async def machine_sources(account: Account) -> list[Source]:
    """Read the apt sources that this machine is configured with.

    Raises EmbeddedError where there is no apt.
    """
    if not (which("apt-get") and which("apt-config") and which("dpkg-deb")):
        raise EmbeddedError(f"there is no apt here to fetch PostgreSQL and mosquitto with: {WAY_OUT}")
    names = ["FILE", "Dir::Etc::sourcelist/f", "FOLDER", "Dir::Etc::sourceparts/d"]
    shell = await run(["apt-config", "shell", *names], account)
    paths = dict(re.findall(r"^(\w+)='(.*)'$", shell.stdout, flags=re.MULTILINE))
    one_line = Path(paths.get("FILE", "/etc/apt/sources.list"))
    return await asyncio.to_thread(_read_sources, one_line, Path(paths.get("FOLDER", "/etc/apt/sources.list.d")))


def _read_sources(one_line: Path, folder: Path) -> list[Source]:
    lists = [one_line, *sorted(folder.glob("*.list"))]
    found = [source for path in lists for source in parse_one_line(_read(path))]
    return found + [s for path in sorted(folder.glob("*.sources")) for s in parse_deb822(_read(path))]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


class PrivateApt:
    """One apt with a state of its own below `folder`, which the account owns."""

    def __init__(self, folder: Path, account: Account) -> None:
        self._folder = folder
        self._account = account

    async def resolve(self, packages: Sequence[str]) -> list[Package]:
        """Point apt at the first of the machine's mirrors that serves the packages; give their closure."""
        sources = await machine_sources(self._account)
        mirrors = debian_mirrors(sources)
        if not mirrors:
            raise EmbeddedError(f"no Debian mirror in this machine's apt sources: {WAY_OUT}")
        await self._lay_out()
        complaints = []
        for attempt in (a for mirror in mirrors for a in _attempts(mirror, sources)):
            found = await self._resolve_from(attempt, packages)
            if isinstance(found, list):
                return found
            complaints.append(refusal(attempt[0][0].uri, found))
        raise EmbeddedError(complaints[0])

    async def _resolve_from(self, attempt: list[tuple[Source, str]], packages: Sequence[str]) -> list[Package] | str:
        await self._use(attempt)
        updated = await self._apt("update")
        if updated.code:
            return updated.stderr
        options = ["--print-uris", "--yes", "--no-install-recommends"]
        resolved = await self._apt("install", *options, *packages)
        return resolved.stderr if resolved.code else parse_uris(resolved.stdout)

    async def _lay_out(self) -> None:
        folders = ["state/lists/partial", "cache/archives/partial", "sources"]
        await run(["mkdir", "-p", *folders], self._account, cwd=self._folder)
        await write_private(self._folder / "status", "", self._account)
        await write_private(self._folder / "apt.conf", configuration(self._folder), self._account)

    async def _use(self, sources: Iterable[tuple[Source, str]]) -> None:
        keyring = _debian_keyring()
        text = "\n".join(stanza(source, suite, keyring) for source, suite in sources)
        await write_private(self._folder / "sources" / "debian.sources", text, self._account)

    async def _apt(self, *arguments: str) -> Output:
        return await run(self._command(*arguments), self._account)

    def _command(self, *arguments: str) -> list[str | Path]:
        return ["apt-get", "-qq", "-c", self._folder / "apt.conf", *arguments]

    async def download(self, packages: Sequence[Package], folder: Path, say: Callable[[str], None]) -> None:
        """Download and verify the packages into `folder`, telling how far it is."""
        size_mb = sum(package.size_bytes for package in packages) / 1e6
        wanted = [f"{package.name}={package.version}" for package in packages]
        command = self._command("download", "-o", "APT::Status-Fd=1", *wanted)
        process = await spawn(command, self._account, cwd=folder)
        try:
            await _tell_progress(process, f"downloading {len(packages)} packages, {size_mb:.0f} MB", say)
            _, stderr = await process.communicate()
        except asyncio.CancelledError:
            await kill_group(process)
            raise
        if process.returncode:
            raise EmbeddedError(refusal("the mirror", stderr.decode(errors="replace")))


def _debian_keyring() -> str:
    """Give Debian's keyring; without one apt falls back to all keys that the machine trusts."""
    files = (f"{_KEYRING}{ending}" for ending in (".gpg", ".pgp"))
    return next((file for file in files if Path(file).exists()), "")


def _attempts(mirror: Source, sources: list[Source]) -> list[list[tuple[Source, str]]]:
    """Try with the machine's security source; without one, where Debian's layout has it, then without."""
    suite, security_suite = (mirror, SUITE), f"{SUITE}-security"
    known = security_mirrors(sources)
    if known:
        return [[suite, (known[0], security_suite)]]
    guess = replace(mirror, uri=f"{mirror.uri.rstrip('/')}-security")
    return [[suite, (guess, security_suite)], [suite]]


async def _tell_progress(process: asyncio.subprocess.Process, what: str, say: Callable[[str], None]) -> None:
    assert process.stdout is not None
    told = -1
    async for line in process.stdout:
        match = _PROGRESS.match(line)
        step = int(float(match["percent"])) // _PROGRESS_STEP_PERCENT if match else told
        if step > told:
            told = step
            say(f"{what}: {step * _PROGRESS_STEP_PERCENT} %")
