from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.revisions import MAX_APART, Revision, announcements

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
STORED = START + timedelta(days=1)


def revision(bucket: int = 0, **changed: Any) -> Revision:
    values: dict[str, Any] = {
        "kind": "wind",
        "resolution": "5min",
        "fields": ["speed_ms", "gust_ms"],
        "thing": "W01-M1",
        "start": START + bucket * timedelta(minutes=5),
        "stored_at": STORED + timedelta(seconds=bucket),
        "late": True,
        "old_readings": 1,
        "old_coverage": 0.5,
        "old_means": [4.0, None],
        "readings": 2,
        "coverage": 1.0,
        "means": [6.0, 9.0],
    }
    return Revision(**values | changed)


def test_one_bucket_is_told_as_it_is() -> None:
    (event,) = announcements([revision()])
    assert (event.type, event.subject, event.time) == ("vigie.aggregate.revised.v1", "W01-M1", STORED)
    assert event.data == {
        "kind": "wind",
        "resolution": "5min",
        "from": "2026-03-02T08:00:00Z",
        "to": "2026-03-02T08:05:00Z",
        "buckets": 1,
        "why": "late",
        "old": {"readings": 1, "coverage": 0.5, "mean": {"speed_ms": 4.0, "gust_ms": None}},
        "new": {"readings": 2, "coverage": 1.0, "mean": {"speed_ms": 6.0, "gust_ms": 9.0}},
    }


def test_a_backlog_is_one_event_weighted_by_readings() -> None:
    (event,) = announcements([revision(2, readings=6, means=[2.0, None]), revision(0), revision(1, late=False)])
    assert (event.data["from"], event.data["to"], event.data["buckets"]) == (
        "2026-03-02T08:00:00Z",
        "2026-03-02T08:15:00Z",
        3,
    )
    assert event.data["new"] == {"readings": 10, "coverage": 1.0, "mean": {"speed_ms": 3.6, "gust_ms": 9.0}}
    assert event.time == STORED + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("apart", "events"), [(1, 1), (MAX_APART, 1), (MAX_APART + 1, 2)], ids=["next", "a few between", "far"]
)
def test_buckets_far_apart_are_different_events(apart: int, events: int) -> None:
    assert len(announcements([revision(0), revision(apart)])) == events


@pytest.mark.parametrize("other", [{"thing": "W02-M1"}, {"kind": "traffic"}, {"resolution": "1h"}])
def test_things_kinds_and_resolutions_are_told_apart(other: dict[str, Any]) -> None:
    assert len(announcements([revision(0), revision(1, **other)])) == 2


def test_readings_that_came_in_time_and_were_stored_late_are_told_as_such() -> None:
    (event,) = announcements([revision(late=False)])
    assert event.data["why"] == "stored_late"


def test_events_have_no_coverage() -> None:
    (event,) = announcements([revision(0, old_coverage=None, coverage=None), revision(1, coverage=None)])
    assert event.data["new"]["coverage"] is None  # type: ignore[index]


def test_nothing_revised_is_nothing_to_tell() -> None:
    assert announcements([]) == []
