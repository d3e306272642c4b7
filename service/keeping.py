"""For how long everything is kept, as the settings say."""

from __future__ import annotations

from sensors.errors import OperatorError
from sensors.kind import Kinds
from service.settings import Settings
from store.retention import Retention

BATCH_DAYS = 7.0
"""Batches are only read by those who come after: a week covers a long weekend with a stopped reader."""


class UnknownKindError(OperatorError):
    """Days for a kind that does not exist: a typing error would keep, or drop, the wrong readings."""


def retention_of(settings: Settings, kinds: Kinds) -> Retention:
    """Raises `UnknownKindError`."""
    if unknown := sorted(settings.kind_days.keys() - kinds.keys()):
        raise UnknownKindError(f"setting kind_days names {unknown[0]!r}; the kinds are {', '.join(sorted(kinds))}")
    return Retention(
        raw_days=settings.raw_days,
        rollup_days=settings.rollup_days,
        batch_days=min(BATCH_DAYS, settings.raw_days, *settings.kind_days.values()),
        quarantine_days=settings.quarantine_days,
        event_days=settings.event_days,
        kind_days=settings.kind_days,
        resolution_days=settings.resolution_days,
    )
