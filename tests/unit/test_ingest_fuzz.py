"""Garbage of every sort: nothing raises, nothing grows, and every reading is stored or quarantined exactly once.

The messages come from a seeded generator rather than from hypothesis, which would need hours for a hundred thousand.
"""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random

import mqtt5
import msgspec
import pytest

from ingest.columns import Batch
from ingest.decode import BatchBuilder
from ingest.directory import CatalogueDirectory
from ingest.mqtt5_session import Session
from ingest.paho_transport import Version, _PahoWire
from ingest.routing import Router
from ingest.transport import BrokerRefused, BrokerUnavailable, Frame, Subscription, TakenOver
from ingest.unpack import MAX_READINGS, MAX_UNPACKED_BYTES
from sensors.broker_url import parse_broker_url
from sensors.catalogue import Catalogue, shipped_catalogue
from sensors.kind import load_kinds
from sensors.payload import Reason
from sensors.topics import reading_topic

KINDS = load_kinds()
CATALOGUE = shipped_catalogue()
NOW_US = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
TOPICS = [
    reading_topic(sensor.site, sensor.id, name)
    for sensor in CATALOGUE.sensors
    for name in KINDS.published_by(sensor.kind)
]
CONTENT_TYPES = [None] * 6 + [
    "application/json",
    "application/senml+json",
    "application/gzip",
    "application/json+gzip",
    "application/senml+json+gzip",
    "text/plain; charset=utf-8",
    "\0",
]
ODD_VALUES: list[object] = [
    *(None, True, "", "x", "NaN", "-", -1, 0, 1.5, 2**63, -(2**63), 1e308, -1e308, 5e-324, "\ud800", "\0", "é" * 50),
    *(
        [],
        {},
        [[1]],
        {"a": {"b": {}}},
        "2026-03-01T12:00:00Z",
        "2026-03-01",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ),
]
ODD_TOKENS = [
    b"NaN",
    b"Infinity",
    b"1e999",
    b"-1e999",
    b"1" * 400,
    b"0x1",
    b"1_0",
    b"'a'",
    b"\xff\xfe",
    b"\x00",
    b"\\u0000",
]
GROWTH_BYTES = 8 << 20
"""What the last half may leave behind in memory. A leak of 200 bytes a message would be seen in a hundred thousand."""

Message = tuple[str, bytes, str | None]


