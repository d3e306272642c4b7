"""Who acts: one value that every action is handed and that the audit trail names.

Until there are access keys only this machine can reach the service, and whoever sits at it is the operator. With keys,
`acting` is the one place that looks at the request and says who it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or a system by the name under which it is known."""

    name: str


OPERATOR = Actor("operator")


async def acting() -> Actor:
    """Who sends this request."""
    return OPERATOR


InActor = Annotated[Actor, Depends(acting)]
