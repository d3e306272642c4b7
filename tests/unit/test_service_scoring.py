from __future__ import annotations

import pytest

from service.arguments import parse
from service.scoring import ScoreError
from service.server import AddressError
from service.settings import Settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--all", "--url", "http://127.0.0.1:1"], "--url belongs to --truth FILE"),
        (["--days", "2", "--to", "2025-03-03T07:00:00Z"], "--to belongs to --truth FILE"),
        (["--days", "2", "--scenario", "quiet-sunday"], "--scenario belongs to --all"),
    ],
)
async def test_options_that_would_be_passed_over_are_refused(options: list[str], message: str) -> None:
    arguments = parse(["score", *options])
    with pytest.raises(ScoreError, match=message):
        await arguments.run(Settings(), arguments)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--all", "--truth", "x"],
        ["--days", "15"],
        ["--days", "0"],
        ["--all", "--seeds", "0"],
        ["--all", "--json", "--markdown"],
        ["--all", "--system", "a 'b"],
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_starts(options: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(["score", *options])
    assert left.value.code == 2


async def test_a_system_at_any_free_port_must_be_named() -> None:
    arguments = parse(["score", "--truth", "x"])
    with pytest.raises(AddressError, match="name the service with --url"):
        await arguments.run(Settings(http="127.0.0.1:0"), arguments)
