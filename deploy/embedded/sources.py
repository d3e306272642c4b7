"""Where this machine gets Debian from: its own apt sources, parsed. Pure, no IO.

Refuses to know any mirror by name. A source counts as Debian when it offers one of Debian's suites;
whether it really is Debian is decided by apt, which checks the signature of what it serves. An option
that switches that check off for a source is never carried over.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

_RELEASES = (
    *("bullseye", "bookworm", "trixie", "forky", "duke", "sid"),
    *("oldoldstable", "oldstable", "stable", "testing", "unstable"),
)
_SECURITY = frozenset(f"{name}{tail}" for name in _RELEASES for tail in ("-security", "/updates"))
_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>.+)$")


@dataclass(frozen=True, slots=True)
class Source:
    """One place to fetch one suite from; `signed_by` is a key file, fingerprints or a key itself."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def parse_one_line(text: str) -> Iterator[Source]:
    """Read a `sources.list`."""
    for line in text.splitlines():
        match = _ONE_LINE.match(line.split("#", 1)[0].strip())
        if match:
            signed_by = re.search(r"signed-by=(\S+)", match["options"] or "")
            components = tuple(match["rest"].split())
            key = signed_by[1] if signed_by else ""
            yield Source(match["uri"], match["suite"], components, key)


def parse_deb822(text: str) -> Iterator[Source]:
    """Read a `.sources` file: stanzas of fields, where a field may go on over indented lines."""
    without_comments = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", without_comments):
        fields = _fields(stanza)
        wanted = "deb" in fields.get("types", "").split()
        if wanted and fields.get("enabled", "yes").lower() not in {"no", "false", "0", "off"}:
            yield from _sources_of(fields)


def _fields(stanza: str) -> dict[str, str]:
    pairs = re.findall(r"^([A-Za-z0-9-]+):(.*(?:\n[ \t].*)*)", stanza, flags=re.MULTILINE)
    return {name.lower(): value.strip() for name, value in pairs}


def _sources_of(fields: dict[str, str]) -> Iterator[Source]:
    components = tuple(fields.get("components", "").split())
    for uri in fields.get("uris", "").split():
        for suite in fields.get("suites", "").split():
            yield Source(uri, suite, components, fields.get("signed-by", ""))


def debian_mirrors(sources: Iterable[Source]) -> list[Source]:
    """Pick the sources that may carry Debian's main archive, in the machine's order, without repeats."""
    return _distinct(s for s in sources if s.suite in _RELEASES)


def security_mirrors(sources: Iterable[Source]) -> list[Source]:
    """Pick the sources that may carry Debian's security archive."""
    return _distinct(s for s in sources if s.suite in _SECURITY)


def _distinct(sources: Iterable[Source]) -> list[Source]:
    kept: dict[str, Source] = {}
    for source in sources:
        if "main" in source.components and not source.uri.startswith("cdrom:"):
            kept.setdefault(source.uri.rstrip("/"), replace(source, suite=""))
    return list(kept.values())


def stanza(source: Source, suite: str, keyring: str) -> str:
    """Write a source as deb822, for `suite` and signed by its own key or else by `keyring`."""
    signed_by = source.signed_by or keyring
    lines = ["Types: deb", f"URIs: {source.uri}", f"Suites: {suite}", "Components: main"]
    if signed_by:
        # A key pasted into the file must start on a line of its own, indented as it was.
        pasted = signed_by.startswith("-----BEGIN")
        lines.append(f"Signed-By:\n {signed_by}" if pasted else f"Signed-By: {signed_by}")
    return "\n".join(lines) + "\n"


def without_secret(uri: str) -> str:
    """Hide a user and password in a URI, so that it can be told."""
    return re.sub(r"//[^/@]*@", "//", uri)
