"""What leaves for receivers: signatures, pauses, whom it may reach, how much of an answer is read, how a mail reads."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.delivery.backoff import LONGEST_S, given_up, pause_s
from api.delivery.guard import AddressGuard, NetworkError, TargetRefused, check_url, networks
from api.delivery.mail import MailServerError, is_address, letter, mail_server
from api.delivery.post import ANSWER_BYTES, Poster
from api.delivery.signing import SigningKey, new_salt, shown, signed
from store.api_rows import EventRow

NOW = datetime(2026, 3, 2, 7, 14, tzinfo=UTC)
LOOPBACK = networks(["127.0.0.0/8"])


def test_a_signature_is_that_of_the_specification() -> None:
    """Computed here as its text says: HMAC-SHA256 over id.timestamp.body under the bytes behind `whsec_`."""
    secret = shown(SigningKey(b"k" * 32).secret(new_salt()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    headers = signed("1042", 1772436840, b'{"a":1}', [key])
    expected = base64.b64encode(hmac.new(key, b'1042.1772436840.{"a":1}', hashlib.sha256).digest()).decode()
    assert headers == {
        "webhook-id": "1042",
        "webhook-timestamp": "1772436840",
        "webhook-signature": f"v1,{expected}",
    }
    assert 24 <= len(key) <= 64


def test_two_secrets_sign_both() -> None:
    both = signed("1", 2, b"x", [b"new", b"old"])["webhook-signature"].split()
    assert both == [signed("1", 2, b"x", [key])["webhook-signature"] for key in (b"new", b"old")]


def test_secrets_differ_by_salt_and_key_and_the_key_stays_out_of_sight() -> None:
    key, other, salt = SigningKey(b"k" * 32), SigningKey(b"l" * 32), new_salt()
    assert len({key.secret(salt), key.secret(new_salt()), other.secret(salt)}) == 3
    assert key.fingerprint != other.fingerprint
    assert "kkk" not in repr(key)


@given(st.integers(1, 200), st.integers())
def test_pauses_double_up_to_the_longest(failures: int, seed: int) -> None:
    full_s = min(LONGEST_S, 2.0 ** (failures - 1))
    assert full_s / 2 <= pause_s(failures, Random(seed)) <= full_s


def test_a_receiver_may_ask_for_a_longer_pause_but_not_for_ever() -> None:
    assert pause_s(1, Random(1), asked_s=120) == 120
    assert pause_s(1, Random(1), asked_s=10**9) == 3600


def test_it_is_given_up_after_a_day_of_failure() -> None:
    assert not given_up(NOW, NOW + timedelta(hours=23.9))
    assert given_up(NOW, NOW + timedelta(hours=24))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1"),
        *(
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
        ),
        *("::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1"),
    ],
)
def test_what_is_not_everybodys_is_refused(address: str) -> None:
    with pytest.raises(TargetRefused, match="webhook_private_networks can allow it"):
        AddressGuard().check(ipaddress.ip_address(address), encrypted=True)


def test_public_addresses_need_tls_and_named_networks_do_not() -> None:
    public, inside = ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("10.1.2.3")
    AddressGuard().check(public, encrypted=True)
    with pytest.raises(TargetRefused, match="use https"):
        AddressGuard().check(public, encrypted=False)
    AddressGuard(networks(["10.1.0.0/16"])).check(inside, encrypted=False)
    with pytest.raises(TargetRefused):
        AddressGuard(networks(["10.2.0.0/16"])).check(inside, encrypted=True)
    with pytest.raises(NetworkError, match=r"'10\.1' is no network"):
        networks(["10.1"])


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://x.example/", "https://", "//x.example", "https://u:p@x.example/", "https://x.example/#a", "x"),
        *(
            "https://x.example:0/",
            "https://x.example:99999/",
            "https://\u00e9.example/",
            "https://x.example/" + "a" * 2000,
        ),
        "https://x.example/\r\nHost: y",
    ],
)
def test_what_is_no_target_is_refused(url: str) -> None:
    with pytest.raises(TargetRefused):
        check_url(url)


Answerer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(answer: bytes | Answerer) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server on loopback that takes one request a connection and answers it; its URL, and what it was sent."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        heard.append(head + await reader.readexactly(length))
        try:
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}/hook?a=b", heard
        server.close()


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_a_post_carries_headers_and_body_and_reads_the_answer() -> None:
    async with listening(answer("200 OK", b"taken")) as (url, heard), Poster(AddressGuard(LOOPBACK)) as poster:
        outcome = await poster.post(url, {"webhook-id": "7"}, b'{"a":1}')
    assert (outcome.delivered, outcome.status, outcome.excerpt, outcome.error) == (True, 200, "taken", None)
    head, _, body = heard[0].partition(b"\r\n\r\n")
    assert body == b'{"a":1}'
    assert head.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    assert b"webhook-id: 7" in head
    assert b"Host: localhost:" in head


@pytest.mark.parametrize(
    ("status", "headers", "error", "gone", "retry"),
    [
        ("500 Oops", (), "answered 500", False, None),
        ("302 Found", ("location: http://127.0.0.1:1/",), "answered 302", False, None),
        ("410 Gone", (), "answered 410", True, None),
        ("503 Busy", ("Retry-After: 30",), "answered 503", False, 30.0),
        ("503 Busy", ("Retry-After: Mon, 02 Mar 2026 08:00:00 GMT",), "answered 503", False, None),
    ],
)
async def test_what_is_not_2xx_failed_and_redirects_are_not_followed(
    status: str, headers: tuple[str, ...], *, error: str, gone: bool, retry: float | None
) -> None:
    async with listening(answer(status, b"", *headers)) as (url, heard), Poster(AddressGuard(LOOPBACK)) as poster:
        outcome = await poster.post(url, {}, b"")
    assert (outcome.delivered, outcome.error, outcome.gone, outcome.retry_after_s) == (False, error, gone, retry)
    assert len(heard) == 1


async def test_an_answer_without_end_is_not_read_to_the_end() -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with listening(endless) as (url, _), Poster(AddressGuard(LOOPBACK)) as poster:
        outcome = await poster.post(url, {}, b"")
    assert not outcome.delivered
    assert f"longer than {ANSWER_BYTES} bytes" in (outcome.error or "")


async def test_a_receiver_that_hangs_is_left() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        await reader.read()

    async with listening(hang) as (url, _), Poster(AddressGuard(LOOPBACK), answer_s=0.2) as poster:
        outcome = await poster.post(url, {}, b"")
    assert outcome.error == "no complete answer within 0.2 s"


async def test_nobody_home_is_an_outcome() -> None:
    async with Poster(AddressGuard(LOOPBACK)) as poster:
        refused = await poster.post("http://127.0.0.1:1/", {}, b"")
        unknown = await poster.post("https://receiver.invalid/", {}, b"")
    assert (refused.delivered, refused.status) == (False, None)
    assert "receiver.invalid cannot be resolved" in (unknown.error or "")


async def test_the_address_is_checked_when_the_connection_is_made_whatever_the_name_said() -> None:
    """`localhost` is a name like any other: what counts is where it points now."""
    async with listening(answer("200 OK")) as (url, heard), Poster(AddressGuard()) as poster:
        outcome = await poster.post(url, {}, b"")
    assert "loopback or link-local" in (outcome.error or "")
    assert heard == []


async def test_an_answer_that_is_no_http_is_an_outcome() -> None:
    async with listening(b"SSH-2.0-OpenSSH\r\n") as (url, _), Poster(AddressGuard(LOOPBACK)) as poster:
        assert not (await poster.post(url, {}, b"")).delivered


def test_a_mail_says_what_where_since_when_and_until_when_it_holds() -> None:
    data = {"priority": "high", "title": {"fr": "Panne à la porte", "en": "Gate outage"}, "sites": ["W07"]}
    data |= {"valid_until": "2026-03-02T07:44:00+00:00", "action": "raise"}
    rows = [EventRow(number, NOW, "vigie.alarm.raised.v1", "W07-G1", data) for number in (7, 8)]
    one = letter("chef@port.example", "poste", rows[:1], "fr", ZoneInfo("Europe/Paris"))
    assert (one.subject, one.message) == ("URGENT - Panne à la porte - W07", "vigie-7-7")
    assert "02/03/2026 08:14, vigie.alarm.raised.v1 (raise), id 7" in one.text
    assert "08:44" in one.text
    both = letter("chef@port.example", "poste", rows, "en", ZoneInfo("Europe/Paris"))
    assert (both.subject, both.message) == ("2 alerts of the port", "vigie-7-8")
    assert both.text.count("Gate outage") == 2


@pytest.mark.parametrize("text", ["a@b.example", "chef.de-poste+nuit@port-marseille.example"])
def test_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a@b", "@b.example", "a@b.example,c@d.example", "a@b.example\nBcc: x@y.example", "A <a@b.example>"],
)
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)


def test_mail_servers() -> None:
    server = mail_server("smtp://vigie:s%40fe@mail.example", "vigie@port.example")
    assert (server.host, server.port, server.tls, server.user, server.password) == (
        "mail.example",
        587,
        False,
        "vigie",
        "s@fe",
    )
    assert "s@fe" not in repr(server)
    assert mail_server("smtps://mail.example", "vigie@port.example").port == 465
    for url, sender in (("http://x", "a@b.example"), ("smtp://", "a@b.example"), ("smtp://x", "nobody")):
        with pytest.raises(MailServerError):
            mail_server(url, sender)
