"""Situations in the database: written with a step, chosen, paged, forgotten with the feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sensors.kind import Kinds
from store.database import connected
from store.events import NewEvent
from store.retention import Retention, apply_retention
from store.situations import SituationChoice, SituationRow, load_situation_memory, read_situation, read_situations
from store.states import StepResult, commit_step

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def row(name: str, *, began: int, ended: int | None = None, site: str = "W07") -> SituationRow:
    """Minutes are counted from NOW."""
    end = None if ended is None else NOW + timedelta(minutes=ended)
    state = "open" if ended is None else "ended"
    onset = NOW + timedelta(minutes=began)
    return SituationRow(name, "gate", state, 2, onset, end, NOW, [site], {"situation": name})


async def test_a_step_writes_situations_and_what_is_remembered(migrated_url: str) -> None:
    async with connected(migrated_url, name="test") as conn:
        step = StepResult(
            "analysis", {}, situations=[row("a", began=-9)], situation_memory={"zone west": {"step_us": 1}}
        )
        await commit_step(conn, step, now=NOW)
        again = StepResult(
            "analysis", {}, situations=[row("a", began=-9, ended=0)], situation_memory={"zone west": [2]}
        )
        await commit_step(conn, again, now=NOW)
        assert await read_situation(conn, "a") == row("a", began=-9, ended=0)
        assert await read_situation(conn, "b") is None
        assert await load_situation_memory(conn) == {"zone west": [2]}


async def test_situations_are_chosen_by_state_site_and_time(migrated_url: str) -> None:
    rows = [row("old", began=-90, ended=-60), row("here", began=-9), row("there", began=-5, site="E01")]
    async with connected(migrated_url, name="test") as conn:
        await commit_step(conn, StepResult("analysis", {}, situations=rows), now=NOW)

        async def chosen(choice: SituationChoice) -> list[str]:
            return [found.id for found in await read_situations(conn, choice, before=None, limit=10)]

        assert await chosen(SituationChoice()) == ["there", "here"]
        assert await chosen(SituationChoice(open=False)) == ["old"]
        assert await chosen(SituationChoice(open=None)) == ["there", "here", "old"]
        assert await chosen(SituationChoice(site="W07")) == ["here"]
        assert await chosen(SituationChoice(open=None, start=NOW - timedelta(minutes=59))) == ["there", "here"]
        assert await chosen(SituationChoice(open=None, end=NOW - timedelta(minutes=8))) == ["here", "old"]


async def test_pages_go_on_after_the_last_one_seen(migrated_url: str) -> None:
    rows = [row(name, began=-9) for name in "abc"]
    async with connected(migrated_url, name="test") as conn:
        await commit_step(conn, StepResult("analysis", {}, situations=rows), now=NOW)
        first = await read_situations(conn, SituationChoice(), before=None, limit=2)
        rest = await read_situations(conn, SituationChoice(), before=first[-1].id, limit=2)
    assert [found.id for found in (*first, *rest)] == ["c", "b", "a"]


async def test_situations_go_with_their_events(migrated_url: str, kinds: Kinds) -> None:
    told = NewEvent(NOW, "vigie.situation.ended.v1", "told", {})
    rows = [row("told", began=-90, ended=-60), row("silent", began=-90, ended=-60), row("open", began=-90)]
    async with connected(migrated_url, name="test") as conn:
        await commit_step(conn, StepResult("analysis", {}, events=[told], situations=rows), now=NOW)
        left = {1.0: {"told", "open"}, 0.0: {"open"}}
        for days, expected in left.items():
            kept = Retention(raw_days=1, rollup_days=1, batch_days=1, quarantine_days=1, event_days=days)
            await apply_retention(conn, kinds, kept, now=datetime.now(UTC) + timedelta(minutes=1))
            found = await read_situations(conn, SituationChoice(open=None), before=None, limit=9)
            assert {one.id for one in found} == expected
