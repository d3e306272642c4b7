"""What the JSON shapes of the API share. pydantic stays in these modules, at the border; `api/shapes.py` fills them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}$"
"""What an id of a sensor or corridor looks like: a level of an MQTT topic (`sensors.topics`)."""

NAME_PATTERN = r"^[^\x00-\x1f\x7f]*$"
"""One line of text without control characters: it is shown in lists, on terminals and in mails."""
TEXT_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""Text that may have lines and tabs; the database holds no NUL, and nobody means the other control characters."""

LevelName = Literal["fluid", "dense", "congested", "jammed", "unknown"]
AbnormalityName = Literal["usual", "unusual", "unknown"]
VerdictName = Literal["traffic", "sensor", "unknown"]

Time = Annotated[datetime, Field(examples=["2026-03-02T07:34:00Z"])]
SensorId = Annotated[str, Field(examples=["W07-G1"], description="id of a sensor or of a corridor")]
Number = Annotated[float | None, Field(examples=[1830.0])]


class Out(BaseModel):
    """A shape that is filled from the attributes of a value."""

    model_config = ConfigDict(from_attributes=True)
