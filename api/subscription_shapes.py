"""Receivers from the store as the JSON shapes of `api/models/subscriptions.py`. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api.models.subscriptions import Choice, SubscriptionMade, SubscriptionOut, TryOut
from store.subscriptions import Subscription, Try, Wanted


def subscription_out(one: Subscription) -> SubscriptionOut:
    return SubscriptionOut.model_construct(**_values(one))


def subscription_made(one: Subscription, secret: str | None) -> SubscriptionMade:
    return SubscriptionMade.model_construct(**_values(one), secret=secret)


def try_out(one: Try) -> TryOut:
    values = {name: value for name, value in asdict(one).items() if name != "subscription"}
    return TryOut.model_construct(**values | {"id": str(one.id)})


def wanted_of(choice: Choice) -> Wanted:
    lists = {name: getattr(choice, name) for name in Choice.model_fields}
    return Wanted(**{name: None if some is None else tuple(map(str, some)) for name, some in lists.items()})


def _values(one: Subscription) -> dict[str, Any]:
    wanted = {name: None if some is None else list(some) for name, some in asdict(one.wanted).items()}
    return {
        "id": str(one.id),
        "version": one.version,
        "kind": one.kind,
        "name": one.name,
        "target": one.target,
        "choice": Choice.model_validate(wanted),
        "heartbeat": one.heartbeat,
        "language": one.language,
        "state": one.state,
        "why": one.why,
        "cursor": str(one.cursor),
        "failures": one.failures,
        "failing_since": one.failing_since,
        "next_try": one.next_at,
        "delivered": one.delivered_at,
        "two_secrets_until": one.old_until,
        "terminal": one.terminal,
        "created_by": one.created_by,
        "created": one.created_at,
    }
