"""Connections to the scratch broker beside those that are measured."""

from __future__ import annotations

import socket

import mqtt5

from sensors.broker_url import parse_broker_url
from sensors.errors import OperatorError

RECEIVED_BYTES = 1 << 16


class NotAccepted(OperatorError):  # noqa: N818  ends the measurement
    """The broker refused a connection or a message."""


def connected(url: str, client_id: str, *, clean_start: bool = False) -> socket.socket:
    """Open a connection whose session ends with it, and see it accepted."""
    address = parse_broker_url(url)
    connection = socket.create_connection((address.host, address.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    password = address.password.encode() if address.password is not None else None
    hello = mqtt5.ConnectPacket(client_id, username=address.user, password=password, clean_start=clean_start)
    connection.sendall(hello.write())
    packet, _ = mqtt5.read(memoryview(connection.recv(RECEIVED_BYTES)))
    if not isinstance(packet, mqtt5.ConnAckPacket) or packet.reason_code != mqtt5.ConnAckReasonCode.SUCCESS:
        raise NotAccepted(f"the broker answered {packet}")
    return connection


def forget_session(url: str, client_id: str) -> None:
    """Delete a persistent session: left behind, it would take a copy of everything that is measured next."""
    with connected(url, client_id, clean_start=True) as connection:
        connection.sendall(mqtt5.DisconnectPacket().write())
