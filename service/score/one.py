"""`vigie score --truth FILE`: the truth of one run against what a running system has said, through its API alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sensors.catalogue import shipped_catalogue
from service.score.client import read_alerts
from service.score.ground import ground_of
from service.score.spans import Span
from service.score.tally import Figures, tallied
from service.score.watch import watch_of
from simulators.truth import read_truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A truth, the system that is asked, and the part of the run that counts."""

    truth: Path
    url: str
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def score_one(question: Question) -> Figures:
    """Compare; raises `TruthError`, `NoAnswerError` or `FeedError`."""
    ground = ground_of(await asyncio.to_thread(read_truth, question.truth))
    start_s = question.since.timestamp() if question.since else ground.span.start_s
    end_s = question.until.timestamp() if question.until else ground.span.end_s
    part = ground.cut(Span(start_s, end_s))
    alerts = await read_alerts(question.url, key=question.key)
    return tallied(part, alerts, watch_of(shipped_catalogue())).figures(ground.scenario)
