from __future__ import annotations

import os
from urllib.parse import urlsplit

import psycopg
import pytest

from store.scratch import scratch_database

NAME = f"scratch_{os.getpid()}"


def count(url: str) -> int:
    with psycopg.connect(url) as conn:
        row = conn.execute("select count(*) from traffic").fetchone()
    assert row is not None
    return int(row[0])


async def test_a_copy_has_the_readings_of_its_template_and_goes_its_own_way(migrated_url: str) -> None:
    template = urlsplit(migrated_url).path.removeprefix("/")
    insert = "insert into traffic (sensor, time, received_at, batch, quality) values ('a', %s, now(), 1, 0)"
    with psycopg.connect(migrated_url) as conn:
        conn.execute(insert, ("2026-03-02T08:00:00Z",))
    async with scratch_database(migrated_url.replace(template, "postgres"), NAME, template=template) as url:
        with psycopg.connect(url) as conn:
            conn.execute(insert, ("2026-03-20T08:00:00Z",))
        assert (count(url), count(migrated_url)) == (2, 1)
    with pytest.raises(psycopg.OperationalError):
        count(url)
