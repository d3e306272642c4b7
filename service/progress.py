"""How far a publisher is, for whoever watches: one line that is rewritten on a terminal, else one now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final, TextIO

from simulators.publish import Publisher

_EVERY_S: Final = {True: 1.0, False: 10.0}
"""On a terminal, and elsewhere: a log of a day should stay readable."""
_CLEAR: Final = "\x1b[K"


class Progress:
    """Watches a publisher; `receipts` says whether readings wait for some."""

    def __init__(self, publisher: Publisher, out: TextIO, *, receipts: bool) -> None:
        self._publisher, self._out, self._receipts = publisher, out, receipts
        self._terminal = out.isatty()

    async def run(self) -> None:
        """Show it until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_S[self._terminal])
            self.show()

    def show(self) -> None:
        # The cursor returns to the beginning: what is logged next starts there and not behind the line.
        self._out.write(f"{_CLEAR}{self.line()}\r" if self._terminal else f"{self.line()}\n")
        self._out.flush()

    def clear(self) -> None:
        """Give the line of a terminal back."""
        if self._terminal:
            self._out.write(_CLEAR)
            self._out.flush()

    def line(self) -> str:
        trouble = self._publisher.trouble
        return "  ".join([*self._counts(), "connected" if trouble is None else f"not connected: {trouble}"])

    def _counts(self) -> Iterator[str]:
        publisher = self._publisher
        yield f"published {publisher.published:,}"
        yield f"accepted {publisher.accepted:,}"
        if self._receipts:
            yield f"receipted {publisher.receipted:,}"
            yield f"repeated {publisher.repeated:,}"
        if publisher.forgotten:
            yield f"dropped {publisher.forgotten:,}"
