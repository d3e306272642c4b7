"""What a kind of sensor is: one declarative definition, read from one TOML file.

Decoding, range checks, hypertable columns, rollups, OpenAPI, AsyncAPI and the default chart all follow from a `Kind`.
The shipped kinds lie in `sensors/kinds/`; a port adds its own by naming a folder in the settings (`kinds_dir`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Literal

import msgspec

from sensors.checks import CLOCK_TOLERANCE_S, COMMON_SENTINELS, LATE_AFTER_S, Balance, Mismatch
from sensors.errors import OperatorError
from sensors.rule import LevelRule, TimeRatio, Work, fields_of, problems

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_RESERVED = frozenset({"time", "received_at", "sensor", "corridor", "boot", "seq", "batch", "quality", "health"})


class KindError(OperatorError):
    """A kind definition that cannot be used; the message names the file and what was expected."""


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text for people, in both languages of the port."""

    en: str
    fr: str


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A measured number, stored as `real`; its name carries its unit.

    `low` and `high` bound what the quantity can be, `max_change_per_min` how fast it can change (unit per minute, None
    = as fast as it likes); `sentinels` are numbers that stand for "not measured". See `sensors.level.Quality`.
    """

    name: str
    unit: str
    title: Label
    low: float | None = None
    high: float | None = None
    max_change_per_min: float | None = None
    sentinels: tuple[float, ...] = ()

    def covers(self, value: float) -> bool:
        """Whether `value` lies in a range that is declared on both sides."""
        return self.low is not None and self.high is not None and self.low <= value <= self.high


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A short text: one of `choices`, or anything that matches `pattern` in full.

    `forget_days` after it was received the text is removed from its reading, which stays.
    """

    name: str
    title: Label
    choices: tuple[str, ...] = ()
    pattern: str = ""
    forget_days: float | None = None


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One kind of sensor.

    `subject` says who its rows belong to: a sensor, or a corridor between two readers. `part_of` names the kind of
    sensor that also publishes this one (a gate publishes passages). `key` adds fields to the unique key of subject and
    time. `chart` is the field drawn by default.
    `main` names the fields that it is there for, `restless` those that, while they are not 0, never repeat to the digit
    for a quarter of an hour: by these a stuck sensor shows. `balance` ties a stock to what comes and goes.
    `letter` is the letter in the ids of its sensors, empty for a kind that has none of its own. What `sentinels`,
    `mismatches`, `late_after_s` and `clock_tolerance_s` mean is said in `sensors.checks`.
    """

    name: str
    title: Label
    period_s: float
    fields: tuple[Field, ...]
    texts: tuple[Text, ...] = ()
    letter: str = ""
    chart: str = ""
    main: tuple[str, ...] = ()
    restless: tuple[str, ...] = ()
    balance: Balance | None = None
    key: tuple[str, ...] = ()
    subject: Literal["sensor", "corridor"] = "sensor"
    part_of: str = ""
    level: LevelRule | None = None
    sentinels: tuple[float, ...] = COMMON_SENTINELS
    mismatches: tuple[Mismatch, ...] = ()
    late_after_s: float = LATE_AFTER_S
    clock_tolerance_s: float = CLOCK_TOLERANCE_S

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @cached_property
    def text_names(self) -> tuple[str, ...]:
        return tuple(text.name for text in self.texts)

    @cached_property
    def choices(self) -> tuple[Text, ...]:
        """Texts with few words, which travel as numbers: the place of the word among its `choices`."""
        return tuple(text for text in self.texts if text.choices)

    @property
    def periodic(self) -> bool:
        """False for events, which have no period and whose silence means nothing."""
        return self.period_s > 0

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


class Kinds(Mapping[str, Kind]):
    """All kinds of this installation by name, in alphabetical order."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = dict(sorted(kinds.items()))

    def __getitem__(self, name: str) -> Kind:
        return self._kinds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._kinds)

    def __len__(self) -> int:
        return len(self._kinds)

    def published_by(self, kind: str) -> tuple[str, ...]:
        """Names of the kinds that a sensor of `kind` publishes under its own id."""
        return tuple(k.name for k in self.values() if kind in (k.name, k.part_of) and k.subject == "sensor")


