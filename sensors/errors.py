"""The one base of errors that a person can mend."""

from __future__ import annotations


class OperatorError(Exception):
    """An error whose message is one line for a person: the value at fault, what was expected, the way out.

    The command line prints it without a trace; every other exception is a defect and keeps its trace.
    """
