"""What is shipped for Grafana, for whoever pushes or measures it: files alone, the SDK is not needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from deploy.grafana.words import Language

FOLDER = Path(__file__).parent
SOURCE_UID, SOURCE_NAME, SOURCE_TYPE = "vigie", "Vigie", "postgres"
"""The plugin's first name: version 9.4 knows only this one; later ones call it grafana-postgresql-datasource and know
both."""
FOLDER_UID, FOLDER_NAME, GROUP = "vigie", "Vigie", "vigie"
TAG = "vigie"
OWNER = {"managed_by": "vigie"}
"""The label by which a push knows its own alert rules."""
PAGE = "http://127.0.0.1:8090"
"""Where the operator's page is, in the files; a push says better."""
POSTGRES = 1500
"""The oldest version that Vigie runs on, as Grafana writes it: it chooses what its query editor offers."""


class Choice(NamedTuple):
    """A variable that people choose. one: a single value."""

    name: str
    sql: str
    one: bool


@dataclass(frozen=True, slots=True)
class Shipped:
    """Dashboards and alert rules as Grafana takes them, and the data source but for where the database is."""

    dashboards: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    source: dict[str, Any]


def shipped(language: Language, *, page: str = PAGE) -> Shipped:
    """Read the files of a language; the dashboards lead to this page."""
    folder = FOLDER / language
    paths = sorted((folder / "dashboards").glob("*.json"))
    dashboards = [json.loads(path.read_text("utf-8").replace(PAGE, page)) for path in paths]
    alerting = json.loads((folder / "alerting" / "vigie.json").read_text("utf-8"))
    return Shipped(dashboards, alerting["groups"][0]["rules"], _source())


def questions(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Title and statement of each panel."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["rawSql"]


def choices(dashboard: dict[str, Any]) -> Iterator[Choice]:
    """What people choose, in order: the later may depend on the earlier."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield Choice(variable["name"], variable["query"], not variable["multi"])


def _source() -> dict[str, Any]:
    options = {"postgresVersion": POSTGRES, "timescaledb": True, "maxOpenConns": 10}
    return {"uid": SOURCE_UID, "name": SOURCE_NAME, "type": SOURCE_TYPE, "access": "proxy", "jsonData": options}
