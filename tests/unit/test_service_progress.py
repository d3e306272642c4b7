from __future__ import annotations

import io
from dataclasses import dataclass
from typing import cast

import pytest

from service.progress import Progress
from simulators.publish import Publisher


@dataclass
class Known:
    """What a publisher tells of itself."""

    published: int = 1234
    accepted: int = 1230
    receipted: int = 1200
    repeated: int = 3
    forgotten: int = 0
    trouble: str | None = None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, known: Known, *, receipts: bool = True) -> str:
    progress = Progress(cast(Publisher, known), out, receipts=receipts)
    progress.show()
    progress.show()
    progress.clear()
    return out.getvalue()


def test_elsewhere_than_on_a_terminal_each_is_a_plain_line() -> None:
    line = "published 1,234  accepted 1,230  receipted 1,200  repeated 3  connected\n"
    assert shown(io.StringIO(), Known()) == 2 * line


def test_on_a_terminal_one_line_is_rewritten_and_given_back() -> None:
    text = shown(Terminal(), Known())
    assert "\n" not in text
    assert text.count("\x1b[Kpublished 1,234") == 2
    assert text.endswith("connected\r\x1b[K")


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (Known(trouble="[Errno 111] Connection refused"), "not connected: [Errno 111] Connection refused"),
        (Known(forgotten=7), "dropped 7"),
    ],
)
def test_trouble_is_shown(known: Known, told: str) -> None:
    assert told in shown(io.StringIO(), known)


def test_without_receipts_none_are_counted() -> None:
    assert "receipted" not in shown(io.StringIO(), Known(), receipts=False)
