"""Carries one message to one receiver, by whatever way it chose: alerts, tests and challenges look alike on the way."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from api.delivery.mail import Language, MailServer, code_letter, letter, send, test_letter
from api.delivery.post import Outcome, Poster
from api.delivery.signing import SigningKey, signed
from api.heartbeat import Heartbeat
from api.shapes import alert_json
from sensors.alerts import CHALLENGE, HEARTBEAT, TEST
from store.api_rows import EventRow
from store.subscriptions import Subscription

MAIL_ALERTS = 50
"""Alerts in one mail: a flood is one mail and not a hundred."""
_JSON = "application/cloudevents+json; charset=utf-8"
_NO_SERVER = Outcome(delivered=False, status=None, error="no mail server: set smtp_url and mail_from", duration_ms=0.0)


@dataclass(frozen=True, slots=True)
class Courier:
    """What sending needs. server: None where no mail can be sent. zone: of the times in mails."""

    key: SigningKey
    poster: Poster
    server: MailServer | None
    zone: ZoneInfo

    def batch(self, to: Subscription) -> int:
        """How many alerts one message to this receiver holds at most."""
        return MAIL_ALERTS if to.kind == "email" else 1

    def message_of(self, rows: Sequence[EventRow]) -> str:
        """The id of the message that carries these alerts: that of the last one, which is also the cursor."""
        return str(rows[-1].id)

    async def alerts(self, to: Subscription, rows: Sequence[EventRow], now: datetime) -> Outcome:
        if to.kind == "email":
            if self.server is None:
                return _NO_SERVER
            return await send(self.server, letter(to.target, to.name, rows, cast(Language, to.language), self.zone))
        (row,) = rows
        return await self._post(to, str(row.id), alert_json(row).encode(), now)

    async def test(self, to: Subscription, message: str, now: datetime) -> Outcome:
        """A message that means nothing, to see whether it arrives."""
        if to.kind == "email":
            if self.server is None:
                return _NO_SERVER
            return await send(self.server, test_letter(to.target, message, cast(Language, to.language)))
        return await self._post(to, message, _event(message, TEST, to, now, {"test": True}), now)

    async def challenge(self, to: Subscription, message: str, now: datetime) -> Outcome:
        """Ask a receiver to say that it wants this; delivered only when it sends the challenge back."""
        word = secrets.token_urlsafe(24)
        body = _event(message, CHALLENGE, to, now, {"challenge": word})
        outcome = await self._post(to, message, body, now)
        if not outcome.delivered or _answers(outcome.answer, word):
            return outcome
        error = 'the challenge did not come back: answer with it as text, or as {"challenge": "..."}'
        return replace(outcome, delivered=False, error=error)

    async def code(self, to: Subscription, code: str) -> Outcome:
        """Send a code to a mail address."""
        if self.server is None:
            return _NO_SERVER
        return await send(self.server, code_letter(to.target, code, cast(Language, to.language)))

    async def heartbeat(self, to: Subscription, beat: Heartbeat, now: datetime) -> Outcome:
        message = f"heartbeat-{beat.cursor}-{int(beat.time.timestamp())}"
        data = msgspec.json.decode(beat.json)
        return await self._post(to, message, _event(message, HEARTBEAT, to, now, data), now)

    async def _post(self, to: Subscription, message: str, body: bytes, now: datetime) -> Outcome:
        headers = {"content-type": _JSON, "user-agent": "Vigie"}
        return await self.poster.post(
            to.target, headers | signed(message, int(now.timestamp()), body, self._keys(to, now)), body
        )

    def _keys(self, to: Subscription, now: datetime) -> list[bytes]:
        """The secrets that sign: the present one, and the last one until its overlap is over."""
        old = to.old_salt if to.old_until is not None and now < to.old_until else None
        return [self.key.secret(salt) for salt in (to.salt, old) if salt is not None]


def _event(message: str, type_: str, to: Subscription, now: datetime, data: Mapping[str, Any]) -> bytes:
    """A CloudEvent that is not of the feed."""
    event = {
        "specversion": "1.0",
        "id": message,
        "source": "/vigie",
        "type": type_,
        "subject": f"subscription-{to.id}",
        "time": now,
        "datacontenttype": "application/json",
        "data": data,
    }
    return msgspec.json.encode(event)


def _answers(answer: bytes, word: str) -> bool:
    """Whether an answer has the challenge, as plain text or in JSON."""
    try:
        said = msgspec.json.decode(answer)
    except msgspec.DecodeError:
        said = answer.decode(errors="replace").strip()
    if isinstance(said, dict):
        said = said.get("challenge")
    return isinstance(said, str) and hmac.compare_digest(said.encode(), word.encode())
