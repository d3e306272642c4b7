"""The files that Grafana loads: each dashboard and the alert rules, in each language."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deploy.grafana.alerting import to_json as rules_to_json
from deploy.grafana.sheet import to_json
from deploy.grafana.sheets.alarms import alarm_performance
from deploy.grafana.sheets.health import sensor_health
from deploy.grafana.sheets.port import port_overview
from deploy.grafana.sheets.road import road_traffic
from deploy.grafana.sheets.service import vigie_service
from deploy.grafana.sheets.terminal import terminals
from deploy.grafana.words import LANGUAGES, Language

SHEETS = (port_overview, road_traffic, terminals, sensor_health, alarm_performance, vigie_service)


def files(language: Language) -> Iterator[tuple[str, str]]:
    """Name each file below the folder of a language, and give what is in it."""
    for make in SHEETS:
        sheet = make(language)
        yield f"dashboards/{sheet.uid}.json", to_json(sheet, language)
    yield "alerting/vigie.json", rules_to_json(language)


def build(folder: Path) -> list[Path]:
    """Write what differs and remove what is no longer built; the files changed."""
    changed = []
    for language in LANGUAGES:
        wanted = dict(files(language))
        for name, text in wanted.items():
            path = folder / language / name
            if not path.exists() or path.read_text("utf-8") != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
                changed.append(path)
        for path in (folder / language).rglob("*.json"):
            if path.relative_to(folder / language).as_posix() not in wanted:
                path.unlink()
                changed.append(path)
    return changed
