"""What all actions have in common: an idempotency key, the version that is expected, an answer that is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.actor import Actor, InActor
from api.context import Context, InContext
from api.documented import Responses, problem
from api.problems import Problem
from ingest.redact import mask
from store.database import Connection
from store.operations import Answer, KeyReused, Once

ACTED: Responses = {
    409: problem("Not possible now; the detail says what is"),
    412: problem("It has changed since the version named in If-Match"),
}

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="any word of your own: asked again with the same one, the first answer is given again",
        examples=["5f0c9a2e-acknowledge"],
    ),
]
IfMatch = Annotated[
    str | None,
    Header(pattern=r'^"\d{1,9}"$', description="only if the ETag is still this one", examples=['"3"']),
]


@dataclass(frozen=True, slots=True)
class Act:
    """One request to change something: who asks, when, for which version, and under which key."""

    context: Context
    actor: Actor
    at: datetime
    expected: int | None
    once: Once | None

    async def answer(self, work: Callable[[Connection], Awaitable[Answer]]) -> Response:
        """Do it in one transaction, or give the answer that was given before."""
        try:
            return _response(await self.context.operations.act(self.once, work))
        except KeyReused:
            raise _reused() from None

    async def given(self) -> Response | None:
        """The answer that was given before: for what reaches outside, and must not wait inside a transaction."""
        try:
            before = None if self.once is None else await self.context.operations.answered(self.once)
        except KeyReused:
            raise _reused() from None
        return None if before is None else _response(before)


def _response(answer: Answer) -> Response:
    headers = {"cache-control": "no-store"}
    headers |= {"etag": answer.etag} if answer.etag else {}
    headers |= {"idempotent-replay": "true"} if answer.again else {}
    return Response(answer.body, answer.status, headers, media_type="application/json")


def _reused() -> Problem:
    detail = "This Idempotency-Key was given with another request before; choose another one."
    return Problem(422, "idempotency-key-reused", detail)


async def _act(request: Request, context: InContext, actor: InActor, key: Key = None, if_match: IfMatch = None) -> Act:
    expected = None if if_match is None else int(if_match.strip('"'))
    once = None
    if key is not None:
        asked = f"{request.method} {request.url.path} {if_match or ''}\n".encode() + await request.body()
        once = Once(actor.name, key, hashlib.sha256(asked).digest())
    return Act(context, actor, context.now(), expected, once)


InAct = Annotated[Act, Depends(_act)]


def answered(body: BaseModel, *, status: int = 200, etag: str | None = None) -> Answer:
    return Answer(status, body.model_dump_json(by_alias=True).encode(), etag)


def said(text: str) -> str:
    """Free text as it may be kept: what looks like a plate, a telephone number or an address is masked."""
    return mask(text)
