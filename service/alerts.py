"""What analytics finds, as events of the one feed. The types are a promise to integrators: `docs/api.md` lists them."""

from __future__ import annotations

from datetime import UTC, datetime

from analytics.changes import Change, What
from analytics.health.judge import FaultChange
from sensors.level import Level, Verdict
from store.events import NewEvent

TYPES = {
    What.BEGAN: "vigie.congestion.began.v1",
    What.CHANGED: "vigie.congestion.changed.v1",
    What.ENDED: "vigie.congestion.ended.v1",
    What.LOST: "vigie.congestion.lost.v1",
    What.SILENT: "vigie.sensor.silent.v1",
    What.RETURNED: "vigie.sensor.returned.v1",
}


def event_of(change: Change) -> NewEvent:
    """Word one change; whoever is silent is unknown, also a kind that is not judged."""
    level = Level.UNKNOWN if change.what is What.SILENT else change.level
    data = {
        "level": _label(level),
        "previous": _label(change.previous),
        "verdict": change.verdict.value,
        "site": change.site,
        "kind": change.kind,
        "value": change.value,
        "abnormality": change.evidence.get("abnormality"),
        "evidence": dict(change.evidence),
    }
    return NewEvent(instant(change.time_us), TYPES[change.what], change.thing, data)


def fault_event(change: FaultChange) -> NewEvent:
    """Word a fault that began, or is over."""
    data = {
        "fault": change.fault.value,
        "scope": change.scope.value,
        "verdict": Verdict.SENSOR.value if change.began else Verdict.UNKNOWN.value,
        "site": change.site,
        "kind": change.kind,
        "since": rfc3339(change.since_us),
        "evidence": dict(change.evidence),
    }
    kind = "vigie.sensor.faulty.v1" if change.began else "vigie.sensor.recovered.v1"
    return NewEvent(instant(change.time_us), kind, change.place, data)


def rfc3339(time_us: int) -> str:
    return instant(time_us).isoformat().replace("+00:00", "Z")


def instant(time_us: int) -> datetime:
    """Microseconds since 1970 as an aware time, exactly."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).replace(microsecond=time_us % 1_000_000)


def _label(level: Level | None) -> str | None:
    return None if level is None else level.label
