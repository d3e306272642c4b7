"""The secrets of the containers, made once: passwords, the addresses with them, and the broker's certificate.

Every file is written only where it is missing, so that a second run changes nothing and a file that was replaced stays.
They are readable by all (the accounts in the containers differ) in a folder that only its owner can enter; compose
mounts each file by itself. Only the standard library and openssl are needed.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

from deploy.embedded.broker import password_line

DEFAULT_FOLDER = Path(__file__).parents[1] / "secrets"
_PASSWORD_BYTES = 24
_AUTHORITY_DAYS = 3650
_CERTIFICATE_DAYS = 825
"""The most that clients of Apple accept; shorter is safer and means a renewal more often (`vigie doctor` says when)."""
_CA = "broker_ca"
_MOUNTED_CA = f"/run/secrets/{_CA}"
_RENEWED = ("broker_certificate", "broker_key")
_BROKER_ACCOUNT = 1883
"""Of mosquitto in its image, which warns of secrets that others may read; given them where we may (as root)."""
_OF_BROKER = ("broker_passwords", "broker_key")


class CannotMakeError(Exception):
    """Secrets that cannot be made; one line for a person."""


def make_secrets(folder: Path, names: Sequence[str]) -> list[str]:
    """Write what is missing in the folder, for a broker that is reached by `names`; what was written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return [name for name, make in _recipes(folder, names) if _write_missing(folder / name, make)]


def _recipes(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, Callable[[], str]]]:
    """Each file and how it is made, those first of which others are made."""

    def read(name: str) -> str:
        return (folder / name).read_text().strip()

    passwords = (
        "database_superuser",
        "database_vigie",
        "database_grafana",
        "broker_vigie",
        "broker_sensors",
        "grafana",
    )
    for name in passwords:
        yield f"{name}_password", lambda: secrets.token_urlsafe(_PASSWORD_BYTES)
    yield "database_url", lambda: f"postgresql://vigie:{read('database_vigie_password')}@database:5432/vigie"
    for user, name in (("vigie", "broker_url"), ("sensors", "sensors_broker_url")):
        yield name, lambda user=user: _broker_url(user, read(f"broker_{user}_password"))  # type: ignore[misc]
    yield "broker_passwords", lambda: "".join(_hashed(user, read(f"broker_{user}_password")) for user in _USERS)
    yield f"{_CA}_key", lambda: _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    yield _CA, lambda: _authority(folder / f"{_CA}_key")
    yield "broker_key", lambda: _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout")
    yield "broker_certificate", lambda: _certificate(folder, names)


_USERS = ("vigie", "sensors")


def _broker_url(user: str, password: str) -> str:
    return f"mqtts://{user}:{password}@broker:8883?ca_file={_MOUNTED_CA}"


def _hashed(user: str, password: str) -> str:
    return password_line(user, password, secrets.token_bytes(12))


def _write_missing(path: Path, make: Callable[[], str]) -> bool:
    """Complete or not at all: half a secret must not be taken for one at the next run."""
    if path.exists():
        return False
    part = path.with_name(f".{path.name}.part")
    part.write_text(make().rstrip("\n") + "\n")
    part.chmod(0o400 if path.name == f"{_CA}_key" else 0o444)
    if path.name in _OF_BROKER and os.geteuid() == 0:
        os.chown(part, _BROKER_ACCOUNT, _BROKER_ACCOUNT)
        part.chmod(0o400)
    part.rename(path)
    return True


def _authority(key: Path) -> str:
    return _openssl(
        *("req", "-x509", "-key", key, "-days", _AUTHORITY_DAYS, "-subj", "/CN=Vigie broker authority"),
        *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
    )


def _certificate(folder: Path, names: Sequence[str]) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        request, extensions = Path(scratch, "request"), Path(scratch, "extensions")
        request.write_text(_openssl("req", "-new", "-key", folder / "broker_key", "-subj", f"/CN={names[0]}"))
        extensions.write_text(
            f"subjectAltName={','.join(map(_alternative, names))}\n"
            "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n"
        )
        signer = ("-CA", folder / _CA, "-CAkey", folder / f"{_CA}_key", "-extfile", extensions)
        serial = ("-set_serial", f"0x{secrets.token_hex(16)}")
        return _openssl("x509", "-req", "-in", request, "-days", _CERTIFICATE_DAYS, *signer, *serial)


def _alternative(name: str) -> str:
    try:
        return f"IP:{ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


def _openssl(*words: str | Path | int) -> str:
    try:
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)  # noqa: S607
    except FileNotFoundError as exc:
        raise CannotMakeError("openssl is not on the path: install it (Debian: apt-get install openssl)") from exc
    if done.returncode:
        raise CannotMakeError(f"openssl {words[0]} failed: {' '.join(done.stderr.split())[:300]}")
    return done.stdout


def main(argv: Sequence[str] | None = None) -> int:
    """`deploy/init`: returns the exit status."""
    parser = argparse.ArgumentParser(prog="deploy/init", description="Make the secrets of deploy/compose.yaml, once.")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where to (default: deploy/secrets)")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="a name or address by which sensors reach the broker",
    )
    parser.add_argument("--renew", action="store_true", help="make the broker's certificate and its key anew")
    arguments = parser.parse_args(argv)
    try:
        return _run(arguments.folder, ["broker", "localhost", "127.0.0.1", *arguments.name], renew=arguments.renew)
    except (CannotMakeError, OSError) as exc:
        print(f"deploy/init: {exc}", file=sys.stderr)  # noqa: T201
        return 1


def _run(folder: Path, names: Sequence[str], *, renew: bool) -> int:
    if renew:
        old = folder / "old"
        old.mkdir(mode=0o700, exist_ok=True)
        for name in filter(lambda name: (folder / name).exists(), _RENEWED):
            shutil.move(folder / name, old / name)
    made = make_secrets(folder, names)
    print(f"{folder}: made {', '.join(made)}" if made else f"{folder}: everything is there, nothing changed")  # noqa: T201
    return 0
