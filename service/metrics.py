"""Ingest's commits as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest.counters import Commit

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


class IngestMetrics:
    """An observer of ingest slots."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = Counter(
            "vigie_ingest_messages", "Messages by what became of them", ("slot", "outcome"), registry=registry
        )
        self._reasons = Counter(
            "vigie_ingest_quarantined", "Messages in quarantine by reason", ("slot", "reason"), registry=registry
        )
        self._remarks = Counter(
            "vigie_ingest_remarks", "Stored readings by remark (docs/quality.md)", ("slot", "remark"), registry=registry
        )
        self._clocks_off = Gauge(
            "vigie_ingest_clocks_off", "Sensors whose clock is known to be off", ("slot",), registry=registry
        )
        self._age = Histogram(
            "vigie_ingest_commit_seconds",
            "From the first arrival in a batch to its commit",
            ("slot",),
            registry=registry,
            buckets=_SECONDS,
        )

    def committed(self, commit: Commit) -> None:
        slot, outcome = str(commit.slot), commit.outcome
        for name in ("committed", "duplicates", "conflicts", "quarantined"):
            self._messages.labels(slot, name).inc(getattr(outcome, name))
        for reason, count in commit.reasons.items():
            self._reasons.labels(slot, reason.value).inc(count)
        for remark, count in commit.remarks.items():
            self._remarks.labels(slot, remark).inc(count)
        self._clocks_off.labels(slot).set(commit.clocks_off)
        self._age.labels(slot).observe(commit.oldest_s)


def quarantine_drops(registry: CollectorRegistry) -> Callable[[int], None]:
    """Count what the bound on the quarantine's size drops."""
    dropped = Counter("vigie_quarantine_dropped", "Entries dropped to stay within quarantine_mb", registry=registry)
    return dropped.inc
