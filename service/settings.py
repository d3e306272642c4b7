"""Settings: one frozen value, read once from a TOML file and the environment. Nothing else reads the environment.

A name in the environment is `VIGIE_` and the setting in capitals; it wins over the file. A secret may stand in a file
of its own, which `_FILE` after its name points to. An unknown name or a malformed value refuses to start and names
itself. Names under `VIGIE_TEST_` belong to the test suite.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from sensors.errors import OperatorError

PREFIX = "VIGIE_"
_TESTS = "VIGIE_TEST_"
_FILE = "VIGIE_CONFIG"
SECRETS = frozenset(
    {
        *("database_url", "broker_url", "simulate_password", "smtp_url", "dead_man_url"),
        *("grafana_token", "grafana_database_url"),
    }
)
"""Settings that nobody may read by chance: they stay out of messages, and may be read from a file of their own."""
IN_FILE = "_FILE"

Days = Annotated[float, msgspec.Meta(gt=0)]


class SettingsError(OperatorError):
    """A setting that cannot be used; the message names it, what was expected and where it was found."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting with its default. `docs/settings.md` explains each; a test keeps the two together."""

    home: str | None = None
    cache_dir: str | None = None
    http: str = "127.0.0.1:8090"
    allowed_hosts: tuple[str, ...] = ()
    metrics_open: bool = False
    database_url: str | None = None
    broker_url: str | None = None
    kinds_dir: str | None = None
    scenarios_dir: str | None = None
    rules_file: str | None = None
    appointments_dir: str | None = None

    ingest_slots: Annotated[tuple[tuple[str, ...], ...], msgspec.Meta(min_length=1)] = (("#",),)
    ingest_transport: Literal["mqtt5", "paho", "paho-3.1.1"] = "mqtt5"
    ingest_window: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 4000
    ingest_session_expiry_s: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] = 7 * 86_400
    ingest_receipt_s: Annotated[float, msgspec.Meta(gt=0)] = 10

    publish_alerts: bool = True
    webhook_key_file: str | None = None
    webhook_private_networks: tuple[str, ...] = ()
    smtp_url: str | None = None
    mail_from: str | None = None
    dead_man_url: str | None = None
    dead_man_every_s: Annotated[float, msgspec.Meta(ge=1)] = 60

    grafana_token: str | None = None
    grafana_database_url: str | None = None
    grafana_language: Literal["fr", "en"] = "fr"

    raw_days: Days = 400
    kind_days: dict[str, Days] = {}
    rollup_days: Days = 3650
    resolution_days: dict[Literal["5min", "1h", "1d"], Days] = {}
    compress_after_days: Days = 14
    event_days: Days = 3650
    name_days: Days = 365
    quarantine_days: Days = 30
    quarantine_mb: Annotated[float, msgspec.Meta(gt=0)] = 256

    simulate_seed: int = 1
    simulate_password: str | None = None
    log_format: Literal["auto", "text", "json"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def __repr__(self) -> str:
        shown = {
            name: "***" if name in SECRETS and value else value for name, value in msgspec.structs.asdict(self).items()
        }
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def load_settings(environ: Mapping[str, str], file: Path | None = None) -> Settings:
    """Read the settings; raises `SettingsError` with one line for a person."""
    path = file or (Path(environ[_FILE]) if environ.get(_FILE) else None)
    merged = {name: (value, str(path)) for name, value in (_read(path) if path else {}).items()}
    merged |= {name: (value, "the environment") for name, value in _from_environment(environ).items()}
    settings = _convert(merged)
    _check_slots(settings.ingest_slots)
    return settings


def _read(path: Path) -> dict[str, object]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise SettingsError(f"settings file {path}: {exc.strerror}; name one that can be read") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"settings file {path}: not TOML: {exc}") from exc
    for name in values:
        if name not in Settings.__struct_fields__:
            raise SettingsError(f"settings file {path}: unknown setting {name!r}{_nearest(name)}")
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable.startswith(_TESTS) or variable == _FILE or not text:
            continue
        name = variable.removeprefix(PREFIX).lower()
        secret = variable.removesuffix(IN_FILE).removeprefix(PREFIX).lower()
        if variable.endswith(IN_FILE) and secret in SECRETS and variable == variable.upper():
            found[secret] = _secret_in(variable, environ)
        elif name not in Settings.__struct_fields__ or variable != variable.upper():
            raise SettingsError(f"unknown setting {variable} in the environment{_nearest(name, PREFIX)}")
        else:
            found[name] = _parse(text)
    return found


def _secret_in(variable: str, environ: Mapping[str, str]) -> str:
    """What the file holds that a variable names, without the line's end; it never shows in a message."""
    plain, path = variable.removesuffix(IN_FILE), Path(environ[variable])
    if environ.get(plain):
        raise SettingsError(f"{plain} and {variable} are both set: leave one of them out")
    try:
        secret = path.read_text("utf-8").strip()
    except OSError as exc:
        raise SettingsError(f"{variable}: {path}: {exc.strerror}; name a file that can be read") from exc
    except UnicodeDecodeError as exc:
        raise SettingsError(f"{variable}: {path} is not text; write the value there as one line") from exc
    if not secret or "\n" in secret:
        raise SettingsError(f"{variable}: {path} holds {'nothing' if not secret else 'several lines'}, not one value")
    return secret


def _parse(text: str) -> object:
    """Lists and tables are written in the environment as in JSON; everything else is taken as text."""
    if not text.lstrip().startswith(("[", "{")):
        return text
    try:
        return msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return text


def _convert(found: dict[str, tuple[object, str]]) -> Settings:
    """Turn values with their origins into settings, one at a time so that an error names the one at fault."""
    for name, (value, origin) in found.items():
        try:
            msgspec.convert({name: value}, Settings, strict=False)
        except msgspec.ValidationError as exc:
            shown = "" if name in SECRETS else f" {value!r}"
            reason = str(exc).split(" - at ")[0]
            raise SettingsError(
                f"setting {name}{shown} cannot be used: {reason} (from {origin}; see docs/settings.md)"
            ) from exc
    return msgspec.convert({name: value for name, (value, _) in found.items()}, Settings, strict=False)


def _check_slots(slots: tuple[tuple[str, ...], ...]) -> None:
    """Refuse slots that share a site: each reading must have one place where it is in order."""
    sites = [site for slot in slots for site in slot]
    twice = sorted({site for site in sites if sites.count(site) > 1})
    if twice or ("#" in sites and len(sites) > 1) or not all(slots):
        fault = f"site {twice[0]!r} stands twice" if twice else "'#' stands beside other sites, or a slot is empty"
        raise SettingsError(f"setting ingest_slots cannot be used: {fault}; give each site to one slot, or '#' to one")


def _nearest(name: str, prefix: str = "") -> str:
    known = Settings.__struct_fields__
    near = difflib.get_close_matches(name, known, n=1)
    spell = (lambda n: prefix + n.upper()) if prefix else str
    return f"; did you mean {spell(near[0])}?" if near else f"; the settings are {', '.join(map(spell, known))}"