def load_kinds(extra: Path | None = None) -> Kinds:
    """Read the shipped kinds and those of the folder `extra`.

    Raises `KindError` for a folder or file that cannot be read, a file that is not a kind, or a name that is taken.
    """
    shipped = resources.files("sensors") / "kinds"
    texts = {entry.name: entry.read_text("utf-8") for entry in shipped.iterdir() if entry.name.endswith(".toml")}
    found = {kind.name: kind for kind in (parse_kind(text, origin=name) for name, text in texts.items())}
    for path in _definitions(extra) if extra else ():
        kind = parse_kind(_read(path), origin=str(path))
        if kind.name in found:
            raise KindError(f"{path}: the kind {kind.name!r} exists already; choose another name")
        if kind.part_of and kind.part_of not in found:
            raise KindError(f"{path}: part_of names no kind {kind.part_of!r}; there are {', '.join(sorted(found))}")
        found[kind.name] = kind
    return Kinds(found)


def _definitions(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise KindError(f"kinds_dir: {folder} is not a folder; name the one that holds your definitions")
    return sorted(folder.glob("*.toml"))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise KindError(f"{path}: cannot be read: {exc}") from exc


def parse_kind(text: str, *, origin: str) -> Kind:
    """Parse and check one definition; `origin` (a file name) starts every error message."""
    try:
        kind = msgspec.convert(tomllib.loads(text), Kind)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        raise KindError(f"{origin}: not a kind of sensor: {exc}") from exc
    for problem in chain(_name_problems(kind), _use_problems(kind), _value_problems(kind)):
        raise KindError(f"{origin}: {problem}")
    return kind


def _name_problems(kind: Kind) -> Iterator[str]:
    names = kind.field_names + kind.text_names
    for name in (kind.name, *names):
        if not _NAME.fullmatch(name) or name in _RESERVED:
            yield f"{name!r} cannot name a kind or field; use a-z, 0-9 and _, no reserved word"
    if len(set(names)) != len(names):
        yield "two fields have the same name"
    if not kind.fields:
        yield "a kind needs at least one field"


def _use_problems(kind: Kind) -> Iterator[str]:
    compared = chain.from_iterable((rule.field, rule.other) for rule in kind.mismatches)
    signs = (*kind.main, *kind.restless, *(kind.balance.fields if kind.balance else ()))
    for name in (*fields_of(kind.level), *([kind.chart] if kind.chart else ()), *signs, *compared):
        if name not in kind.field_names:
            yield f"{name!r} is used but is not one of its fields {', '.join(kind.field_names)}"
    for name in set(kind.key) - {*kind.field_names, *kind.text_names}:
        yield f"{name!r} is in its key but is neither one of its fields nor of its texts"
    if isinstance(kind.level, TimeRatio) and kind.subject != "corridor":
        yield "the rule time_ratio needs the subject 'corridor': only a corridor has a length"
    if isinstance(kind.level, Work):
        yield from _word_problems(kind, kind.level)


def _word_problems(kind: Kind, rule: Work) -> Iterator[str]:
    words = next((text.choices for text in kind.choices if text.name == rule.state), None)
    if words is None:
        yield f"{rule.state!r} is the state of its level but is not one of its texts with choices"
        return
    for word in (*rule.idle, *rule.stopped):
        if word not in words:
            yield f"{word!r} is not one of the choices of {rule.state}: {', '.join(words)}"
    if set(rule.idle) & set(rule.stopped):
        yield "idle and stopped share a word"


def _value_problems(kind: Kind) -> Iterator[str]:
    if kind.period_s < 0:
        yield f"period_s is {kind.period_s:g}; expected seconds, or 0 for events"
    for name, limit in (("late_after_s", kind.late_after_s), ("clock_tolerance_s", kind.clock_tolerance_s)):
        if not limit > 0:
            yield f"{name} is {limit:g}; expected seconds above 0"
    for field in kind.fields:
        if field.max_change_per_min is not None and not field.max_change_per_min > 0:
            yield f"{field.name}: max_change_per_min is {field.max_change_per_min:g}; expected more than 0"
        if field.low is not None and field.high is not None and not field.low < field.high:
            yield f"{field.name}: low {field.low:g} is not below high {field.high:g}"
    yield from problems(kind.level)
    for text in kind.texts:
        if bool(text.choices) == bool(text.pattern) or not _is_pattern(text.pattern):
            yield f"{text.name}: give either choices or a pattern that is a regular expression"


def _is_pattern(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