class Fuzzer:
    """Messages that are wrong in every way we could think of, a few of them right."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def messages(self, count: int) -> Iterator[Message]:
        for number in range(count):
            # A megabyte now and then: often would only measure how fast it is copied.
            payload = self.huge() if number % 1_000 == 999 else self.payload()
            content_type = self.random.choice(CONTENT_TYPES)
            if content_type is not None and content_type.endswith("gzip") and self.random.random() < 0.8:
                payload = gzip.compress(payload, 1)
            yield self.topic(), payload, content_type

    def topic(self) -> str:
        if self.random.random() < 0.8:
            return self.random.choice(TOPICS)
        topic = list(self.random.choice(TOPICS))
        for _ in range(self.random.randint(1, 4)):
            topic[self.random.randrange(len(topic))] = self.random.choice("/+#é\0 aW1\U0001f4a9" + chr(0xD800))
        return "".join(topic)[: self.random.choice([5, 200])] * self.random.choice([1, 1, 1, 40])

    def payload(self) -> bytes:
        make = self.random.choice([self.reading, self.list, self.senml, self.bytes, self.nested])
        payload = make()
        return self.mutated(payload) if self.random.random() < 0.4 else payload

    def huge(self) -> bytes:
        return self.random.choice(
            [
                self.random.randbytes(1 << 20),
                b"[" + b"{}," * (1 << 18) + b"{}]",
                b'{"time":"' + b"x" * (1 << 20) + b'"}',
                b"[" * (1 << 20),
                gzip.compress(b"0" * (8 << 20)),
                b'[{"n":"count","v":1}' + b',{"n":"count","v":1}' * 40_000 + b"]",
            ]
        )

    def reading(self) -> bytes:
        return _encoded(self._reading())

    def list(self) -> bytes:
        return _encoded([self._reading() for _ in range(self.random.choice([0, 1, 2, 5, 20]))])

    def senml(self) -> bytes:
        labels = ["bn", "bt", "bu", "bv", "bver", "n", "u", "t", "v", "vs", "vb", "s", "x_", "other"]
        names = ["count", "speed_kmh", "W15-F1/count", "seq", "boot", "lane", "direction", "", "/", "a:b"]
        sane: dict[str, Callable[[], object]] = {
            "n": lambda: self.random.choice(names),
            "u": lambda: self.random.choice(["m/s", "km/h", "1", "Cel"]),
            "v": lambda: self.random.random() * 100,
            "bver": lambda: 10,
        }
        records = []
        for _ in range(self.random.randint(1, 6)):
            chosen = [*self.random.sample(labels, self.random.choice([0, 0, 1, 4])), "n", "u", "v"]
            made = {
                name: sane[name]() if name in sane and self.random.random() < 0.9 else self.odd() for name in chosen
            }
            made["bt"] = NOW_US / 1e6 if self.random.random() < 0.9 else self.odd()
            records.append(made)
        return _encoded(records)

    def bytes(self) -> bytes:
        return self.random.randbytes(self.random.choice([0, 1, 10, 100, 1_000]))

    def nested(self) -> bytes:
        depth = self.random.choice([10, 500, 5_000])
        return self.random.choice(
            [b"[" * depth + b"]" * depth, b'{"time":' * depth, b'[{"a":' * depth + b"1" + b"}]" * depth]
        )

    def mutated(self, payload: bytes) -> bytes:
        changed, random = bytearray(payload), self.random
        for _ in range(random.randint(1, 3)):
            at = random.randrange(len(changed) + 1)
            match random.randrange(4):
                case 0:
                    del changed[at:]
                case 1:
                    changed[at:at] = random.choice(ODD_TOKENS)
                case 2:
                    changed[at : at + random.randint(0, 9)] = random.choice(ODD_TOKENS)
                case _:
                    changed[at : at + 1] = bytes([random.randrange(256)])
        return bytes(changed)

    def odd(self) -> object:
        return self.random.choice(ODD_VALUES)

    def _reading(self) -> object:
        if self.random.random() < 0.1:
            return self.odd()
        names = ["count", "speed_kmh", "lane", "direction", "sensor", "seq", "boot", "health", "fill_pct", "plate"]
        values = {name: self.odd() for name in self.random.sample(names, self.random.randint(0, 3))}
        return {
            "time": f"2026-03-01T{self.random.choice([10, 11, 11, 13])}:59:{self.random.randrange(60):02}Z",
            "count": self.random.randrange(9),
            **values,
        }


def _encoded(value: object) -> bytes:
    """As lenient encoders write it: halves of surrogate pairs and numbers beyond 64 bits included."""
    return json.dumps(value).encode()


def readings_in(message: Message, *, known: bool) -> range:
    """How many readings a message holds, told independently: the elements of a list; a pack has at most its records."""
    _, payload, content_type = message
    media = (content_type or "").partition(";")[0]
    if not known:
        return range(1, 2)
    if media.endswith("gzip"):
        try:
            payload = gzip.decompress(payload)
        except (OSError, EOFError):
            return range(1, 2)
        if len(payload) > MAX_UNPACKED_BYTES:
            return range(1, 2)
    try:
        elements = msgspec.json.decode(payload, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return range(1, 2)
    senml = media.startswith("application/senml") or (elements and b'"time"' not in bytes(elements[0]))
    if senml:
        return range(1, max(1, len(elements)) + 1)
    return range(1, 2) if len(elements) > MAX_READINGS else range(max(1, len(elements)), max(1, len(elements)) + 1)


async def loader() -> Catalogue:
    return CATALOGUE


class Ingest:
    """The pure part of ingest, fed message by message, counted batch by batch."""

    def __init__(self) -> None:
        self.router = Router(KINDS, CatalogueDirectory(KINDS, CATALOGUE, loader), lambda: 0.0)
        self.builder = BatchBuilder(0, KINDS, self.router)
        self.stored = 0
        self.reasons: Counter[Reason] = Counter()

    async def take(self, message: Message) -> int:
        """How many readings were stored or quarantined."""
        topic, payload, content_type = message
        await self.router.prepare([topic])
        assert self.builder.add([Frame(topic, payload, NOW_US, 1, 1, content_type=content_type)]) == 1
        return self.counted(self.builder.finish())

    def counted(self, batch: Batch) -> int:
        rows = sum(len(columns.time_us) for columns in batch.columns)
        assert all(entry.detail for entry in batch.quarantined)
        self.stored += rows
        self.reasons.update(entry.reason for entry in batch.quarantined)
        return rows + len(batch.quarantined)


async def fuzz_messages(count: int, seed: int) -> Ingest:
    ingest, grown = Ingest(), 0
    tracemalloc.start()
    for number, message in enumerate(Fuzzer(seed).messages(count)):
        if number == count // 2:
            grown = _memory()
        found = await ingest.take(message)
        expected = readings_in(message, known=message[0] in ingest.router.routes)
        assert found in expected, (message, found, expected)
    assert _memory() - grown < GROWTH_BYTES
    tracemalloc.stop()
    return ingest


def _memory() -> int:
    """Bytes that Python objects hold; the process holds more or less as its allocator likes."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def fuzz_packets(count: int, seed: int) -> Counter[str]:
    """Streams of mutated packets into both parsers, cut anywhere."""
    fuzzer, ends = Fuzzer(seed), Counter[str]()
    loop = asyncio.new_event_loop()
    for number in range(count):
        stream = _stream(fuzzer)
        for name, parser in (("mqtt5", _mqtt5_parser), ("paho", _paho_parser)):
            ends[f"{name} {_fed(parser(number % 100 + 1), stream, fuzzer.random)}"] += 1
    loop.close()
    return ends


