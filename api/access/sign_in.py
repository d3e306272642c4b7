"""How a browser signs in: what a person sees without a session, and what a sign-in link answers."""

from __future__ import annotations

import base64
import hashlib

from fastapi.responses import HTMLResponse

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem;color:#1c2733;background:#f4f6f8}"
    "code{background:#e2e7ec;padding:.1em .3em;border-radius:3px}h1{font-size:1.3rem}"
    "@media(prefers-color-scheme:dark){body{color:#d8dfe6;background:#12181f}code{background:#25303b}}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {"content-security-policy": _POLICY, "cache-control": "no-store"}
_HEAD = (
    '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Vigie</title>'
    f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
)
_ASK = (
    "<h1>Vigie</h1><p>Cette page demande une session. Ouvrez le lien à usage unique que <code>vigie up</code> affiche, "
    "ou un nouveau&nbsp;: <code>vigie keys link --name VOUS</code>.</p>"
    '<p lang="en">This page asks for a session. Open the single-use link that <code>vigie up</code> prints, '
    "or a new one: <code>vigie keys link --name YOU</code>.</p>"
)
_USED = '<p>Ce lien a déjà servi, ou a expiré.</p><p lang="en">This link was used before, or has expired.</p>'
_GO = '<p><a href="/">Vigie</a></p>'


def sign_in_page() -> HTMLResponse:
    """200, as sign-in pages have: that the service answers is no lie, and a monitor may watch it."""
    return HTMLResponse(_page(_ASK), headers=_HEADERS)


def used_link_page() -> HTMLResponse:
    return HTMLResponse(_page(_USED + _ASK), 401, headers=_HEADERS)


def signed_in_page() -> HTMLResponse:
    """Go on to the page by itself.

    A redirect would count as coming from wherever the link was opened, and a browser sends no SameSite=Strict cookie
    then.
    """
    head = '<meta http-equiv="refresh" content="0;url=/">'
    return HTMLResponse(_page(_GO, head), headers=_HEADERS)


def _page(body: str, head: str = "") -> str:
    return f"{_HEAD}{head}</head><body>{body}</body></html>"
