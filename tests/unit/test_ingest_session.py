"""The MQTT 5 session as a pure state machine: what it answers, what it refuses, what garbage does to it."""

from __future__ import annotations

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt5_session import Parser, Session
from ingest.transport import MAX_PACKET_BYTES, BrokerRefused, BrokerUnavailable, Frame, Subscription, TakenOver
from sensors.broker_url import parse_broker_url

ADDRESS = parse_broker_url("mqtt://someone:s3cret@broker.example:1883")
PANICS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""The parser reports invalid UTF-8 twice: as a panic, which we handle, and as an exception that nobody can catch."""

SUBSCRIPTION = Subscription(client_id="vigie-ingest-0", filters=("vigie/1/readings/#",), window=50)


def session(generation: int = 1) -> Session:
    return Session(ADDRESS, SUBSCRIPTION, generation)


def publish(packet_id: int, payload: bytes = b"{}") -> bytes:
    return mqtt5.PublishPacket("a/b", payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=packet_id).write()


def opened(generation: int = 1) -> Session:
    new = session(generation)
    new.receive(mqtt5.ConnAckPacket(session_present=True).write(), 0, [])
    new.receive(mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]).write(), 0, [])
    return new


def read(data: bytes) -> list[mqtt5.Packet]:
    return Parser().feed(data)


def test_connect_asks_for_a_persistent_session_with_our_window_and_packet_size() -> None:
    (connect,) = read(session().connect())
    assert isinstance(connect, mqtt5.ConnectPacket)
    assert (connect.clean_start, connect.session_expiry_interval) == (False, 7 * 86_400)
    assert (connect.receive_max, connect.max_packet_size) == (50, MAX_PACKET_BYTES)
    assert (connect.username, connect.password) == ("someone", b"s3cret")


def test_a_present_session_subscribes_again_and_never_asks_for_retained_messages() -> None:
    new = session()
    (subscribe,) = read(new.receive(mqtt5.ConnAckPacket(session_present=True).write(), 0, []))
    assert isinstance(subscribe, mqtt5.SubscribePacket)
    (wanted,) = subscribe.topic_filters
    assert wanted.pattern == "vigie/1/readings/#"
    assert wanted.retain_handling == mqtt5.RetainHandling.SEND_NEVER
    assert not new.ready


def test_a_session_is_ready_after_its_suback() -> None:
    assert opened().ready
    assert opened().session_present


def test_frames_that_arrive_before_the_suback_are_kept() -> None:
    new, frames = session(), list[Frame]()
    new.receive(mqtt5.ConnAckPacket(session_present=True).write() + publish(3, b"early"), 77, frames)
    assert [(frame.payload, frame.received_us, frame.qos) for frame in frames] == [(b"early", 77, 1)]


def test_frames_are_the_same_however_the_stream_is_cut() -> None:
    stream = publish(1, b"x" * 300) + publish(2) + publish(3)
    for size in range(1, len(stream)):
        cut, frames = opened(), list[Frame]()
        for start in range(0, len(stream), size):
            cut.receive(stream[start : start + size], 0, frames)
        assert [len(frame.payload) for frame in frames] == [300, 2, 2]


def test_each_frame_is_acknowledged_by_its_packet_id() -> None:
    new, frames = opened(), list[Frame]()
    new.receive(publish(7) + publish(65_535), 0, frames)
    acks = read(new.acknowledgements(frames))
    assert [ack.packet_id for ack in acks if isinstance(ack, mqtt5.PubAckPacket)] == [7, 65_535]


def test_frames_at_qos_0_have_nothing_to_acknowledge() -> None:
    new, frames = opened(), list[Frame]()
    new.receive(mqtt5.PublishPacket("a/b", b"{}").write(), 0, frames)
    assert frames[0].token is None
    assert new.acknowledgements(frames) == b""


@pytest.mark.parametrize(("older", "newer"), [(1, 2), (2, 1)])
def test_frames_of_another_connection_are_never_acknowledged(older: int, newer: int) -> None:
    frames: list[Frame] = []
    opened(older).receive(publish(7), 0, frames)
    assert opened(newer).acknowledgements(frames) == b""


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [
        (mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD, "bad user name or password", BrokerRefused),
        (mqtt5.ConnAckReasonCode.NOT_AUTHORIZED, "not authorized", BrokerRefused),
        (mqtt5.ConnAckReasonCode.SERVER_BUSY, "server busy", BrokerUnavailable),
    ],
)
def test_a_refused_connection_is_one_clear_line_without_secrets(
    code: mqtt5.ConnAckReasonCode, words: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        session().receive(mqtt5.ConnAckPacket(reason_code=code).write(), 0, [])
    assert str(raised.value) == f"broker broker.example:1883 refused vigie-ingest-0: {words}"


def test_a_refused_subscription_names_its_filter() -> None:
    new = session()
    new.receive(mqtt5.ConnAckPacket().write(), 0, [])
    with pytest.raises(BrokerRefused, match=r"subscription vigie/1/readings/#: not authorized"):
        new.receive(mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode.NOT_AUTHORIZED]).write(), 0, [])


def test_a_session_taken_over_is_told_apart_from_other_ends() -> None:
    def end(code: mqtt5.DisconnectReasonCode) -> bytes:
        return mqtt5.DisconnectPacket(reason_code=code).write()

    with pytest.raises(TakenOver):
        opened().receive(end(mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER), 0, [])
    with pytest.raises(BrokerUnavailable, match="server shutting down"):
        opened().receive(end(mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN), 0, [])


def test_a_broker_that_answers_no_ping_is_dead() -> None:
    new = opened()
    new.ping()
    new.receive(mqtt5.PingRespPacket().write(), 0, [])
    new.ping()
    with pytest.raises(BrokerUnavailable, match="silent"):
        new.ping()


def test_a_broker_is_not_blamed_while_we_do_not_read() -> None:
    new = opened()
    new.ping()
    new.ping(answer_expected=False)


@PANICS
@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n" * 4,
        b"\x00\x00",
        b"\x30\xff\xff\xff\xff\xff",
        b"\x30\x05\x00\x02\xff\xfe\x00",  # a topic that is not UTF-8: a panic in the parser
        b"\x30\x02\x00\x09",  # complete, but the topic ends outside
        b"\x30\xff\xff\xff\x7f",  # 256 MB announced
        mqtt5.ConnectPacket("we are the client").write(),
    ],
    ids=["http", "type 0", "endless length", "utf-8", "inner length", "huge", "client's packet"],
)
def test_what_is_not_mqtt_ends_the_connection(garbage: bytes) -> None:
    with pytest.raises(BrokerUnavailable):
        opened().receive(garbage, 0, [])


@PANICS
@given(st.binary(max_size=200), st.integers(1, 50))
def test_garbage_ends_the_connection_or_waits_for_more_but_never_crashes(garbage: bytes, size: int) -> None:
    new, frames = session(), list[Frame]()
    try:
        for start in range(0, len(garbage), size):
            new.receive(garbage[start : start + size], 0, frames)
    except (BrokerUnavailable, BrokerRefused, TakenOver):
        return


@PANICS
@given(st.integers(0, 60), st.integers(0, 255))
def test_one_flipped_byte_in_a_packet_never_crashes(at: int, byte: int) -> None:
    packet = bytearray(publish(9, b'{"time":"2026-03-01T00:00:00Z","count":12,"speed_kmh":83.2}'))
    packet[at % len(packet)] = byte
    try:
        opened().receive(bytes(packet), 0, [])
    except (BrokerUnavailable, BrokerRefused, TakenOver):
        return
