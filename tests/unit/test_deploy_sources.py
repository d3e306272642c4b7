"""What counts as a Debian mirror in a machine's apt sources, and how it is written down for ours."""

import pytest

from deploy.embedded.sources import (
    Source,
    debian_mirrors,
    parse_deb822,
    parse_one_line,
    security_mirrors,
    stanza,
    without_secret,
)

DEB822 = """\
Types: deb deb-src
# where it was before
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/security http://other.example/security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb-src
URIs: http://sources.example/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/k.gpg trusted=yes] http://mirror.example/debian bookworm main contrib # ours
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/security bullseye/updates main
deb cdrom:[Debian]/ bookworm main
deb https://containers.example/linux/debian bookworm stable
deb http://mirror.example/debian/ bookworm-updates main
"""
UBUNTU = """\
Types: deb
URIs: http://archive.example/ubuntu
Suites: noble noble-updates noble-security
Components: main universe
"""


def test_deb822_gives_each_uri_of_the_binary_stanzas_that_are_enabled() -> None:
    sources = list(parse_deb822(DEB822))
    assert [s.uri for s in debian_mirrors(sources)] == ["http://mirror.example/debian"]
    assert [s.uri for s in security_mirrors(sources)] == [
        "http://mirror.example/security",
        "http://other.example/security",
    ]


def test_one_line_sources_leave_out_discs_and_other_peoples_components() -> None:
    sources = list(parse_one_line(ONE_LINE))
    assert debian_mirrors(sources) == [Source("http://mirror.example/debian", "", ("main", "contrib"), "/k.gpg")]
    assert [s.uri for s in security_mirrors(sources)] == ["http://mirror.example/security"]


def test_ubuntu_carries_no_debian() -> None:
    assert debian_mirrors(parse_deb822(UBUNTU)) == []


def test_stanza_keeps_the_sources_own_key_and_never_its_trust() -> None:
    source = debian_mirrors(parse_one_line(ONE_LINE))[0]
    written = stanza(source, "trixie", "/usr/share/keyrings/other.gpg")
    assert "Signed-By: /k.gpg\n" in written
    assert "rusted" not in written
    (again,) = parse_deb822(written)
    assert again == Source("http://mirror.example/debian", "trixie", ("main",), "/k.gpg")


def test_stanza_keeps_a_pasted_key_readable() -> None:
    source = security_mirrors(parse_deb822(DEB822))[0]
    written = stanza(source, "trixie-security", "")
    assert "Signed-By:\n -----BEGIN" in written
    (again,) = parse_deb822(written)
    assert again.signed_by == source.signed_by


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("http://user:secret@mirror.example/debian", "http://mirror.example/debian"),
        ("http://mirror.example/debian", "http://mirror.example/debian"),
    ],
)
def test_a_mirrors_password_is_not_told(uri: str, told: str) -> None:
    assert without_secret(uri) == told
