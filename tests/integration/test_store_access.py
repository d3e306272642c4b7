"""Grants, and the rows that a terminal is kept to, on the real database."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from service.access import ensure_local_key, give, key_for, read_key
from service.settings import Settings
from store.access import SESSION_LASTS, Grant, find_grant, forget_grants, list_grants, redeem_link, revoke_grants
from store.database import Connection, connected
from store.events import NewEvent, append_events
from store.feed import FeedChoice, feed_after, feed_newest

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def hashed(number: int) -> bytes:
    return bytes([number]) * 32


async def add(conn: Connection, **given: Any) -> tuple[bytes, Grant]:
    token, grant = await give(conn, given.pop("use", "key"), "M. Durand", scopes=["operate"], **given)
    row = await (await conn.execute("select hash from access_grant where id = %s", (grant.id,))).fetchone()
    assert row is not None
    assert token.encode() not in bytes(row[0])
    return bytes(row[0]), grant


async def test_a_key_is_found_until_it_is_revoked_or_over(migrated_url: str) -> None:
    async with connected(migrated_url, name="test") as conn:
        held, grant = await add(conn)
        over, _ = await add(conn, lasts=timedelta(seconds=-1))
        assert (await find_grant(conn, held, "key")) == grant
        assert await find_grant(conn, held, "session") is None
        assert await find_grant(conn, over, "key") is None
        assert next(one for one in await list_grants(conn) if one.id == grant.id).used_at is not None
        assert [one.id for one in await revoke_grants(conn, str(grant.id))] == [grant.id]
        assert await find_grant(conn, held, "key") is None
        assert await revoke_grants(conn, "M. Durand") == []
        assert await revoke_grants(conn, "9" * 40) == []
        await conn.execute("update access_grant set revoked_at = now() - interval '91 days' where id = %s", (grant.id,))
        assert await forget_grants(conn) == 1


async def test_of_two_who_open_a_link_at_once_one_gets_the_session(migrated_url: str) -> None:
    async with connected(migrated_url, name="one") as one, connected(migrated_url, name="two") as two:
        held, _ = await add(one, use="link", lasts=timedelta(hours=1))
        calls = (redeem_link(conn, held, hashed(n), SESSION_LASTS) for n, conn in enumerate((one, two)))
        (session,) = [found for found in await asyncio.gather(*calls) if found is not None]
        assert (session.use, session.name, session.scopes) == ("session", "M. Durand", ["operate"])
        assert await redeem_link(one, held, hashed(3), SESSION_LASTS) is None


async def test_the_key_of_this_machine_is_made_anew_when_it_is_gone_and_kept_when_not(
    migrated_url: str, tmp_path: Any
) -> None:
    path = tmp_path / "home" / "access.key"
    await ensure_local_key(path.parent, migrated_url)
    first = read_key(path)
    assert first is not None
    assert path.stat().st_mode & 0o077 == 0
    await ensure_local_key(path.parent, migrated_url)
    assert read_key(path) == first
    async with connected(migrated_url, name="test") as conn:
        await revoke_grants(conn, "this machine")
    await ensure_local_key(path.parent, migrated_url)
    assert read_key(path) not in {None, first}
    settings = Settings(home=str(path.parent))
    assert key_for("http://127.0.0.1:8090", settings) == read_key(path)
    assert key_for("https://other.example", settings) is None


async def test_the_feed_within_sites_has_what_happened_there_alone(migrated_url: str) -> None:
    about: list[dict[str, object]] = [
        {"site": "W07"},
        {"site": "W05"},
        {"sites": ["W07", "W08"]},
        {"sites": ["W05", "W07"]},
        {"site": "W07", "sites": ["W03"]},
        {"began": "x"},
        {"site": None},
        {"sites": []},
        {"site": "W07", "sites": None},
    ]
    events = [NewEvent(NOW, "vigie.flood.began.v1", str(number), data) for number, data in enumerate(about)]
    async with connected(migrated_url, name="test") as conn:
        async with conn.transaction():
            await append_events(conn, events)
        choice = FeedChoice(within=["W07", "W08"])
        found = await feed_after(conn, 0, 100, choice)
        assert [row.subject for row in found] == ["0", "2", "8"]
        assert found == await feed_newest(conn, 100, choice)
        assert found == [row for row in await feed_after(conn, 0, 100) if choice.matches(row)]
        assert await feed_after(conn, 0, 100, FeedChoice(within=[])) == []
