"""Situations over HTTP: chosen, paged, shown with who was in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from making import some_situation

from analytics.situations.cause import Cause, Hint
from analytics.situations.headline import Headlines
from analytics.situations.situation import Notice, Situation, Span, State, Step
from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.situating import situation_event, situation_rows
from store.situations import SituationChoice, SituationRow

ONSET = datetime(2026, 3, 2, 7, 12, tzinfo=UTC)
ONSET_US = int(ONSET.timestamp()) * 1_000_000
MINUTE = 60_000_000
HEADLINES = Headlines(shipped_catalogue(), load_kinds())


def situation(number: int = 0, **other: object) -> Situation:
    onset_us = ONSET_US + number * 1_000_000
    return some_situation(
        **{
            "id": f"20260302T0712{number:02}Z-W03-F1",
            "at_us": ONSET_US + 9 * MINUTE,
            "onset_us": onset_us,
            "cause": Cause.GATE_OUTAGE,
            "causes": (Hint(Cause.GATE_OUTAGE, 0.97, {"lanes_open": 0.0, "gate": "W07"}),),
            "spans": (Span("W02-F1", ONSET_US + MINUTE, None), Span("W03-F1", ONSET_US, None)),
        }
        | other
    )


def rows(*situations: Situation) -> list[SituationRow]:
    return situation_rows([], situations, HEADLINES)


async def test_open_situations_are_listed_as_the_feed_tells_them(client: httpx.AsyncClient, source) -> None:
    source.situation_rows = rows(situation())
    (item,) = (await client.get("/v1/situations")).json()["items"]
    told = situation_event(Notice(Step.CHANGED, situation()), HEADLINES)
    assert {name: item[name] for name in told.data} == told.data
    assert (item["time"], item["onset"], item["end"]) == ("2026-03-02T07:21:00Z", "2026-03-02T07:12:00Z", None)
    assert (told.type, told.subject) == ("vigie.situation.changed.v1", situation().id)
    assert source.chosen == [SituationChoice(open=True)]


async def test_choice_is_handed_on(client: httpx.AsyncClient, source) -> None:
    query = "state=all&site=W07&from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00%2B01:00"
    assert (await client.get(f"/v1/situations?{query}")).status_code == 200
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert source.chosen == [SituationChoice(None, "W07", midnight, midnight + timedelta(hours=23))]


async def test_pages_follow_each_other_without_a_gap(client: httpx.AsyncClient, source) -> None:
    source.situation_rows = rows(*(situation(number) for number in range(5)))
    seen: list[str] = []
    before = ""
    while True:
        page = (await client.get(f"/v1/situations?limit=2{before}")).json()
        seen += [item["situation"] for item in page["items"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert seen == [situation(number).id for number in (4, 3, 2, 1, 0)]


async def test_one_is_shown_with_who_was_congested_in_it(client: httpx.AsyncClient, source) -> None:
    source.situation_rows = rows(situation())
    shown = (await client.get(f"/v1/situations/{situation().id}")).json()
    assert shown["stays"] == [
        {"sensor": "W02-F1", "from": "2026-03-02T07:13:00Z", "to": None},
        {"sensor": "W03-F1", "from": "2026-03-02T07:12:00Z", "to": None},
    ]


async def test_unknown_situation_is_a_problem_that_names_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/situations/20260302T071200Z-W99-F1")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:vigie:problem:unknown-situation"
    assert "20260302T071200Z-W99-F1" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["state=closed", "limit=0", "from=yesterday", "site=a/b"])
async def test_what_cannot_be_used_is_refused(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/v1/situations?{query}")).status_code == 422


def test_what_ended_is_stored_once_with_its_end() -> None:
    over = situation(state=State.ENDED, end_us=ONSET_US + 5 * MINUTE)
    (row,) = situation_rows([Notice(Step.BEGAN, situation()), Notice(Step.ENDED, over)], [], HEADLINES)
    assert (row.state, row.ended) == ("ended", ONSET + timedelta(minutes=5))
