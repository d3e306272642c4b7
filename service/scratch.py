"""A stack that exists for one command: own folder, own servers, nothing of it left when the block ends.

Whoever runs parts of Vigie against it as processes gives them `own_environ`: what the user has set speaks of another
installation.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.stack import EmbeddedStack
from service.endpoints import Endpoints


@dataclass(frozen=True, slots=True)
class ScratchStack:
    """A running stack and the folder that goes with it."""

    folder: Path
    stack: EmbeddedStack

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.stack.urls.database_url, self.stack.urls.broker_url)


@asynccontextmanager
async def scratch_stack(
    purpose: str, cache: Path, say: Callable[[str], None], *, durable: bool = True
) -> AsyncIterator[ScratchStack]:
    """Start a stack; it is stopped and its folder removed when the block ends, whatever happened inside.

    Not `durable` its database is quicker, and would not survive the loss of power.
    """
    with scratch_folder(purpose) as folder:
        async with EmbeddedStack(folder / "home", say=say, cache=cache, durable=durable) as stack:
            yield ScratchStack(folder, stack)


@contextmanager
def scratch_folder(purpose: str) -> Iterator[Path]:
    """A folder that is gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix=f"vigie-{purpose}-"))
    folder.chmod(0o711)  # The unprivileged account that root hands the servers to must pass through.
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def own_environ(endpoints: Endpoints | None, **settings: str) -> dict[str, str]:
    """Our own environment with the stack's servers and these settings instead of those that the user has set.

    Without endpoints whoever is started brings its own servers.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
    servers = {"database_url": endpoints.database_url, "broker_url": endpoints.broker_url} if endpoints else {}
    given = {**servers, "log_format": "json", **settings}
    return kept | {f"VIGIE_{name.upper()}": value for name, value in given.items()}
