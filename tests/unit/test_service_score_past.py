from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.score.past import KEPT, WEEK_START, Past, cut, forget, read_block
from service.score.weeks import write_blocks
from simulators.history import HistoryBlock

START_S = WEEK_START.timestamp()


def block(*times_s: float, things: tuple[str, ...] = ("W07-G1",)) -> HistoryBlock:
    rows = len(times_s)
    return HistoryBlock(
        kind="passage",
        things=things,
        thing=np.arange(rows) % len(things),
        time_us=np.array([round(time_s * 1e6) for time_s in times_s], np.int64),
        values=np.array([[time_s, np.nan] for time_s in times_s], np.float32),
        texts={"container": [None if row % 2 else f"MSCU{row}" for row in range(rows)]},
    )


def test_weeks_are_read_as_they_were_written(tmp_path: Path) -> None:
    parts = [block(1, 2, 3, things=("b", "a")), block(4, things=("c",))]
    write_blocks(tmp_path / "passage.npz", parts)
    kept = read_block(tmp_path / "passage.npz")
    assert [kept.things[place] for place in kept.thing] == ["b", "a", "b", "c"]
    assert kept.time_us.tolist() == [1_000_000, 2_000_000, 3_000_000, 4_000_000]
    np.testing.assert_array_equal(kept.values, np.concatenate([part.values for part in parts]))
    assert kept.texts == {"container": ["MSCU0", None, "MSCU2", "MSCU0"]}
    assert kept.kind == "passage"


def test_a_cut_holds_what_lies_from_one_instant_until_before_another() -> None:
    kept = cut(block(1, 2, 3, 4), 2, 4)
    assert kept.time_us.tolist() == [2_000_000, 3_000_000]
    assert kept.texts == {"container": [None, "MSCU2"]}
    assert len(cut(block(1, 2), 5, 9)) == 0


def test_only_the_seeds_used_last_are_kept(tmp_path: Path) -> None:
    folders = [tmp_path / f"seed{number}" for number in range(KEPT + 3)]
    for age, folder in enumerate(reversed(folders)):
        folder.mkdir()
        os.utime(folder, (1e9 - age, 1e9 - age))
    forget(folders[0])
    assert sorted(tmp_path.iterdir()) == sorted([folders[0], *folders[-KEPT + 1 :]])


def test_before_a_run_comes_its_own_day_up_to_its_start() -> None:
    kinds = load_kinds()
    lead = Past(Path("/nowhere"), shipped_catalogue(), kinds, seed=1, weeks=0).lead(START_S, START_S + 600)
    times = {part.kind: (part.time_us / 1e6 - START_S).tolist() for part in lead}
    assert 0 <= min(times["traffic"]) < 30
    assert 570 <= max(times["traffic"]) < 600
    assert len(times["traffic"]) == 20 * 46
