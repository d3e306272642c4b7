from __future__ import annotations

import pytest

from service.arguments import parse
from service.playback import PlaybackError, require_one_source
from service.recorder import RecordError, require_range

RANGE = ["--from", "2026-03-02T07:00:00Z", "--to", "2026-03-02T08:00:00Z"]


@pytest.mark.parametrize("words", [["day.npz"], RANGE, [*RANGE, "--site", "W07,W05", "--as", "monday"]])
def test_a_replay_has_one_source(words: list[str]) -> None:
    require_one_source(parse(["replay", *words]))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a recording, or a range"),
        (RANGE[:2], "name a recording, or a range"),
        (["day.npz", *RANGE], r"day\.npz is a recording, and --from is for a range"),
        (["day.npz", "--as", "x"], "--as is for a range"),
    ],
)
def test_a_replay_without_one_source_is_refused(words: list[str], told: str) -> None:
    with pytest.raises(PlaybackError, match=told):
        require_one_source(parse(["replay", *words]))


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        ("2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z", "is not before"),
        ("2026-03-02T08:00:00.5Z", "2026-03-02T09:00:00Z", "give whole seconds"),
    ],
)
def test_a_range_that_is_none_is_refused(start: str, end: str, told: str) -> None:
    arguments = parse(["record", "--from", start, "--to", end, "out.npz"])
    with pytest.raises(RecordError, match=told):
        require_range(arguments.start, arguments.end)


def test_sites_may_be_listed_or_repeated() -> None:
    arguments = parse(["record", *RANGE, "--site", "W07,W05", "--site", "E01", "out.npz"])
    assert arguments.sites == [["W07", "W05"], ["E01"]]
