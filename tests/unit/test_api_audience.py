"""What a terminal's key is shown of rows that name others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jsonschema_rs
import pytest

from api.access.tokens import new_token
from api.app import create_app
from api.audience import Audience
from api.shapes import alert_json
from sensors.alerts import schema_of
from sensors.catalogue import shipped_catalogue
from sensors.kind import Kinds
from store.api_rows import EventRow

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
SEAYARD = Audience(shipped_catalogue(), "SEYA")
EUROFOS = Audience(shipped_catalogue(), "EURFO")
TOLD = {
    "situation": "20260302T071200Z-W07-G1",
    "kind": "gate",
    "level": "jammed",
    "sites": ["W07"],
    "places": ["W07-G1", "W07-G2"],
    "sensors": ["W07-G1"],
    "head": "W07",
    "tail": "W03-W07",
    "cause": "surge",
    "causes": [{"what": "surge", "confidence": 0.9, "evidence": {"gate": "W05", "lorries_ratio": 1.7}}],
    "parent": "20260302T070000Z-W12-F1",
    "spillback": {"towards": "W02-W03", "site": "W03", "storage_m": 690.0, "filled": 0.6, "reaches_at": None},
    "headline": {"fr": "File d’attente de camions à la porte Seayard.", "en": "Queue of lorries at Porte Seayard."},
    "sign": {"fr": ["FILE D'ATTENTE", "PORTE SEAYARD"], "en": ["LORRY QUEUE", "PORTE SEAYARD"]},
}


def test_what_names_others_is_left_empty_and_the_rest_stays() -> None:
    assert SEAYARD.told(TOLD) == TOLD | {
        "tail": "W07",
        "causes": [{"what": "surge", "confidence": 0.9, "evidence": {"lorries_ratio": 1.7}}],
        "parent": None,
        "spillback": None,
    }


def test_what_names_nobody_else_is_shown_as_it_is() -> None:
    own = TOLD | {"tail": "W07", "parent": "20260302T070000Z-W08-Y1", "spillback": None, "causes": []}
    assert SEAYARD.told(own) == own


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("evidence", {"as": "W05-G1", "share": 0.5, "of": ["W07-G1", "E01-G1"]}, {"share": 0.5, "of": ["W07-G1"]}),
        ("evidence", {"longest_s": None, "deep": {"witness": "W12-F1"}}, {"longest_s": None, "deep": {}}),
        ("stays", [{"sensor": "W07-G1", "to": None}], [{"sensor": "W07-G1", "to": None}]),
        ("why", "part of 20260302T070000Z-W03-F1", None),
        ("places", ["W07-G1", "W03-W07", "20260302T070000Z-W99-F1"], ["W07-G1", "20260302T070000Z-W99-F1"]),
    ],
)
def test_names_are_found_however_deep_they_are(name: str, value: Any, shown: Any) -> None:
    assert SEAYARD.told({"site": "W07", name: value}) == {"site": "W07", name: shown}


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("Lorry queue at Porte Seayard. Will reach RD268 in 10 minutes.", True),
        ("Lorry queue at Porte Seayard. Cause: lorries turned away at Porte Eurofos.", False),
        ("Traffic jam on RD268, between La Fossette and Seayard.", False),
    ],
)
def test_a_headline_that_speaks_of_others_is_left_out_with_its_sign(sentence: str, kept: bool) -> None:  # noqa: FBT001  a column
    both = {"headline": {"fr": sentence, "en": sentence}, "sign": TOLD["sign"]}
    assert SEAYARD.told({"sites": ["W07"], **both}) == {"sites": ["W07"], **(both if kept else dict.fromkeys(both))}


def test_own_names_are_no_other_names() -> None:
    said = {"fr": "File d’attente à la porte Eurofos.", "en": "Queue at Porte Eurofos. Container yard full at Eurofos."}
    assert EUROFOS.told({"sites": ["W05"], "headline": said})["headline"] == said
    assert SEAYARD.told({"sites": ["W07"], "headline": said})["headline"] is None


def test_what_is_shown_has_the_shape_that_is_promised() -> None:
    row = EventRow(7, NOW, "vigie.situation.changed.v1", "W07-G1", {**TOLD, "valid_until": "2026-03-02T08:00:00Z"})
    for kind in (row, replace(row, data={**row.data, "headline": {"fr": "À Eurofos.", "en": "At Eurofos."}})):
        alert = json.loads(alert_json(SEAYARD.event(kind)))
        jsonschema_rs.Draft202012Validator(schema_of(row.type)).validate(alert)


async def test_the_stream_of_a_terminal_leaves_out_what_names_others(
    source: Any, kinds: Kinds, sse: Any, served_with: Any
) -> None:
    app, token = create_app(source, kinds), new_token()
    source.grants.add(token, "key", name="Seayard", scopes=["read"], terminal="SEYA")
    headers = {"authorization": f"Bearer {token}"}
    async with served_with(app) as served:
        await source.add_event("before", **{**TOLD, "level": "congested"})
        async with sse(served.url + "v1/alerts/stream?after=0", **headers) as events:
            before = json.loads((await anext(events))["data"])
            await source.add_event("W12-F1", sites=["W12"])
            await source.add_event("since", **TOLD)
            since = json.loads((await anext(events))["data"])
    assert [before["subject"], since["subject"]] == ["before", "since"]
    for alert in (before, since):
        assert (alert["data"]["parent"], alert["data"]["spillback"]) == (None, None)
