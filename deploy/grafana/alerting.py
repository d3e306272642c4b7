"""Alert rules that mirror the alarms, for those who page through Grafana.

Vigie decides what is an alarm; these rules only repeat it, one alert for each that nobody has acknowledged, and end it
when somebody has. One more rule says that no readings come: a Vigie that is dead raises no alarm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from deploy.grafana.shipped import FOLDER_NAME, GROUP, OWNER, SOURCE_TYPE, SOURCE_UID
from deploy.grafana.words import PRIORITIES, Language, Words
from store.panels import rules

SILENT_S = 300
"""Without any reading for so long something is dead. Shorter: a broker's restart pages; longer: nobody knows of it."""
_SPAN = {"from": 600, "to": 0}


@dataclass(frozen=True, slots=True)
class Rule:
    """above: the figure from which on it alerts. unknown: the state when nothing comes back, or an error."""

    uid: str
    title: Words
    summary: Words
    sql: str
    above: float
    severity: str
    lasts: str
    unknown: tuple[str, str]


def alert_rules(language: Language) -> list[Rule]:
    mirrored = [
        Rule(
            uid=f"vigie-alarms-{priority}",
            title=Words(f"Vigie: alarms, priority {shown.words.en}", f"Vigie : alarmes, priorité {shown.words.fr}"),
            # Not $labels: files for provisioning take it for a variable of the environment.
            summary=Words("{{ .Labels.title }}: {{ .Labels.sites }}", "{{ .Labels.title }} : {{ .Labels.sites }}"),
            sql=rules.calling(language, priority),
            above=0,
            severity=priority,
            lasts="0s",
            unknown=("OK", "Error"),
        )
        for priority, shown in PRIORITIES.items()
    ]
    silent = Rule(
        uid="vigie-no-readings",
        title=Words("Vigie: no readings", "Vigie : aucune mesure"),
        summary=Words(
            "No reading of any sensor for 5 minutes: the broker, ingest or the network is down.",
            "Aucune mesure d’aucun capteur depuis 5 minutes : broker, ingestion ou réseau en panne.",
        ),
        sql=rules.silence(),
        above=SILENT_S,
        severity="high",
        lasts="1m",
        unknown=("Alerting", "Alerting"),
    )
    return [*mirrored, silent]


def models(language: Language) -> Iterator[dict[str, object]]:
    """The rules as Grafana's provisioning has them, in files and over its API."""
    for rule in alert_rules(language):
        no_data, error = rule.unknown
        yield {
            "uid": rule.uid,
            "title": rule.title.to(language),
            "condition": "B",
            "data": [_query(rule), _threshold(rule)],
            "noDataState": no_data,
            "execErrState": error,
            "for": rule.lasts,
            "annotations": {"summary": rule.summary.to(language)},
            "labels": {**OWNER, "severity": rule.severity},
        }


def to_json(language: Language) -> str:
    """Write the rules as a file for provisioning."""
    group = {"orgId": 1, "name": GROUP, "folder": FOLDER_NAME, "interval": "1m", "rules": list(models(language))}
    return json.dumps({"apiVersion": 1, "groups": [group]}, indent=1, ensure_ascii=False) + "\n"


def _query(rule: Rule) -> dict[str, object]:
    source = {"type": SOURCE_TYPE, "uid": SOURCE_UID}
    asked = {"rawSql": rule.sql, "format": "table", "rawQuery": True, "editorMode": "code"}
    model = {"refId": "A", "datasource": source, "intervalMs": 1000, "maxDataPoints": 43_200, **asked}
    return {"refId": "A", "relativeTimeRange": _SPAN, "datasourceUid": SOURCE_UID, "model": model}


def _threshold(rule: Rule) -> dict[str, object]:
    above = {"type": "gt", "params": [rule.above]}
    source = {"type": "__expr__", "uid": "__expr__"}
    model = {
        "refId": "B",
        "datasource": source,
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": above}],
    }
    return {"refId": "B", "relativeTimeRange": _SPAN, "datasourceUid": "__expr__", "model": model}
