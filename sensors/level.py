"""How bad it is: the levels of congestion, and what a state rests on."""

from __future__ import annotations

import enum


class Level(enum.IntEnum):
    """Ordered by severity; unknown is beside the order, never better than fluid."""

    UNKNOWN = -1
    FLUID = 0
    DENSE = 1
    CONGESTED = 2
    JAMMED = 3

    @property
    def label(self) -> str:
        """The word used in the API, the database and on the page."""
        return self.name.lower()


class Abnormality(enum.IntEnum):
    """How unusual it is for the time of week, whatever the level; unknown until enough weeks were seen."""

    UNKNOWN = -1
    USUAL = 0
    UNUSUAL = 1

    @property
    def label(self) -> str:
        """The word used in the API and on the page."""
        return self.name.lower()


class Verdict(enum.StrEnum):
    """Whether a state tells of the road or of the sensor."""

    TRAFFIC = "traffic"
    SENSOR = "sensor"
    UNKNOWN = "unknown"


class Quality(enum.IntFlag):
    """Bits stored with every reading, each a remark; 0 is a reading without remark.

    `docs/quality.md` tells how each is found. The numbers are in the database: a bit never changes its meaning.
    """

    OUT_OF_RANGE = 1
    SENTINEL = 2
    RATE = 4
    MISMATCH = 8
    CLOCK = 16
    OUT_OF_ORDER = 32

    @property
    def label(self) -> str:
        """The word used in metrics and documentation."""
        return str(self.name).lower()


DISTRUSTED = Quality.OUT_OF_RANGE | Quality.SENTINEL
"""Remarks for which nobody believes the reading: its level is held and it counts in no rollup.

Only what cannot be a measurement. A sudden change, an occupancy without flow and a wrong clock may come with the worst
jam of the year (domain, "fail towards the road"): those inform, and hide nothing."""
