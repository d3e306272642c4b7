"""The service one would write first: aiomqtt, json, executemany. What Vigie is measured against.

A process of its own (`python -m service.bench.naive`). It is honest work: one row a message, parameters and not string
pasting, `BATCH` rows a transaction, redeliveries absorbed by ON CONFLICT. It checks nothing, and aiomqtt acknowledges
on arrival, so what it holds is lost when it dies.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime

import aiomqtt
import psycopg

from sensors.broker_url import parse_broker_url
from service.bench.wire import Done, Work, answer, cpu_s, receive, wait_for_go

BATCH = 500

_INSERT = """
insert into traffic (sensor, time, received_at, boot, seq, batch, quality,
    count, flow_veh_h, occupancy_pct, speed_kmh, hgv_share)
values (%s, %s, now(), %s, %s, 0, 0, %s, %s, %s, %s, %s)
on conflict do nothing"""

Row = tuple[str, datetime, int, int, float, float, float, float, float]


def row(message: aiomqtt.Message) -> Row:
    """The parameters of one message."""
    if not isinstance(message.payload, bytes):
        raise TypeError(f"a payload of {type(message.payload).__name__}")
    reading = json.loads(message.payload)
    return (
        str(message.topic).split("/")[4],
        datetime.fromisoformat(reading["time"]),
        *(reading[name] for name in ("boot", "seq")),
        *(reading[name] for name in ("count", "flow_veh_h", "occupancy_pct", "speed_kmh", "hgv_share")),
    )


async def serve(work: Work) -> Done:
    """Store all messages of the plan; returns after the last commit."""
    address = parse_broker_url(work.broker_url)
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=address.user,
        password=address.password,
        identifier="bench-naive",
        protocol=aiomqtt.ProtocolVersion.V5,
    )
    async with await psycopg.AsyncConnection.connect(work.database_url) as conn, client:
        await client.subscribe("vigie/1/readings/#", qos=1)
        await asyncio.to_thread(wait_for_go)
        started, cpu = time.monotonic(), cpu_s()
        await store(conn, client, work.plan.messages)
        return Done(work.plan.messages, started, time.monotonic(), cpu_s() - cpu)


async def store(conn: psycopg.AsyncConnection, client: aiomqtt.Client, messages: int) -> None:
    rows: list[Row] = []
    stored = 0
    async for message in client.messages:
        rows.append(row(message))
        if len(rows) == BATCH or stored + len(rows) == messages:
            async with conn.cursor() as cursor:
                await cursor.executemany(_INSERT, rows)
            await conn.commit()
            stored += len(rows)
            rows.clear()
        if stored == messages:
            return


def main() -> None:
    """Prepare, wait for the start, store, tell how it went."""
    answer(asyncio.run(serve(receive(Work))))


if __name__ == "__main__":
    main()
