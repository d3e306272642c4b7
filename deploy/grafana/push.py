"""Bring a Grafana to what is shipped: all of it or, when something is refused on the way, nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deploy.grafana.client import Grafana, GrafanaError
from deploy.grafana.plan import Change, Request, healthy, plan
from deploy.grafana.shipped import Shipped


async def push(
    grafana: Grafana, wanted: Shipped, database_url: str, *, dry_run: bool, say: Callable[[str], None]
) -> list[Change]:
    """Change what differs and say each; a second push changes nothing. dry_run: say only.

    Raises `GrafanaError` after taking back what was done. What cannot be taken back is a password that the data source
    had before: Grafana does not tell it.
    """
    await grafana.require_known_version()
    changes = await plan(grafana, wanted, database_url)
    if not dry_run:
        await _apply(grafana, changes)
    for change in changes:
        say(f"{'would be ' if dry_run else ''}{change.what}: {change.thing}")
    if not changes:
        say("nothing to change")
    return changes


async def _apply(grafana: Grafana, changes: Sequence[Change]) -> None:
    done: list[Change] = []
    try:
        for change in changes:
            await _send(grafana, change.do)
            done.append(change)
            if change.thing.startswith("data source"):
                await _require_health(grafana)
    except GrafanaError as exc:
        stuck = [change.thing for change in reversed(done) if not await _taken_back(grafana, change)]
        rest = f"; still changed: {', '.join(stuck)}" if stuck else "; nothing was changed"
        raise GrafanaError(f"{exc}{rest}") from exc


async def _require_health(grafana: Grafana) -> None:
    if why := await healthy(grafana):
        raise GrafanaError(f"{grafana.url} does not reach the database: {why}")


async def _taken_back(grafana: Grafana, change: Change) -> bool:
    try:
        await _send(grafana, change.undo)
    except GrafanaError:
        return False
    return True


async def _send(grafana: Grafana, request: Request) -> None:
    await grafana.call(request.method, request.path, request.body)
