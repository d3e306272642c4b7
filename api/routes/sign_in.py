"""The sign-in link: opened once, it begins a session of the browser that opened it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from api.access.door import COOKIE
from api.access.sign_in import signed_in_page, used_link_page
from api.access.tokens import has_form, hash_of, new_token
from api.context import InContext
from api.security import LOOPBACK_NAMES, host_of
from store.access import SESSION_LASTS

router = APIRouter()


@router.get("/sign-in", include_in_schema=False)
async def sign_in(context: InContext, request: Request, link: Annotated[str, Query()] = "") -> HTMLResponse:
    """Set the session's cookie, which no script can read and no other site sends."""
    session = new_token()
    if not has_form(link) or not await context.source.grants.redeem(hash_of(link), hash_of(session)):
        return used_link_page()
    answer = signed_in_page()
    # Off this machine there is a proxy with TLS before us: a browser on loopback would refuse a Secure cookie.
    secure = host_of(request.headers.get("host", "")) not in LOOPBACK_NAMES
    lasts_s = int(SESSION_LASTS.total_seconds())
    answer.set_cookie(COOKIE, session, max_age=lasts_s, httponly=True, samesite="strict", secure=secure)
    return answer
