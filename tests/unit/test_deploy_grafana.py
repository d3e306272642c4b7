"""Dashboards as files: what Grafana asks of their structure, and that what is shipped is what the code builds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

import deploy.grafana
from deploy.grafana.build import SHEETS, build, files
from deploy.grafana.sheet import SCHEMA
from deploy.grafana.shipped import SOURCE_NAME, SOURCE_UID
from deploy.grafana.words import LANGUAGES
from store.readers import READER_ROLE

SHIPPED = Path(deploy.grafana.__file__).parent
DASHBOARDS: dict[str, dict[str, Any]] = {
    f"{language}-{Path(name).stem}": json.loads(text)
    for language in LANGUAGES
    for name, text in files(language)
    if name.startswith("dashboards/")
}
TYPES = {"row", "timeseries", "stat", "table", "geomap", "heatmap", "barchart", "piechart"}
"""Panel types that Grafana 9.4 has."""
SOURCE = {"type": "postgres", "uid": "${source}"}


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        assert panel.get("panels", []) == [], "rows are open"
        yield panel


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(one[a] < other[a] + other[b] and other[a] < one[a] + one[b] for a, b in (("x", "w"), ("y", "h")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_files_that_are_shipped_are_those_that_are_built(language: str) -> None:
    folder = SHIPPED / language
    shipped = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.json")}
    wanted = dict(files("fr" if language == "fr" else "en"))
    assert shipped.keys() == wanted.keys()
    stale = [name for name, text in wanted.items() if shipped[name] != text]
    assert not stale, "run `vigie grafana build` and commit what it writes"


def test_building_twice_changes_nothing_and_removes_what_is_no_longer_built(tmp_path: Path) -> None:
    assert build(tmp_path)
    (tmp_path / "fr" / "dashboards" / "vigie-old.json").write_text("{}")
    assert build(tmp_path) == [tmp_path / "fr" / "dashboards" / "vigie-old.json"]
    assert build(tmp_path) == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboard_has_the_structure_that_grafana_reads(name: str) -> None:
    dashboard = DASHBOARDS[name]
    assert dashboard["schemaVersion"] == SCHEMA
    assert "id" not in dashboard
    assert re.fullmatch(r"vigie-[a-z]{1,30}", dashboard["uid"])
    assert dashboard["tags"] == ["vigie"]
    found = list(panels(dashboard))
    assert len({panel["id"] for panel in found}) == len(found)
    assert {panel["type"] for panel in found} <= TYPES
    for panel in found:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert place["h"] >= 1
    for one, other in combinations(found, 2):
        assert not overlap(one["gridPos"], other["gridPos"]), f"{one['title']} lies over {other['title']}"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_says_what_it_shows_and_takes_its_data_source_from_the_variable(name: str) -> None:
    dashboard = DASHBOARDS[name]
    source = next(one for one in dashboard["templating"]["list"] if one["name"] == "source")
    assert source["type"] == "datasource"
    assert source["current"] == {"text": SOURCE_NAME, "value": SOURCE_UID}
    for panel in panels(dashboard):
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["description"]
            assert panel["datasource"] == SOURCE
            assert [target["datasource"] for target in panel["targets"]] == [SOURCE]
            assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None
            properties = [p["id"] for o in panel["fieldConfig"]["overrides"] for p in o["properties"]]
            assert panel["fieldConfig"]["defaults"].get("unit") or properties
    for mark in dashboard["annotations"]["list"]:
        assert mark["datasource"] == mark["target"]["datasource"] == SOURCE


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_variable_that_a_dashboard_uses_is_one_that_it_has(name: str) -> None:
    dashboard = DASHBOARDS[name]
    known = {variable["name"] for variable in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{(\w+)[:}]", json.dumps(dashboard)))
    assert used - known <= {"__value"}
    chosen = {variable["name"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"}
    assert chosen <= used, "a choice that changes nothing"


def test_the_languages_differ_in_words_alone() -> None:
    french, english = (
        [one for name, one in DASHBOARDS.items() if name.startswith(language)] for language in ("fr", "en")
    )
    for one, other in zip(french, english, strict=True):
        assert one["description"] != other["description"]
        for panel, same in zip(panels(one), panels(other), strict=True):
            assert (panel["id"], panel["type"], panel["gridPos"]) == (same["id"], same["type"], same["gridPos"])
            assert panel.get("description") != same.get("description") or panel["type"] == "row"


def test_the_documentation_names_every_dashboard() -> None:
    text = (SHIPPED.parents[1] / "docs" / "grafana.md").read_text("utf-8")
    titles = {one["title"].removeprefix("Vigie – ") for name, one in DASHBOARDS.items() if name.startswith("en")}
    assert set(re.findall(r"^\| ([A-Z][\w ]+) \|", text, flags=re.MULTILINE)) == titles


def test_dashboards_lead_to_each_other_and_to_the_page() -> None:
    for dashboard in DASHBOARDS.values():
        page, others = dashboard["links"]
        assert (page["type"], page["url"]) == ("link", "${page}")
        assert (others["type"], others["tags"]) == ("dashboards", dashboard["tags"])
    assert len(DASHBOARDS) == len(SHEETS) * len(LANGUAGES)


def test_alert_rules_keep_their_uids_over_the_languages_and_grafana_takes_none_of_their_words_for_variables() -> None:
    french, english = (json.loads(dict(files(language))["alerting/vigie.json"]) for language in LANGUAGES)
    rules = [group["rules"] for file in (french, english) for group in file["groups"]]
    assert [rule["uid"] for rule in rules[0]] == [rule["uid"] for rule in rules[1]]
    assert all(len(rule["uid"]) <= 40 and rule["labels"]["managed_by"] == "vigie" for rule in rules[0])
    assert "$" not in json.dumps(rules)
    for rule in (*rules[0], *rules[1]):
        asked, compared = rule["data"]
        assert rule["condition"] == compared["refId"]
        assert compared["model"]["expression"] == asked["refId"]
        assert asked["datasourceUid"] == asked["model"]["datasource"]["uid"] == SOURCE_UID


def test_compose_mounts_the_data_source_that_dashboards_look_for() -> None:
    text = (SHIPPED / "provisioning" / "datasources" / "vigie.yaml").read_text("utf-8")
    assert f"uid: {SOURCE_UID}\n" in text
    assert f"name: {SOURCE_NAME}\n" in text
    assert "user: vigie_grafana\n" in text
    assert "$__file{/run/secrets/database_grafana_password}" in text


def test_the_role_of_grafana_is_the_same_wherever_it_is_made() -> None:
    root = SHIPPED.parents[1]
    made = {
        name: sorted(re.findall(r"(?mi)^alter role \w+ set .*;$", (root / name).read_text("utf-8").lower()))
        for name in ("docs/grafana.md", "deploy/container/database.sh")
    }
    embedded = (root / "deploy/embedded/database.py").read_text("utf-8").replace("{READER_ROLE}", READER_ROLE)
    made["embedded"] = sorted(re.findall(r"(?mi)^alter role vigie_grafana set .*;$", embedded.lower()))
    assert len(made["embedded"]) == 2
    assert made["docs/grafana.md"] == made["deploy/container/database.sh"] == made["embedded"]
