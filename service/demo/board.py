"""Truth beside verdict, minute by minute of the port's time, on a terminal or in a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import zip_longest
from typing import Final, TextIO

from service.demo.changes import Change
from simulators.profile import PORT_TIME

LAG_S: Final = 180.0
"""How far behind the port's time a minute is told: congestion is known after two minutes, a verdict takes one more."""

_LEFT: Final = 48
_RIGHT: Final = 64
_CLEAR: Final = "\x1b[K"
_MINUTE_S: Final = 60.0


class Side:
    """What stands on one side, as far as it has been told, and what is to be told of later minutes."""

    def __init__(self) -> None:
        self._coming: defaultdict[float, list[Change]] = defaultdict(list)
        self._standing: dict[str, str] = {}

    def add(self, change: Change, earliest_s: float) -> None:
        self._coming[max(change.at_s // _MINUTE_S * _MINUTE_S, earliest_s)].append(change)

    def turn(self, minute_s: float) -> Iterator[str]:
        """Go over to a minute; what began or ended in it, in words."""
        for change in sorted(self._coming.pop(minute_s, ()), key=lambda one: one.at_s):
            if change.words is None:
                if self._standing.pop(change.name, None) is not None:
                    yield f"- {change.name}"
                continue
            if change.name not in self._standing:
                yield f"+ {change.name} {change.words}{f', {change.remark}' if change.remark else ''}"
            self._standing[change.name] = change.words

    def standing(self, width: int) -> str:
        """What stands, as much as there is room for."""
        words = [f"{name} {told}" for name, told in sorted(self._standing.items())]
        for shown in range(len(words), 0, -1):
            rest = f" + {len(words) - shown}" if shown < len(words) else ""
            if len(line := ", ".join(words[:shown]) + rest) <= width:
                return line
        return f"{len(words)} places" if words else "nothing"

    @property
    def empty(self) -> bool:
        return not self._standing


class Board:
    """Takes changes in any order and tells each minute when asked; on a terminal an unchanged one is rewritten."""

    def __init__(self, out: TextIO, start_s: float) -> None:
        self._out, self._terminal = out, out.isatty()
        self._next_s = start_s
        self._truth, self._verdicts = Side(), Side()
        self._notes: list[tuple[float, str]] = []

    def head(self) -> None:
        self._line(f"{'port':5}  {'truly congested':{_LEFT}}  Vigie says")

    def note(self, at_s: float, text: str) -> None:
        """Tell it, in a line of its own, before the minute it falls into."""
        self._notes.append((at_s, text))

    def truth(self, changes: Iterable[Change]) -> None:
        """What changed in the world."""
        for change in changes:
            self._truth.add(change, self._next_s)

    def verdicts(self, changes: Iterable[Change]) -> None:
        """What changed in what Vigie says; what is said too late is told with the next minute."""
        for change in changes:
            self._verdicts.add(change, self._next_s)

    def tell(self, until_s: float) -> None:
        """Tell all minutes that ended by then."""
        while self._next_s + _MINUTE_S <= until_s:
            self._minute(self._next_s)
            self._next_s += _MINUTE_S

    def clear(self) -> None:
        """Give the line of a terminal back."""
        if self._terminal:
            self._out.write(_CLEAR)

    def _minute(self, at_s: float) -> None:
        for _, text in sorted(note for note in self._notes if at_s <= note[0] < at_s + _MINUTE_S):
            self._line(f"{_clock(at_s)}  {text}")
        rows = list(zip_longest(self._truth.turn(at_s), self._verdicts.turn(at_s), fillvalue=""))
        for number, (left, right) in enumerate(rows):
            self._line(f"{'' if number else _clock(at_s):5}  {left:{_LEFT}}  {right}".rstrip())
        if not rows and not (self._truth.empty and self._verdicts.empty and not self._terminal):
            self._stand(at_s)

    def _stand(self, at_s: float) -> None:
        line = f"{_clock(at_s)}    {self._truth.standing(_LEFT - 2):{_LEFT - 2}}    {self._verdicts.standing(_RIGHT)}"
        self._out.write(f"{_CLEAR}{line}\r" if self._terminal else f"{line}\n")
        self._out.flush()

    def _line(self, line: str) -> None:
        self._out.write(f"{_CLEAR if self._terminal else ''}{line}\n")
        self._out.flush()


def _clock(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, PORT_TIME):%H:%M}"
