"""What is usual and what is coming, through the real database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest

from analytics.week import SLOTS, Week
from sensors.catalogue import Sensor, Site
from sensors.kind import Kinds
from service.learning import AT_ONCE, learn_some, profiles_of
from store.api_queries import DatabaseSource
from store.catalogue import register_recording, seed
from store.database import Pool, connected, listen, wait_for_notices
from store.outlooks import OutlookRow
from store.states import StepResult, commit_step
from store.usual import USUAL_CHANNEL, due_for_learning, load_usual

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
WAIT_S = 10.0
NAN = np.nan


@pytest.fixture
async def seeded_url(migrated_url: str) -> str:
    await seed(migrated_url)
    return migrated_url


def ask(url: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        cursor = conn.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []


def outlook(thing: str, **rest: Any) -> OutlookRow:
    return OutlookRow(thing, NOW, 0.9, 1, 82.0, 4.5, [15], [60.0], [50.0], [70.0], [80.0], **rest)


async def test_outlook_is_stored_with_its_step_and_shown_with_the_state(migrated_url: str) -> None:
    bare = OutlookRow("b", NOW, None, None, None, None)
    async with connected(migrated_url, name="test") as conn, Pool(migrated_url, name="test", size=1) as pool:
        for rows in ([outlook("a"), bare], [OutlookRow("a", NOW, 0.8, 0, 81.0, 0.5)]):
            await commit_step(conn, StepResult("analysis", {}, outlooks=rows), now=NOW)
        source = DatabaseSource(pool, migrated_url)
        assert await source.outlook("a") == OutlookRow("a", NOW, pytest.approx(0.8), 0, 81.0, 0.5, [], [], [], [], [])
        assert await source.outlook("b") == OutlookRow("b", NOW, None, None, None, None, [], [], [], [], [])
        assert await source.outlook("nobody") is None


async def test_usual_speeds_are_learnt_from_the_means_of_recent_weeks(seeded_url: str, kinds: Kinds) -> None:
    ask(
        seeded_url,
        """
insert into traffic_5min (sensor, time, readings, coverage, speed_kmh_mean)
select 'W12-F1', at, 10, case when extract(minute from at) = 5 then 0.5 else 1 end,
    case when extract(hour from at at time zone 'Europe/Paris') = 8 then 40 else 90 end
    + extract(week from at)::int %% 3 + 1000 * (extract(minute from at) = 5)::int
from generate_series(%s::timestamptz, %s, interval '5 min') as at""",
        NOW - timedelta(weeks=4),
        NOW - timedelta(minutes=5),
    )
    async with connected(seeded_url, name="test") as conn:
        due = await due_for_learning(conn, kinds, before=NOW, limit=1000)
        assert len(due) == 46
        await listen(conn, USUAL_CHANNEL)
        while await learn_some(conn, kinds, NOW):
            pass
        assert await wait_for_notices(conn, WAIT_S) == {USUAL_CHANNEL}
        assert await due_for_learning(conn, kinds, before=NOW, limit=1000) == []
        profiles = profiles_of(await load_usual(conn))
    assert len(profiles) == 46
    eight = int(Week("Europe/Paris").slots(np.array([int(NOW.replace(hour=7).timestamp()) * 1_000_000]))[0])
    assert profiles["W12-F1"].speed_kmh[[eight, eight + 4]].tolist() == [41, 90.5]
    assert profiles["W12-F1"].spread_kmh[eight] == 0.5
    assert np.isnan(profiles["W12-F2"].speed_kmh).all()


async def test_learning_goes_on_a_few_at_a_time_and_again_after_a_day(seeded_url: str, kinds: Kinds) -> None:
    async with connected(seeded_url, name="test") as conn:
        assert await learn_some(conn, kinds, NOW) == AT_ONCE
        first = {row.sensor for row in await load_usual(conn)}
        assert await learn_some(conn, kinds, NOW) == AT_ONCE
        assert len({row.sensor for row in await load_usual(conn)} - first) == AT_ONCE
        while await learn_some(conn, kinds, NOW):
            pass
        assert await learn_some(conn, kinds, NOW + timedelta(hours=23)) == 0
        assert await learn_some(conn, kinds, NOW + timedelta(hours=25)) == AT_ONCE


async def test_what_a_recording_calls_usual_is_condensed_and_never_learnt_over(migrated_url: str, kinds: Kinds) -> None:
    site = Site(id="rec", name="rec", basin="recording", clock="recording", timezone="UTC")
    sensor = Sensor(id="s0", site="rec", kind="traffic")
    async with connected(migrated_url, name="test") as conn:
        usual = [("s0", 300, 900, np.array([80, 82, 84, NAN, NAN, NAN, 60], np.float32))]
        await register_recording(conn, site, [sensor], usual_speeds=usual)
        assert await learn_some(conn, kinds, NOW) == 0
        (profile,) = profiles_of(await load_usual(conn)).values()
    assert profile.speed_kmh[[1, 3]].tolist() == [82, 60]
    assert np.isfinite(profile.speed_kmh).sum() == 2
    assert np.isnan(profile.spread_kmh).all()
    assert len(profile.speed_kmh) == SLOTS
