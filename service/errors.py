"""Finding the one line for a person in whatever was raised."""

from __future__ import annotations

from sensors.errors import OperatorError


def operator_message(exc: BaseException) -> str | None:
    """The message of the first `OperatorError` in an exception or a group of them; None when there is none."""
    if isinstance(exc, OperatorError):
        return str(exc)
    if isinstance(exc, BaseExceptionGroup):
        return next(filter(None, map(operator_message, exc.exceptions)), None)
    return None
