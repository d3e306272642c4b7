"""What is forgotten of alarms: names and comments after their days, alarms long over, answers to old keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from analytics.alarms.conditions import CONGESTION, Happening
from analytics.alarms.desk import Desk
from analytics.alarms.lifecycle import Action
from analytics.alarms.machine import Deed, noted
from analytics.alarms.rulebook import shipped_rules
from sensors.catalogue import shipped_catalogue
from store.alarms.actions import act_on_alarm
from store.alarms.duty import hand_over, shifts
from store.alarms.queries import find_alarm, trail_of
from store.alarms.retention import forget_alarms
from store.alarms.standing import save_standing
from store.database import connected

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
DATA = {"kind": "gate", "site": "W07", "level": "jammed"}


async def test_names_and_comments_go_and_what_was_done_stays(migrated_url: str) -> None:
    desk = Desk(shipped_rules(), shipped_catalogue(), CONGESTION)
    desk.take(Happening(NOW, "vigie.congestion.began.v1", "W07-G1", DATA), NOW)
    async with connected(migrated_url, name="test") as conn:
        async with conn.transaction():
            await save_standing(conn, desk.changed(), now=NOW)
        deed = Deed("M. Durand", NOW, "called Mme Petit")
        await act_on_alarm(conn, 1, lambda life: noted(life, Action.COMMENT, deed), now=NOW)
        await hand_over(conn, "M. Durand", "all calm", NOW)
        await hand_over(conn, "Mme Petit", "", NOW)
        await forget_alarms(conn, 3650, 365, now=NOW + 364 * DAY)
        assert [step.transition.who for step in await trail_of(conn, 1)] == ["vigie", "M. Durand"]
        await forget_alarms(conn, 3650, 365, now=NOW + 366 * DAY)
        steps = [(one.transition.who, one.transition.action, one.transition.why) for one in await trail_of(conn, 1)]
        assert steps == [("vigie", "raise", "jammed"), ("somebody", "comment", "")]
        assert [(shift.operator, shift.note) for shift in await shifts(conn, 9)] == [
            ("Mme Petit", ""),
            ("somebody", ""),
        ]


async def test_only_alarms_that_are_over_are_dropped_with_their_trail(migrated_url: str) -> None:
    desk = Desk(shipped_rules(), shipped_catalogue(), CONGESTION)
    for thing in ("W07-G1", "W07-G2"):
        desk.take(Happening(NOW, "vigie.congestion.began.v1", thing, DATA), NOW)
    async with connected(migrated_url, name="test") as conn, conn.transaction():
        await save_standing(conn, desk.changed(), now=NOW)
        await conn.execute("update alarm set closed_at = %s where id = 1", (NOW,))
        await forget_alarms(conn, 30, 365, now=NOW + 31 * DAY)
        assert await find_alarm(conn, 1) is None
        assert await trail_of(conn, 1) == []
        assert await find_alarm(conn, 2) is not None
