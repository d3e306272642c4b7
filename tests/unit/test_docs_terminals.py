"""What docs/terminals.md shows is what the API gives and takes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from api.models.appointments import Slots
from api.models.lorry_ban import BansOut
from api.models.outlook import TerminalAhead
from api.models.terminals import TurnTime
from sensors.slots import PlanRefused, parse_csv, parse_json

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
DOCS = (Path(__file__).parents[2] / "docs" / "terminals.md").read_text("utf-8")


def after(request: str, language: str) -> str:
    """The first block of a language behind a request."""
    assert request in DOCS
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", DOCS.split(request, 1)[1], re.DOTALL)
    return found[0]


@pytest.mark.parametrize(
    ("request_", "model"),
    [
        ("GET /v1/terminals/SEYA/turn-time?", TurnTime),
        ("GET /v1/terminals/SEYA/appointments?", Slots),
        ("GET /v1/terminals/SEYA/outlook`", TerminalAhead),
        ("GET /v1/lorry-ban?", BansOut),
    ],
)
def test_the_examples_have_the_shape_of_the_answers(request_: str, model: type[BaseModel]) -> None:
    shown = model.model_validate_json(after(request_, "json"), strict=False)
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert shown.model_dump(by_alias=True).keys() == fields


def test_the_plans_are_plans_and_the_same_one() -> None:
    as_csv = parse_csv(after("PUT -H", "csv").encode(), NOW)
    as_json = parse_json(after("`PUT /v1/terminals/SEYA/appointments`", "json").encode(), NOW)
    assert as_csv == as_json
    assert [slot.booked for slot in as_csv] == [80, 60]


def test_the_mistake_is_told_as_the_page_says() -> None:
    with pytest.raises(PlanRefused) as caught:
        parse_csv(b"hour,booked\n2026-03-02T07:00Z,1\n2026-03-02T08:00Z,many\n", NOW)
    assert f"`{caught.value}`" in DOCS
