"""A publisher that is never the bottleneck: every packet is made before the start, then only bytes are moved.

A process of its own (`python -m service.bench.publisher`), speaking MQTT 5 at QoS 1 with at most `WINDOW` messages
unacknowledged. A PUBACK that is not plain success ends it: the broker would not have kept the message.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import mqtt5

from sensors.catalogue import shipped_catalogue
from service.bench.broker import RECEIVED_BYTES, NotAccepted, connected
from service.bench.stream import Stream
from service.bench.wire import Done, Work, answer, cpu_s, receive, wait_for_go

WINDOW = 2_000
_CHUNK = 50
"""Messages in one write; larger makes the window coarse, smaller costs system calls."""
_PACKET_IDS = 60_000
_PUBACK = 0x40
_SHORT = 2
"""Length of a PUBACK that says nothing but success."""


def encode(stream: Stream) -> list[bytes]:
    """The packets of a stream, `_CHUNK` to a buffer."""
    packets: Iterator[bytes] = (
        mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number % _PACKET_IDS + 1).write()
        for number, (topic, payload) in enumerate(stream.messages())
    )
    together = list(packets)
    return [b"".join(together[at : at + _CHUNK]) for at in range(0, len(together), _CHUNK)]


def count_acknowledgements(buffer: bytearray) -> int:
    """Take all complete PUBACKs from the front of `buffer`; how many there were."""
    at = found = 0
    while at + 1 < len(buffer) and at + 2 + buffer[at + 1] <= len(buffer):
        if buffer[at] != _PUBACK or (buffer[at + 1] > _SHORT and buffer[at + 4]):
            raise NotAccepted(f"the broker answered {bytes(buffer[at : at + 6]).hex(' ')}")
        at += 2 + buffer[at + 1]
        found += 1
    del buffer[:at]
    return found


def publish(connection: socket.socket, chunks: list[bytes], messages: int) -> None:
    """Send all chunks and return when every message is acknowledged."""
    buffer, sent, acknowledged, at = bytearray(), 0, 0, 0
    while acknowledged < messages:
        while at < len(chunks) and sent - acknowledged <= WINDOW - _CHUNK:
            connection.sendall(chunks[at])
            at += 1
            sent = min(messages, at * _CHUNK)
        received = connection.recv(RECEIVED_BYTES)
        if not received:
            raise NotAccepted("the broker closed the connection")
        buffer += received
        acknowledged += count_acknowledgements(buffer)


def main() -> None:
    """Prepare, wait for the start, publish, tell how it went."""
    work = receive(Work)
    chunks = encode(Stream(work.plan, shipped_catalogue()))
    with connected(work.broker_url, "bench-publisher") as connection:
        wait_for_go()
        started, cpu = time.monotonic(), cpu_s()
        publish(connection, chunks, work.plan.messages)
        answer(Done(work.plan.messages, started, time.monotonic(), cpu_s() - cpu))


if __name__ == "__main__":
    main()
