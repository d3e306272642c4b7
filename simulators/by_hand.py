"""Values set by hand, as `queue_trucks=40`: checked against the kind, so that a slip is no strange reading."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite

from sensors.errors import OperatorError
from sensors.kind import Field, Kind, Text
from simulators.world import Values

_MISSING = "null"
_OUTSIDE = "this cannot be, --force sends it all the same"


class SettingError(OperatorError):
    """A value that cannot be set; the message says what can."""


def values_of(words: Iterable[str], kind: Kind, *, force: bool = False) -> Values:
    """Values from `field=value`; `null` leaves a field out. Raises `SettingError`.

    A number that the kind cannot have, and a text that it does not know, is refused unless `force` is given: then the
    service shows what it makes of such a reading.
    """
    return dict(_value(word, kind, force=force) for word in words)


def _value(word: str, kind: Kind, *, force: bool) -> tuple[str, float | str | None]:
    name, sign, text = word.partition("=")
    declared = next((one for one in _declared(kind) if one.name == name), None)
    if not sign or not text:
        raise SettingError(f"--set {word}: expected FIELD=VALUE; {_fields(kind)}")
    if declared is None:
        raise SettingError(f"--set {word}: there is no field {name!r}; {_fields(kind)}")
    if text == _MISSING:
        return name, None
    if isinstance(declared, Field):
        return name, _number(word, text, declared, kind, force=force)
    if not force and not _is_known(text, declared):
        raise SettingError(f"--set {word}: {_OUTSIDE}; {_fields(kind)}")
    return name, text


def _number(word: str, text: str, field: Field, kind: Kind, *, force: bool) -> float:
    try:
        number = int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise SettingError(f"--set {word}: expected a number, or {_MISSING}; {_fields(kind)}")
    low, high = field.low, field.high
    if not force and ((low is not None and number < low) or (high is not None and number > high)):
        raise SettingError(f"--set {word}: {_OUTSIDE}; {_fields(kind)}")
    return number


def _is_known(text: str, declared: Text) -> bool:
    return text in declared.choices if declared.choices else re.fullmatch(declared.pattern, text) is not None


def _fields(kind: Kind) -> str:
    return f"the kind {kind.name} has {', '.join(map(_said, _declared(kind)))}"


def _declared(kind: Kind) -> list[Field | Text]:
    return [*kind.fields, *kind.texts]


def _said(declared: Field | Text) -> str:
    """A field with its unit and its range: `queue_m (m, 0 to 10000)`."""
    unit = f"{declared.unit}, " if isinstance(declared, Field) and declared.unit != "1" else ""
    return f"{declared.name} ({unit}{_range(declared)})"


def _range(declared: Field | Text) -> str:
    if isinstance(declared, Text):
        return " or ".join(declared.choices) or f"a text like {declared.pattern}"
    match declared.low, declared.high:
        case None, None:
            return "any number"
        case low, None:
            return f"from {low:g}"
        case None, high:
            return f"up to {high:g}"
        case low, high:
            return f"{low:g} to {high:g}"
    raise AssertionError(declared)
