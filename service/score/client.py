"""The feed of a running system, read page by page over HTTP as any integrator would."""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.request
from typing import Any, Final

import msgspec

from sensors.errors import OperatorError
from service.score.feed import Alert

PAGE: Final = 1000
"""Events a page: as many as `GET /v1/alerts` gives at most."""
_TIMEOUT_S: Final = 30.0
_SCHEMES: Final = ("http://", "https://")


class NoAnswerError(OperatorError):
    """A system that gives no alerts; the message names its URL."""


class _Page(msgspec.Struct):
    items: list[dict[str, Any]]
    next: str
    more: bool = False


async def read_alerts(url: str, *, key: str | None = None) -> list[Alert]:
    """All that the feed at `url` holds, oldest first; `key` is an access key. Raises `NoAnswerError`."""
    return await asyncio.to_thread(_read_all, url.rstrip("/"), key)


async def get_json(url: str, *, key: str | None = None) -> bytes:
    """The body of one answer; raises `NoAnswerError`."""
    return await asyncio.to_thread(_get, url, key)


def _get(url: str, key: str | None) -> bytes:
    if not url.startswith(_SCHEMES):
        raise NoAnswerError(f"--url {url!r} is not the address of a system: write http://HOST:PORT")
    headers = {"accept": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  its scheme was looked at
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310  as above
            return bytes(answer.read())
    except urllib.error.HTTPError as exc:
        exc.close()
        raise NoAnswerError(f"{url} answers {exc.code} {exc.reason}: expected the feed of docs/benchmark.md") from exc
    except (OSError, http.client.HTTPException, ValueError) as exc:
        reason = exc.reason if isinstance(exc, urllib.error.URLError) else exc
        raise NoAnswerError(f"no answer from {url}: {reason}; is the system running there?") from exc


def _read_all(url: str, key: str | None) -> list[Alert]:
    found: list[Alert] = []
    after = "0"
    while True:
        page = _page(f"{url}/v1/alerts?after={after}&limit={PAGE}", key)
        found += page.items
        if not page.more:
            return found
        if page.next == after:
            raise NoAnswerError(
                f"{url}/v1/alerts says there is more after {after} and gives nothing: its cursor stands"
            )
        after = page.next


def _page(url: str, key: str | None) -> _Page:
    try:
        return msgspec.json.decode(_get(url, key), type=_Page)
    except msgspec.DecodeError as exc:
        raise NoAnswerError(f"{url} gives no page of alerts: {exc}; see docs/benchmark.md") from exc
