"""What is usual at each hour of the week: speeds, flows and arrivals, as the means of the last weeks have them.

Coarser than the usual speeds that abnormality is judged by (`analytics.usual`), and known for every kind: a cause asks
whether more arrive, or less gets through, than at this time on other days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analytics.table import Float32, Int64
from analytics.week import SLOTS, Week

HOURS = 168
"""Hours of a week, from Monday 00:00."""

Table = Float32
"""(HOURS,), NaN where an hour is not known."""


@dataclass(frozen=True, slots=True)
class Habits:
    """`tables` by thing and field."""

    tables: Mapping[tuple[str, str], Table]
    week: Week

    def at(self, thing: str, field: str, at_us: int) -> float:
        """Return what is usual at an instant, between the middles of two hours; NaN where it is not known."""
        table = self.tables.get((thing, field))
        if table is None:
            return float("nan")
        times: Int64 = np.array([at_us - 1800 * 1_000_000, at_us + 1800 * 1_000_000], np.int64)
        before, after = (self.week.slots(times) * HOURS // SLOTS).tolist()
        share = (at_us / 3.6e9 + 0.5) % 1
        here, there = float(table[before]), float(table[after])
        if np.isnan(here) or np.isnan(there):
            return there if np.isnan(here) else here
        return here + share * (there - here)

    def all_at(self, thing: str, field: str, times_us: Int64) -> Float32 | None:
        """Return what is usual at instants (n,) in the same way; None where nothing is known of it."""
        table = self.tables.get((thing, field))
        if table is None:
            return None
        half_us = 1800 * 1_000_000
        here, there = (table[self.week.slots(times_us + by) * HOURS // SLOTS] for by in (-half_us, half_us))
        share = ((times_us / 3.6e9 + 0.5) % 1).astype(np.float32)
        mixed: Float32 = here + share * (there - here)
        return np.where(np.isnan(mixed), np.where(np.isnan(here), there, here), mixed)

    def most(self, thing: str, field: str) -> float:
        """Return the highest of all hours; NaN where none is known."""
        table = self.tables.get((thing, field))
        return float("nan") if table is None or np.isnan(table).all() else float(np.nanmax(table))


NONE = Habits({}, Week("Europe/Paris"))
"""Nothing is known."""
