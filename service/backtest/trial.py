"""What a backtest changes: a TOML or JSON file of settings that are tried, nothing else of the installation.

A trial changes the catalogue, the kinds and the derived settings of one engine; the detectors are those of production.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from analytics.roster import Roster
from analytics.settings import Rule
from sensors.catalogue import Catalogue, Sensor
from sensors.errors import OperatorError
from sensors.kind import Kind, Kinds
from sensors.rule import Limits

Positive = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class TrialError(OperatorError):
    """Settings that cannot be tried."""


class Detection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of speed detectors: weight of a reading and readings to confirm, instead of what follows from the interval.

    thresholds: all thresholds of speed times this, above 1 more is congested; of sensors with a configured free speed.
    """

    weight: Share | None = None
    confirm_on: Count | None = None
    confirm_off: Count | None = None
    thresholds: Positive = 1.0


class Levels(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits of a level, in the unit of the kind; they rise."""

    dense: Positive
    congested: Positive
    jammed: Positive


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """limits: by kind. sensors: limits of single ones by id. free_speed_kmh: by id. without: sensors to leave out."""

    detection: Detection = Detection()
    limits: dict[str, Levels] = {}
    sensors: dict[str, Levels] = {}
    free_speed_kmh: dict[str, Positive] = {}
    without: tuple[str, ...] = ()


NOTHING = Trial()
"""Nothing is changed: what comes out is what was."""


def read_trial(path: Path) -> Trial:
    """Read a file; raises `TrialError` with one line that names it."""
    decode = msgspec.json.decode if path.suffix == ".json" else msgspec.toml.decode
    try:
        return decode(path.read_bytes(), type=Trial)
    except OSError as exc:
        raise TrialError(f"{path}: cannot be read: {exc.strerror}") from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise TrialError(f"{path}: not settings to try: {exc}; docs/situations.md has an example") from exc


def tried_catalogue(trial: Trial, catalogue: Catalogue) -> Catalogue:
    """Change single sensors; raises `TrialError` for one that there is not."""
    named = [*trial.sensors, *trial.free_speed_kmh, *trial.without]
    unknown = [name for name in named if name not in catalogue.sensor_by_id]
    if unknown:
        raise TrialError(f"there is no sensor {unknown[0]}: 'vigie sensors list' shows those there are")
    kept = tuple(_tried(trial, sensor) for sensor in catalogue.sensors if sensor.id not in trial.without)
    return msgspec.structs.replace(catalogue, sensors=kept)


def tried_kinds(trial: Trial, kinds: Kinds) -> Kinds:
    """Change the limits of kinds; raises `TrialError` for a kind that is not judged by limits."""
    found = dict(kinds)
    for name, levels in trial.limits.items():
        kind = kinds.get(name)
        if kind is None or not isinstance(kind.level, Limits):
            limited = sorted(kind.name for kind in kinds.values() if isinstance(kind.level, Limits))
            raise TrialError(f"limits of {name!r} cannot be tried: kinds with limits are {', '.join(limited)}")
        found[name] = _limited(kind, kind.level, levels, name)
    return Kinds(found)


def try_detection(trial: Trial, roster: Roster) -> None:
    """Change the derived settings of all speed detectors, in place."""
    told, speeds = trial.detection, roster.settings.rule == Rule.SPEED
    for name in ("weight", "confirm_on", "confirm_off"):
        if (value := getattr(told, name)) is not None:
            getattr(roster.settings, name)[speeds] = value
    roster.settings.free_kmh[speeds] *= np.float32(told.thresholds)


def as_mapping(trial: Trial) -> Mapping[str, object]:
    """What was tried, without what was left as it is."""
    plain = msgspec.to_builtins(trial)
    told = {name: value for name, value in plain["detection"].items() if value not in (None, 1.0)}
    return {name: value for name, value in (plain | {"detection": told}).items() if value}


def _tried(trial: Trial, sensor: Sensor) -> Sensor:
    levels = trial.sensors.get(sensor.id)
    if levels is not None:
        _check(levels, sensor.id)
        limits = msgspec.structs.asdict(levels)
        sensor = msgspec.structs.replace(sensor, **limits)
    free_kmh = trial.free_speed_kmh.get(sensor.id, sensor.free_speed_kmh)
    return msgspec.structs.replace(sensor, free_speed_kmh=free_kmh)


def _limited(kind: Kind, rule: Limits, levels: Levels, name: str) -> Kind:
    _check(levels, name)
    return msgspec.structs.replace(kind, level=msgspec.structs.replace(rule, **msgspec.structs.asdict(levels)))


def _check(levels: Levels, name: str) -> None:
    if not levels.dense < levels.congested < levels.jammed:
        told = f"{levels.dense:g}, {levels.congested:g}, {levels.jammed:g}"
        raise TrialError(f"limits of {name} must rise from dense over congested to jammed, not {told}")
