"""The one door to every operation: who asks, may they, and not too often. Everything it does not know needs a key.

A request brings `Authorization: Bearer KEY`, or a browser's session cookie. A cookie is sent by the browser whoever
made it ask, so what changes something is believed from our own page only: same scheme-less origin as the Host, exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access.caller import Caller, Callers
from api.access.limit import Limiter
from api.access.scopes import FOR_TERMINALS, NEEDS, OPEN
from api.access.scopes import Scope as May
from api.access.sign_in import sign_in_page
from api.problems import Problem, database_away
from store.database import DatabaseUnavailable

COOKIE = "vigie_session"
CALLER = "vigie.caller"
"""Where the scope of a request has its caller."""

_FILE = "show_file"
"""Answers without the headers of the limit: a page has fifty of them, and no browser reads them there."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_NO_KEY = "Send an access key as `Authorization: Bearer KEY`, or sign in: `vigie keys` makes keys and sign-in links."
_CHALLENGE = {"www-authenticate": 'Bearer realm="vigie"'}


class Door:
    """ASGI middleware: 401 without a valid key, 403 without the scope, 429 too often; `routes` are the operations."""

    def __init__(
        self, app: ASGIApp, routes: Iterable[BaseRoute], callers: Callers, limiter: Limiter, *, metrics_open: bool
    ) -> None:
        self._app = app
        self._routes = tuple(routes)
        self._callers = callers
        self._limiter = limiter
        self._open = OPEN | ({"show_metrics"} if metrics_open else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (operation := self._operation(scope)) in self._open:
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._caller(scope)
            await self._admit(caller, operation, scope, receive, send)
        except Problem as problem:
            await _answer(problem, scope)(scope, receive, send)

    async def _admit(self, caller: Caller, operation: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        _require_scope(caller, operation)
        allowance = self._limiter.take(caller)
        if allowance.wait_s:
            detail = f"This key may ask {allowance.limit} times a minute; ask again when Retry-After is over."
            raise Problem(429, "too-many-requests", detail, headers=allowance.headers())

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(allowance.headers())
            await send(message)

        scope[CALLER] = caller
        await self._app(scope, receive, send if operation == _FILE else send_counted)

    def _operation(self, scope: Scope) -> str | None:
        """The name of the operation that is asked for; None where there is none."""
        for route in self._routes:
            if route.matches(scope)[0] is Match.FULL:
                return str(getattr(route, "name", ""))
        return None

    async def _caller(self, scope: Scope) -> Caller:
        headers = Headers(scope=scope)
        kind, _, key = headers.get("authorization", "").partition(" ")
        cookie = _cookie(headers)
        try:
            if kind:
                found = await self._callers.find(key.strip(), "key") if kind.lower() == "bearer" else None
            else:
                found = await self._callers.find(cookie, "session") if cookie else None
        except DatabaseUnavailable:
            raise database_away() from None
        if found is None:
            raise Problem(401, "no-access", _NO_KEY, headers=_CHALLENGE)
        if not kind and scope["method"] not in _READING:
            _require_own_page(headers)
        return found


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _require_own_page(headers: Headers) -> None:
    """Another port of this host is the same site to a browser, so that SameSite alone does not keep it out."""
    if headers.get("origin", "").partition("://")[2] != headers.get("host", ""):
        raise Problem(403, "foreign-origin", "A signed-in browser may act from this service's own page only.")


def _require_scope(caller: Caller, operation: str | None) -> None:
    needed = NEEDS.get(operation, May.ADMIN) if operation is not None else May.READ
    if needed not in caller.scopes:
        has = ", ".join(sorted(caller.scopes)) or "none"
        raise Problem(403, "scope-missing", f"This needs the scope {needed}; {caller.name!r} has {has}.")
    if caller.terminal is not None and operation is not None and operation not in FOR_TERMINALS:
        detail = f"This is about the whole port; {caller.name!r} sees terminal {caller.terminal} only."
        raise Problem(403, "other-audience", detail)


def _answer(problem: Problem, scope: Scope) -> ASGIApp:
    """A person who opens the page is told how to sign in; everybody else gets the problem."""
    if problem.slug == "no-access" and scope["path"] == "/" and scope["method"] in _READING:
        return sign_in_page()
    return problem.response(scope["path"])
