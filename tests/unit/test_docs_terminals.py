"""What docs/terminals.md shows is what the API gives and takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from api.models.terminals import TurnTime

DOCS = (Path(__file__).parents[2] / "docs" / "terminals.md").read_text("utf-8")


def after(request: str, language: str) -> str:
    """The first block of a language behind a request."""
    assert request in DOCS
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", DOCS.split(request, 1)[1], re.DOTALL)
    return found[0]


@pytest.mark.parametrize(("request_", "model"), [("GET /v1/terminals/SEYA/turn-time?", TurnTime)])
def test_the_examples_have_the_shape_of_the_answers(request_: str, model: type[BaseModel]) -> None:
    shown = model.model_validate_json(after(request_, "json"), strict=False)
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert shown.model_dump(by_alias=True).keys() == fields
