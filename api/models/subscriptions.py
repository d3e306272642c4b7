"""Shapes of receivers of alerts and of what became of every try."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from analytics.alarms.lifecycle import Priority
from api.feed_choice import TYPE_PATTERN
from api.models.base import ID_PATTERN, NAME_PATTERN, LevelName, Time

_Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=NAME_PATTERN),
    Field(examples=["City traffic centre"], description="what people call it"),
]
_Type = Annotated[str, StringConstraints(pattern=TYPE_PATTERN)]
_Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
_Target = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=2000, pattern=NAME_PATTERN),
    Field(examples=["https://receiver.example/vigie"], description="an https URL, or a mail address"),
]
_MOST = 200


class Choice(BaseModel):
    """Which alerts; what is null does not choose. Of several entries one is enough."""

    types: list[_Type] | None = Field(default=None, max_length=_MOST, examples=[["vigie.alarm.*"]])
    subjects: list[_Id] | None = Field(default=None, max_length=_MOST, examples=[None])
    sites: list[_Id] | None = Field(default=None, max_length=_MOST, examples=[["W07"]])
    terminals: list[_Id] | None = Field(default=None, max_length=_MOST, examples=[None])
    levels: list[LevelName] | None = Field(default=None, max_length=_MOST, examples=[None])
    priorities: list[Priority] | None = Field(default=None, max_length=_MOST, examples=[["high"]])


class Subscribe(BaseModel):
    """A new receiver."""

    kind: Literal["webhook", "email"] = Field(examples=["webhook"])
    name: _Name
    target: _Target
    choice: Choice = Field(default_factory=Choice)
    heartbeat: bool = Field(default=False, description="webhooks only: also a heartbeat every 30 s")
    language: Literal["fr", "en"] = Field(default="fr", description="of mails")
    after: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None, examples=[None], description="begin after this event; with what comes from now on, if not given"
    )


class Change(BaseModel):
    """What is to be another way; what is not given stays."""

    name: _Name | None = Field(default=None, examples=[None])
    choice: Choice | None = None
    heartbeat: bool | None = Field(default=None, examples=[True])
    language: Literal["fr", "en"] | None = Field(default=None, examples=[None])


class Verification(BaseModel):
    """For a mail address: the code that was sent to it. Without, it is sent. For a webhook: nothing."""

    code: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20, pattern=NAME_PATTERN)] | None = Field(
        default=None, examples=[None]
    )


class Rotation(BaseModel):
    """Another secret."""

    overlap_h: float = Field(default=24.0, ge=0, le=168, description="hours for which the last secret signs too")


class Replay(BaseModel):
    """Deliver again, or pass over."""

    after: int = Field(ge=0, le=2**63 - 1, examples=[1041], description="the next one is the first after this event")


class SubscriptionOut(BaseModel):
    """A receiver and how it fares."""

    id: str = Field(examples=["3"])
    version: int = Field(examples=[2], description="counts its changes; also its ETag")
    kind: Literal["webhook", "email"]
    name: _Name
    target: _Target
    choice: Choice
    heartbeat: bool
    language: Literal["fr", "en"]
    state: Literal["pending", "active", "paused", "disabled"] = Field(
        description="pending: not verified; disabled: given up after a day of failure, or it answered 410"
    )
    why: str = Field(examples=[""], description="why it is disabled")
    cursor: str = Field(examples=["1042"], description="the last event that it has, or does not want")
    failures: int = Field(examples=[0], description="in a row")
    failing_since: Time | None
    next_try: Time | None = Field(description="not before")
    delivered: Time | None = Field(description="when it last took something")
    two_secrets_until: Time | None = Field(description="until when the last secret signs too")
    terminal: str | None = Field(
        examples=[None], description="the terminal whose key registered it, and whose rows alone it gets"
    )
    created_by: str = Field(examples=["operator"])
    created: Time


class SubscriptionMade(SubscriptionOut):
    """A receiver with its signing secret, which is shown this once."""

    secret: str | None = Field(
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], description="of webhooks; null for mail"
    )


class Subscriptions(BaseModel):
    """Receivers, the newest first."""

    items: list[SubscriptionOut]
    next: str | None = Field(examples=[None], description="ask again with before= this for older ones; null: no more")


class TryOut(BaseModel):
    """One try to deliver a message."""

    id: str = Field(examples=["981"])
    message: str = Field(examples=["1042"], description="webhook-id: that of the event, the same at every try")
    what: Literal["alert", "again", "test", "challenge"]
    at: Time
    delivered: bool
    status: int | None = Field(examples=[503], description="what was answered; null: nothing was")
    error: str | None = Field(examples=["answered 503"])
    duration_ms: float = Field(examples=[12.5])
    answer: str = Field(examples=["busy"], description="the beginning of the answer")


class Tries(BaseModel):
    """The log of a receiver, the newest first; kept for 30 days."""

    items: list[TryOut]
    next: str | None = Field(examples=["981"], description="ask again with before= this for older ones; null: no more")