def _stream(fuzzer: Fuzzer) -> bytes:
    random = fuzzer.random
    welcome = mqtt5.ConnAckPacket(session_present=True).write()
    granted = mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write()
    packets = [
        mqtt5.PublishPacket(
            random.choice(TOPICS), fuzzer.payload(), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=number
        ).write()
        for number in range(1, random.randint(2, 4))
    ]
    stream = welcome + granted + b"".join(packets)
    return random.choice([fuzzer.mutated, lambda same: same, lambda _: fuzzer.bytes()])(stream)


SUBSCRIPTION = Subscription(client_id="vigie-ingest-0", filters=("#",))
ADDRESS = parse_broker_url("mqtt://127.0.0.1")


def _mqtt5_parser(generation: int) -> Session:
    return Session(ADDRESS, SUBSCRIPTION, generation)


def _paho_parser(generation: int) -> _PahoWire:
    wake = asyncio.Event()
    wire = _PahoWire(ADDRESS, SUBSCRIPTION, Version.V5, clock_us=lambda: NOW_US, wake=wake, generation=generation)
    wire.greet()
    return wire


def _fed(parser: Session | _PahoWire, stream: bytes, random: Random) -> str:
    """How it ends: in a way the transport knows, or waiting for more."""
    frames: list[Frame] = []
    step = random.choice([1, 7, 4_096]) if len(stream) < 2_000 else 4_096
    try:
        for start in range(0, len(stream), step):
            part = stream[start : start + step]
            if isinstance(parser, Session):
                parser.receive(part, NOW_US, frames)
            else:
                parser.parse(part)
    except (BrokerUnavailable, BrokerRefused, TakenOver) as exc:
        return type(exc).__name__
    return "waits"


def assert_varied(ingest: Ingest) -> None:
    """The fuzzer would prove nothing if all of it ended in one way."""
    assert ingest.stored > 0
    possible = set(Reason) - {Reason.REFUSED}
    assert possible <= set(ingest.reasons), possible - set(ingest.reasons)


PANICS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def test_every_reading_in_garbage_is_counted_once() -> None:
    assert_varied(await fuzz_messages(2_000, seed=1))


@PANICS
def test_no_stream_of_packets_crashes_a_parser() -> None:
    ends = fuzz_packets(300, seed=1)
    assert {"mqtt5 waits", "mqtt5 BrokerUnavailable", "paho waits", "paho BrokerUnavailable"} <= set(ends)


@pytest.mark.prove
@pytest.mark.timeout(1800)
async def test_every_reading_in_a_hundred_thousand_messages_of_garbage_is_counted_once() -> None:
    assert_varied(await fuzz_messages(100_000, seed=2))


@PANICS
@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_no_hundred_thousand_streams_of_packets_crash_a_parser() -> None:
    fuzz_packets(100_000, seed=2)
