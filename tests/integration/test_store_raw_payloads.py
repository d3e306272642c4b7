from __future__ import annotations

from ingest.raw import RING, RawPayload
from store.database import connected
from store.raw_payloads import RawPayloads, raw_payloads_of


def payloads(thing: str, numbers: range) -> list[RawPayload]:
    reasons = (None, "future")
    return [RawPayload(thing, n * 1_000_000, "t", b"%d" % n, 1, redacted=False, reason=reasons[n % 2]) for n in numbers]


async def test_each_thing_keeps_its_last_payloads_across_writers(migrated_url: str) -> None:
    for numbers in (range(15), range(15, 30), range(30, 31)):
        store = RawPayloads(migrated_url)
        await store.keep([*payloads("a", numbers), *payloads("b", range(1))])
        await store.close()
    async with connected(migrated_url, name="test") as conn:
        found = await raw_payloads_of(conn, "a")
        assert [int(row.payload) for row in found] == list(range(30, 30 - RING, -1))
        assert {row.reason for row in found} == {None, "future"}
        assert len(await raw_payloads_of(conn, "b")) == 3
        assert await raw_payloads_of(conn, "c") == []


async def test_more_than_a_ring_at_once_keeps_the_last(migrated_url: str) -> None:
    store = RawPayloads(migrated_url)
    await store.keep(payloads("a", range(70)))
    async with connected(migrated_url, name="test") as conn:
        assert [int(row.payload) for row in await raw_payloads_of(conn, "a")] == list(range(69, 69 - RING, -1))
    await store.close()
