"""Who acts: one value that every action is handed and that the audit trail names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from api.access.door import CALLER


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a system by the name under which it is known."""

    name: str


async def acting(request: Request) -> Actor:
    """Who sends this request: the name of its key or session."""
    return Actor(request.scope[CALLER].name)


InActor = Annotated[Actor, Depends(acting)]
