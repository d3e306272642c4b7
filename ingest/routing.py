"""From topics to routes: what is known about a topic is looked up once and kept.

An unknown sender makes the directory be read again, once per topic and within a budget: a flood of unknown topics must
not hammer the database, and a sensor registered a moment ago must not lose its first reading.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ingest.directory import Directory, Known
from sensors.kind import Kinds
from sensors.payload import PayloadCodec, Reading, Reason, Rejected
from sensors.topics import parse_reading_topic

_REMEMBERED = 10_000
"""Unknown topics that are remembered, so that memory stays bounded whatever is sent."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where the messages of one topic go."""

    known: Known
    decode: Callable[[bytes], Reading | Rejected]
    convert: Callable[[Mapping[str, object]], Reading | Rejected]


@dataclass(slots=True, kw_only=True)
class RefreshBudget:
    """How often unknown topics may cause a refresh: `burst` at once, then one per `every_s`.

    Too much and a flood of invented sensors loads the database; too little and during such a flood a new sensor's first
    readings are quarantined. A topic is tried again after `forget_s`.
    """

    burst: float = 5.0
    every_s: float = 5.0
    forget_s: float = 30.0


class Router:
    """Routes by topic; `monotonic` is a clock in seconds."""

    def __init__(
        self, kinds: Kinds, directory: Directory, monotonic: Callable[[], float], budget: RefreshBudget | None = None
    ) -> None:
        self.routes: dict[str, Route] = {}
        """Topics that are known; read directly by the decoder for speed."""
        self._codecs = {name: PayloadCodec(kind) for name, kind in kinds.items()}
        self._directory = directory
        self._version = directory.version
        self._monotonic = monotonic
        self._budget = budget or RefreshBudget()
        self._tokens = self._budget.burst
        self._counted_at = monotonic()
        self._missing: dict[str, float] = {}

    async def prepare(self, topics: Collection[str]) -> None:
        """Look up topics not seen before, with one refresh of the directory where one is unknown.

        Raises `SinkUnavailable` when the directory cannot be refreshed: then nobody may be called unknown.
        """
        self._forget_outdated()
        now = self._monotonic()
        unknown = [topic for topic in topics if not self._learn(topic)]
        fresh = [topic for topic in unknown if self._worth_a_refresh(topic, now)]
        if fresh and self._may_refresh(now):
            await self._directory.refresh()
            # Spent only now: an attempt that failed is made again, and must not end as "unknown".
            self._tokens -= 1
            self._forget_outdated()
            missing = [topic for topic in topics if not self._learn(topic)]
            self._remember_missing(missing, now)

    def explain(self, topic: str) -> tuple[str | None, str | None, Rejected]:
        """Site and thing, as far as the topic names them, and why it has no route."""
        parts = parse_reading_topic(topic)
        if parts is None:
            return None, None, Rejected(Reason.TOPIC, "not vigie/1/readings/<site>/<sensor>/<kind>")
        found = self._directory.lookup(*parts)
        if isinstance(found, Known):
            return parts.site, parts.thing, Rejected(Reason.UNKNOWN_SENSOR, "registered only after the message came")
        return parts.site, parts.thing, found

    def _learn(self, topic: str) -> bool:
        if topic in self.routes:
            return True
        parts = parse_reading_topic(topic)
        found = self._directory.lookup(*parts) if parts else None
        if not isinstance(found, Known):
            return False
        codec = self._codecs[found.kind.name]
        self.routes[topic] = Route(found, codec.decode, codec.convert)
        return True

    def _forget_outdated(self) -> None:
        if self._version != self._directory.version:
            self._version = self._directory.version
            self.routes.clear()
            self._missing.clear()

    def _worth_a_refresh(self, topic: str, now: float) -> bool:
        parts = parse_reading_topic(topic)
        asked_at = self._missing.get(topic)
        return (
            parts is not None
            and parts.kind in self._codecs
            and (asked_at is None or now - asked_at > self._budget.forget_s)
        )

    def _may_refresh(self, now: float) -> bool:
        earned = (now - self._counted_at) / self._budget.every_s
        self._tokens = min(self._budget.burst, self._tokens + earned)
        self._counted_at = now
        return self._tokens >= 1

    def _remember_missing(self, topics: list[str], now: float) -> None:
        if len(self._missing) + len(topics) > _REMEMBERED:
            self._missing.clear()
        self._missing.update(dict.fromkeys(topics[:_REMEMBERED], now))
