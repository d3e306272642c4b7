"""Container numbers of ISO 6346: four letters, six digits and a check digit, such as CSQU3054383."""

from __future__ import annotations

import re
import string

_NUMBER = re.compile(r"[A-Z]{3}[UJZ][0-9]{7}")
# Letters count from 10 and skip the multiples of 11, which the division by 11 could not tell apart.
_LETTER_VALUES = [value for value in range(10, 39) if value % 11]
_VALUES = dict(zip(string.digits, range(10), strict=True)) | dict(
    zip(string.ascii_uppercase, _LETTER_VALUES, strict=True)
)


def check_digit(number: str) -> int:
    """Compute the check digit of the first ten characters: weights 1, 2, 4 ..., modulo 11, where 10 is written 0."""
    return sum(_VALUES[character] << place for place, character in enumerate(number[:10])) % 11 % 10


def is_container(number: str) -> bool:
    """Whether `number` is well formed and carries its own check digit."""
    return _NUMBER.fullmatch(number) is not None and int(number[-1]) == check_digit(number)
