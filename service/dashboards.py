"""Dashboards into a Grafana: what `vigie grafana push` and `vigie up --grafana` share."""

from __future__ import annotations

from collections.abc import Callable

from deploy.grafana.client import Grafana, GrafanaError
from deploy.grafana.push import push
from deploy.grafana.shipped import shipped
from service.settings import Settings


def require_token(settings: Settings, given: str | None = None) -> str:
    """The token given, else that of the settings; raises `GrafanaError` where there is neither."""
    token = given or settings.grafana_token
    if not token:
        raise GrafanaError(
            "Grafana wants a token: make one for a service account with the role Admin, and give it with --token, "
            "VIGIE_GRAFANA_TOKEN or VIGIE_GRAFANA_TOKEN_FILE"
        )
    return token


async def push_dashboards(
    settings: Settings,
    url: str,
    token: str,
    reader_url: str,
    *,
    page: str,
    say: Callable[[str], None],
    dry_run: bool = False,
) -> None:
    """Push what is shipped in the language of the settings; raises `GrafanaError`."""
    wanted = shipped(settings.grafana_language, page=page.rstrip("/"))
    async with Grafana(url, token) as grafana:
        await push(grafana, wanted, reader_url, dry_run=dry_run, say=say)
