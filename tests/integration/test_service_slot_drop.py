"""Slot plans from a folder into the real database."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from service.slot_drop import RESTS_S, DropError, SlotDrop
from store.catalogue import seed
from store.database import connected

NOW = datetime(2026, 3, 2, 7, 34, tzinfo=UTC)
PLAN = "hour,booked\n2026-03-02T07:00+01:00,80\n2026-03-02T08:00+01:00,60\n"


class Folder:
    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url, self.drop = path, url, SlotDrop.of(str(path))

    def write(self, name: str, text: str = PLAN, *, rested_s: float = 60) -> None:
        file = self.path / name
        file.write_text(text, "utf-8")
        os.utime(file, (time.time() - rested_s,) * 2)

    async def take(self) -> None:
        async with connected(self.url, name="test") as conn:
            await self.drop.take(conn, NOW)

    def files(self) -> list[str]:
        return sorted(str(file.relative_to(self.path)) for file in self.path.rglob("*") if not file.is_dir())

    def booked(self) -> list[tuple[str, int]]:
        with psycopg.connect(self.url) as conn:
            return conn.execute("select terminal, booked from appointment order by terminal, hour").fetchall()


@pytest.fixture
async def folder(tmp_path: Path, migrated_url: str) -> Folder:
    await seed(migrated_url)
    return Folder(tmp_path, migrated_url)


@pytest.mark.parametrize("name", ["SEYA.csv", "seya-2026-03-02.csv", "SEYA plan.CSV"])
async def test_a_plan_is_stored_and_its_file_is_done(folder: Folder, name: str) -> None:
    folder.write(name)
    await folder.take()
    assert folder.booked() == [("SEYA", 80), ("SEYA", 60)]
    assert folder.files() == [f"done/{name}"]


async def test_plans_of_one_name_are_all_kept_and_the_last_holds(folder: Folder) -> None:
    for booked in ("70", "75"):
        folder.write("SEYA.csv", PLAN.replace("60", booked))
        await folder.take()
    assert folder.booked() == [("SEYA", 80), ("SEYA", 75)]
    assert len(folder.files()) == 2


async def test_the_older_of_two_plans_is_taken_first(folder: Folder) -> None:
    folder.write("SEYA-a.csv", PLAN.replace("60", "70"), rested_s=10)
    folder.write("SEYA-b.csv", rested_s=20)
    await folder.take()
    assert folder.booked() == [("SEYA", 80), ("SEYA", 70)]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("SEYA.csv", PLAN.replace("80", "many"), "line 2, booked: 'many': expected a whole number from 0 to 2000\n"),
        ("NOPE.csv", PLAN, "the name of the file: 'NOPE.csv': expected <terminal>.csv"),
        ("SEYA.csv", "x" * 300_000, "the file: '300000 bytes': expected at most 262144\n"),
    ],
)
async def test_a_plan_with_mistakes_is_rejected_with_its_reason(
    folder: Folder, name: str, text: str, reason: str
) -> None:
    folder.write(name, text)
    await folder.take()
    assert folder.booked() == []
    assert folder.files() == [f"rejected/{name}", f"rejected/{name}.reason.txt"]
    assert (folder.path / "rejected" / f"{name}.reason.txt").read_text("utf-8").startswith(reason)


async def test_what_is_still_written_hidden_or_no_plan_is_left_alone(folder: Folder) -> None:
    folder.write("SEYA.csv", PLAN[:20], rested_s=RESTS_S / 4)
    folder.write(".SEYA.csv")
    folder.write("SEYA.csv.part")
    (folder.path / "EURFO.csv").symlink_to(folder.path / ".SEYA.csv")
    before = folder.files()
    await folder.take()
    assert (folder.booked(), folder.files()) == ([], before)


async def test_a_plan_that_was_stored_before_the_file_moved_is_taken_again(folder: Folder) -> None:
    folder.write("SEYA.csv")
    await folder.take()
    (folder.path / "done" / "SEYA.csv").rename(folder.path / "SEYA.csv")
    await folder.take()
    assert folder.booked() == [("SEYA", 80), ("SEYA", 60)]
    assert folder.files() == ["done/SEYA.csv"]


async def test_a_folder_that_went_away_stops_nothing(folder: Folder) -> None:
    folder.path.rename(folder.path.with_name("elsewhere"))
    await folder.take()
    folder.path.with_name("elsewhere").rename(folder.path)
    folder.write("SEYA.csv")
    await folder.take()
    assert folder.files() == ["done/SEYA.csv"]


def test_a_folder_that_cannot_be_used_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(DropError, match=r"setting appointments_dir '.*nowhere' cannot be used: .* name a folder"):
        SlotDrop.of(str(tmp_path / "nowhere"))
