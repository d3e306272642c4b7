"""Push to a real Grafana and ask every panel's question through it: with GRAFANA_URL, GRAFANA_TOKEN and
GRAFANA_DATABASE_URL, the database as that Grafana reaches it, migrated and with the catalogue."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest

from deploy.grafana.client import Grafana, Refused
from deploy.grafana.push import push
from deploy.grafana.shipped import SOURCE_TYPE, SOURCE_UID, choices, questions, shipped
from store.database import connected
from store.panels.macros import Shown, expand
from store.panels.trial import answer

WANTED = ("GRAFANA_URL", "GRAFANA_TOKEN", "GRAFANA_DATABASE_URL")
pytestmark = pytest.mark.skipif(not all(map(os.environ.get, WANTED)), reason=f"no Grafana: {', '.join(WANTED)}")


async def test_a_real_grafana_takes_the_dashboards_answers_their_questions_and_draws_them() -> None:
    url, token, database_url = (os.environ[name] for name in WANTED)
    end = datetime.now(UTC)
    async with Grafana(url, token) as grafana, connected(database_url, name="test") as conn:
        await push(grafana, shipped("en"), database_url, dry_run=False, say=print)
        assert await push(grafana, shipped("en"), database_url, dry_run=False, say=print) == []
        for dashboard in shipped("en").dashboards:
            variables: dict[str, list[str]] = {}
            view = Shown(end - timedelta(hours=6), end, variables)
            for choice in choices(dashboard):
                variables[choice.name] = [str(row[0]) for row in (await answer(conn, expand(choice.sql, view))).rows]
            for title, sql in questions(dashboard):
                query = {
                    "refId": "A",
                    "datasource": {"type": SOURCE_TYPE, "uid": SOURCE_UID},
                    "rawSql": expand(sql, view),
                    "format": "table",
                }
                asked = {"queries": [query], "from": "now-6h", "to": "now"}
                said = await grafana.call("POST", "/api/ds/query", asked)
                assert "error" not in said["results"]["A"], f"{dashboard['uid']}, {title}"
            await _drawn(grafana, dashboard["uid"])


async def _drawn(grafana: Grafana, uid: str) -> None:
    """Grafana draws only where its image renderer is installed."""
    try:
        await grafana.call("GET", f"/render/d/{uid}?width=1600&height=2000")
    except Refused as exc:
        if exc.status not in {404, 500}:
            raise
