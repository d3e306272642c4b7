"""Alerts by electronic mail: which server, what a mail says, and sending it without holding up anything else."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from functools import cache
from importlib import resources
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from api.delivery.post import Outcome
from sensors.errors import OperatorError
from store.api_rows import EventRow

Language = Literal["fr", "en"]

ANSWER_S = 20.0
_PRIORITIES = ("high", "medium", "low")
_PORTS = {"smtp": 587, "smtps": 465}


class MailServerError(OperatorError):
    """A mail server in the settings that cannot be used."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in; the password never shows in repr. tls: from the first byte, else by STARTTLS."""

    host: str
    port: int
    tls: bool
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def mail_server(url: str, sender: str) -> MailServer:
    """Read `smtp://user:password@host:587` (STARTTLS) or `smtps://...` (TLS); raises `MailServerError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise MailServerError("setting smtp_url: host or port cannot be read") from exc
    if parts.scheme not in _PORTS or not parts.hostname:
        raise MailServerError("setting smtp_url is smtp://user:password@host:587, or smtps:// for TLS from the start")
    if not is_address(sender):
        raise MailServerError(f"setting mail_from {sender!r} is no address: it is who mails come from")
    return MailServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        sender=sender,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def is_address(text: str) -> bool:
    """One plain address: local part, one @, a host with a dot; nothing that could be a header or a second address."""
    local, at, host = text.partition("@")
    plain = text.isascii() and text.isprintable() and not set(text) & set(' ,;:<>()[]"\\')
    return bool(plain and at and local and "." in host.strip(".") and "@" not in host and len(text) <= 254)  # noqa: PLR2004  RFC 5321


@cache
def _words(language: Language) -> Mapping[str, str]:
    found = tomllib.loads((resources.files("api.delivery") / "mail.toml").read_text("utf-8"))
    return dict(found[language])


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it is sent. message: its id, the same at every try."""

    to: str
    message: str
    subject: str
    text: str


def letter(to: str, name: str, rows: Sequence[EventRow], language: Language, zone: ZoneInfo) -> Letter:
    """Several alerts as one mail: the first one's sentence, or how many there are, as its subject."""
    words, lines = _words(language), [_line(row, language, zone) for row in rows]
    subject = lines[0].split("\n")[0] if len(rows) == 1 else words["several"].format(n=len(rows))
    until = max(str(row.data.get("valid_until", "")) for row in rows)
    valid = words["valid"].format(time=_moment(datetime.fromisoformat(until), zone)) if until else ""
    text = "\n\n".join([*lines, valid, words["why"].format(name=name)])
    return Letter(to, f"vigie-{rows[0].id}-{rows[-1].id}", subject, text)


def code_letter(to: str, code: str, language: Language) -> Letter:
    words = _words(language)
    return Letter(to, f"vigie-code-{code}", words["code"].format(code=code), words["code_why"])


def test_letter(to: str, message: str, language: Language) -> Letter:
    return Letter(to, message, _words(language)["test"], _words(language)["test"])


async def send(server: MailServer, one: Letter) -> Outcome:
    """Hand a mail in; whatever goes wrong is an outcome. A thread, because smtplib waits."""
    began = time.monotonic()
    try:
        await asyncio.to_thread(_send, server, _composed(server, one))
    except (OSError, smtplib.SMTPException) as exc:
        ms = round((time.monotonic() - began) * 1000, 1)
        return Outcome(delivered=False, status=_status(exc), error=f"{type(exc).__name__}: {exc}", duration_ms=ms)
    return Outcome(delivered=True, status=None, error=None, duration_ms=round((time.monotonic() - began) * 1000, 1))


def _composed(server: MailServer, one: Letter) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = server.sender, one.to, " ".join(one.subject.split())
    mail["Message-ID"] = f"<{one.message}@{server.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(one.text)
    return mail


def _send(server: MailServer, mail: EmailMessage) -> None:
    trusted = ssl.create_default_context()
    if server.tls:
        with smtplib.SMTP_SSL(server.host, server.port, timeout=ANSWER_S, context=trusted) as link:
            _hand_in(link, server, mail)
        return
    with smtplib.SMTP(server.host, server.port, timeout=ANSWER_S) as link:
        link.ehlo()
        if link.has_extn("starttls"):
            link.starttls(context=trusted)
        elif server.user:
            raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS, and the password is not sent without")
        _hand_in(link, server, mail)


def _hand_in(link: smtplib.SMTP, server: MailServer, mail: EmailMessage) -> None:
    if server.user:
        link.login(server.user, server.password or "")
    link.send_message(mail)


def _status(exc: Exception) -> int | None:
    return exc.smtp_code if isinstance(exc, smtplib.SMTPResponseException) else None


def _line(row: EventRow, language: Language, zone: ZoneInfo) -> str:
    """One alert as a short paragraph: how urgent, what, where, since when."""
    data = row.data
    said = _said(data.get("headline"), language) or _said(data.get("title"), language) or row.type
    urgency = _words(language)[str(data["priority"])] if data.get("priority") in _PRIORITIES else ""
    sites = data.get("sites")
    where = ", ".join(map(str, sites)) if isinstance(sites, list) else str(data.get("site") or row.subject)
    head = " - ".join(text for text in (urgency, said, where) if text)
    action = f" ({data['action']})" if "action" in data else ""
    return f"{head}\n{_moment(row.time, zone)}, {row.type}{action}, id {row.id}"


def _said(text: Any, language: Language) -> str:  # noqa: ANN401  JSON as it was recorded
    said = text.get(language) if isinstance(text, dict) else None
    return said if isinstance(said, str) else ""


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d/%m/%Y %H:%M}"
