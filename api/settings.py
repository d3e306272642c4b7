"""What the HTTP side can be told. The service reads it from the environment; here it is one frozen value."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from api.delivery.guard import Network
from api.delivery.mail import MailServer
from api.delivery.signing import KEY_BYTES, SigningKey

PAGE = Path(__file__).parent / "page"
"""The operator's page as it is shipped: static files, no build step."""


def _new_key() -> SigningKey:
    """For an app that keeps none, such as a test's."""
    return SigningKey(secrets.token_bytes(KEY_BYTES))


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """Settings of the API and of the page.

    `allowed_hosts` are further Host headers that are answered, without port (loopback names always are): a name that is
    not listed is refused, or any page on the web could read a loopback service through DNS rebinding.
    `stream_backlog` is how many alerts may wait for one slow client before it is told to resume: too low drops clients
    on a burst, too high costs memory per client. `states_every_s` coalesces the stream of states: shorter costs a query
    that often while somebody looks. `poll_s` is how soon a lost notification is made good.
    `heartbeat_s` is how often a stream is told that it is alive: shorter is traffic for nobody, longer lets consumers
    act on what nobody confirms. `behind_s` is how old the oldest batch may be that analytics has not read before
    `/readyz` says so. `signing_key` makes the secrets of webhooks; `private_networks` are those that webhooks may reach
    although they are private; `mail_server` takes mail, None: none is sent.
    `metrics_open`: `/metrics` needs no key.
    """

    title: str = "Vigie"
    language: Literal["fr", "en"] = "fr"
    timezone: str = "Europe/Paris"
    allowed_hosts: frozenset[str] = field(default_factory=frozenset)
    page: Path = PAGE
    stream_backlog: int = 1000
    max_streams: int = 2000
    states_every_s: float = 1.0
    poll_s: float = 2.0
    heartbeat_s: float = 30.0
    behind_s: float = 30.0
    signing_key: SigningKey = field(default_factory=_new_key)
    private_networks: tuple[Network, ...] = ()
    mail_server: MailServer | None = None
    metrics_open: bool = False
