from __future__ import annotations

import pytest

from sensors.broker_url import BrokerUrlError, parse_broker_url


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("mqtt://127.0.0.1", "127.0.0.1", 1883, False),
        ("mqtt://u:p@broker.example:2000", "broker.example", 2000, False),
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_url_says_host_port_and_tls(url: str, host: str, port: int, tls: bool) -> None:  # noqa: FBT001
    address = parse_broker_url(url)
    assert (address.host, address.port, address.tls) == (host, port, tls)
    assert (address.tls_context() is not None) is tls


def test_user_and_password_are_unquoted_and_the_password_is_never_shown() -> None:
    address = parse_broker_url("mqtt://w%40rf:p%2F%3As@h")
    assert (address.user, address.password) == ("w@rf", "p/:s")
    assert "p/:s" not in repr(address)


def test_a_url_with_tls_names_its_files() -> None:
    address = parse_broker_url("mqtts://h?ca_file=/etc/ca%20x.crt&cert_file=/c&key_file=/k")
    assert list(map(str, (address.ca_file, address.cert_file, address.key_file))) == ["/etc/ca x.crt", "/c", "/k"]


BAD = [
    "mqtt://u:pw@h?ca_file=/c",
    "mqtts://u:pw@h?key_file=/k",
    "mqtts://u:pw@h?capath=/c",
    "http://u:pw@h",
    "h:1883",
    "mqtt://",
    "",
    *(f"mqtt://u:pw@{host}" for host in ("h:x", "h:99999", "h:0", "a..b", "[h")),
]


@pytest.mark.parametrize("url", BAD)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BrokerUrlError) as raised:
        parse_broker_url(url)
    assert "pw" not in str(raised.value)
