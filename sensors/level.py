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


class Verdict(enum.StrEnum):
    """Whether a state tells of the road or of the sensor."""

    TRAFFIC = "traffic"
    SENSOR = "sensor"
    UNKNOWN = "unknown"


class Quality(enum.IntFlag):
    """Bits stored with every reading; 0 is a reading without remark."""

    OUT_OF_RANGE = 1
