from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import numpy as np
import pytest

from sensors.catalogue import Sensor
from sensors.kind import load_kinds
from service.chaos.plan import BACKLOG, Strike, plan
from service.chaos.verdict import Counts, count
from simulators.numbered import Numbered
from store.numbered import StoredNumbers

SENSOR = Sensor(id="W01-F1", site="W01", kind="traffic")
LOAD = Numbered(load_kinds()["traffic"], (SENSOR,), 100, datetime(2026, 3, 1, tzinfo=UTC), boot=3)
ALL = np.arange(100)
WHOLE = StoredNumbers(LOAD.time_us(ALL), np.full(100, 3), ALL, LOAD.values(0, ALL))


@pytest.mark.parametrize("kills", range(1, 41))
def test_a_plan_has_exactly_the_kills_asked_for_and_a_third_of_the_brokers_in_a_backlog(kills: int) -> None:
    for seed in range(20):
        planned = plan(1_000_000, kills, Random(seed))
        strikes = [entry.strike for entry in planned]
        assert sum(strike.kills for strike in strikes) == kills
        backlogged = sum(strike.in_backlog for strike in strikes)
        assert 3 * backlogged >= backlogged + strikes.count(Strike.BROKER)
        assert [entry.at for entry in planned] == sorted(entry.at for entry in planned)


def test_a_plan_leaves_room_for_the_backlog_it_wants() -> None:
    for seed in range(50):
        planned = plan(50_000, 5, Random(seed))
        assert all(entry.at <= 50_000 - BACKLOG for entry in planned if entry.strike.in_backlog)


def test_the_same_seed_gives_the_same_plan() -> None:
    assert plan(50_000, 20, Random(4)) == plan(50_000, 20, Random(4)) != plan(50_000, 20, Random(5))


def counted(rows: StoredNumbers, gaps: list[tuple[int, int]] | None = None) -> Counts:
    counts = Counts()
    count(counts, LOAD, 0, rows, gaps or [])
    return counts


def without(rows: StoredNumbers, *numbers: int) -> StoredNumbers:
    kept = ~np.isin(ALL, numbers)
    return StoredNumbers(rows.time_us[kept], rows.boot[kept], rows.seq[kept], rows.values[kept])


def test_what_is_stored_as_it_was_sent_is_not_lost() -> None:
    assert counted(WHOLE) == Counts(stored=100)


def test_what_is_not_stored_is_lost_and_named_only_where_a_gap_says_so() -> None:
    assert counted(without(WHOLE, 5, 6, 70), [(5, 6)]) == Counts(stored=97, lost=3, missing_named=2)


def test_a_gap_over_what_is_stored_names_nothing() -> None:
    assert counted(WHOLE, [(5, 6)]) == Counts(stored=100)


def test_one_altered_value_is_a_lost_reading() -> None:
    values = WHOLE.values.copy()
    values[7, 2] += 0.5
    assert counted(replace(WHOLE, values=values)) == Counts(stored=100, lost=1, altered=1)


def test_another_time_another_boot_or_an_unsent_number_is_altered() -> None:
    time_us, boot, seq = WHOLE.time_us.copy(), WHOLE.boot.copy(), WHOLE.seq.copy()
    time_us[1] += 1
    boot[2] = 4
    seq[99] = 100
    assert counted(replace(WHOLE, time_us=time_us, boot=boot, seq=seq)) == Counts(stored=100, lost=3, altered=3)


def test_a_number_that_is_stored_twice_is_told() -> None:
    twice = StoredNumbers(
        *(np.concatenate([part, part[:1]]) for part in (WHOLE.time_us, WHOLE.boot, WHOLE.seq, WHOLE.values))
    )
    assert counted(twice) == Counts(stored=101, stored_twice=1)
