"""What is forgotten of alarms: those long over, who did what and said what, and answers nobody asks for again."""

from __future__ import annotations

from datetime import datetime, timedelta

from analytics.alarms.lifecycle import MACHINE
from store.database import Connection

ANSWER_DAYS = 7.0
"""How long an action's answer can be asked for again: shorter acts twice for a client that was away over a weekend."""
SOMEBODY = "somebody"

_ALARMS = "delete from alarm where closed_at < %s"
_ANSWERS = "delete from answered where answered_at < %s"
_NAMES = (
    """update alarm_transition set who = %(somebody)s, why = case when action in ('comment', 'respond', 'confirm',
        'acknowledge', 'unshelve') then '' else why end
    where recorded_at < %(old)s and who not in (%(somebody)s, %(machine)s)""",
    """update shift set operator = %(somebody)s, note = ''
    where ended_at < %(old)s and (operator <> %(somebody)s or note <> '')""",
    """update maintenance set who = %(somebody)s, ended_by = case when ended_by is null then null else %(somebody)s end
    where ends_at < %(old)s and who <> %(somebody)s""",
)


async def forget_alarms(conn: Connection, alarm_days: float, name_days: float, *, now: datetime) -> None:
    """Drop alarms that were over so long, and empty names and comments that are so old."""
    names = {"old": now - timedelta(days=name_days), "somebody": SOMEBODY, "machine": MACHINE}
    async with conn.transaction():
        await conn.execute(_ALARMS, (now - timedelta(days=alarm_days),))
        await conn.execute(_ANSWERS, (now - timedelta(days=ANSWER_DAYS),))
        for statement in _NAMES:
            await conn.execute(statement, names)
