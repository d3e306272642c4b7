"""The key of webhooks: made at the first start, kept in a file that only its owner can read."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from api.delivery.signing import KEY_BYTES, SigningKey
from sensors.errors import OperatorError
from service.endpoints import home_folder
from service.settings import Settings

FILE = "webhook.key"


class KeyFileError(OperatorError):
    """A key file that cannot be used; the message says how to mend it."""


def signing_key(settings: Settings) -> SigningKey:
    """The key of this installation; raises `KeyFileError`."""
    named = settings.webhook_key_file
    path = Path(named).expanduser() if named else home_folder(settings) / FILE
    try:
        if not path.exists():
            _write_new(path)
        return SigningKey(_read(path))
    except OSError as exc:
        raise KeyFileError(f"key file {path}: {exc.strerror}; name another one in webhook_key_file") from exc


def _write_new(path: Path) -> None:
    """Complete or not at all, so that two processes that start at once read the same key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        try:
            os.link(fresh, path)
        except FileExistsError:
            return  # another process was first; its key counts
    finally:
        fresh.unlink()


def _read(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileError(f"key file {path} can be read by others: chmod 600 {path}")
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except binascii.Error as exc:
        raise KeyFileError(f"key file {path} is not base64; restore it, or remove it to make a new key") from exc
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"key file {path} holds {len(key)} bytes and not {KEY_BYTES}; restore it")
    return key
