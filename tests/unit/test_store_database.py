from __future__ import annotations

import psycopg
import pytest

from store.database import is_retryable, needs_mending, passes_by_itself, place


@pytest.mark.parametrize(
    ("sqlstate", "retryable"),
    [
        (None, True),
        ("08006", True),
        ("25006", True),
        ("25P03", True),
        ("40001", True),
        ("40P01", True),
        ("53100", True),
        ("53300", True),
        ("55P03", True),
        ("57P01", True),
        ("57P03", True),
        ("58030", True),
        ("23505", False),
        ("22021", False),
        ("42P01", False),
        ("55000", False),
        ("28P01", False),
        ("XX000", False),
        ("Z9999", False),
    ],
)
def test_only_failures_that_pass_are_retried(sqlstate: str | None, retryable: bool) -> None:  # noqa: FBT001
    assert is_retryable(sqlstate) is retryable


def test_an_error_of_our_own_making_is_permanent() -> None:
    assert passes_by_itself(psycopg.OperationalError("the connection is lost"))
    assert not passes_by_itself(psycopg.ProgrammingError("the query has 1 placeholder but 2 parameters were passed"))


@pytest.mark.parametrize(
    ("error", "mended"),
    [
        (psycopg.errors.UndefinedTable(), True),
        (psycopg.errors.UndefinedColumn(), True),
        (psycopg.errors.InsufficientPrivilege(), True),
        (psycopg.errors.IndexCorrupted(), True),
        (psycopg.errors.InternalError_(), False),
        (psycopg.errors.CheckViolation(), False),
        (psycopg.errors.UntranslatableCharacter(), False),
        (psycopg.DataError("made by the client"), False),
    ],
)
def test_a_fault_of_the_installation_is_not_blamed_on_the_data(error: psycopg.Error, mended: bool) -> None:  # noqa: FBT001
    assert needs_mending(error) is mended


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://vigie:secret@db.port.fr:6000/vigie", "db.port.fr:6000/vigie"),
        ("postgresql:///vigie", "localhost:5432/vigie"),
        ("mysql://vigie:secret@host/x", "the database URL (it is not a PostgreSQL URL)"),
    ],
)
def test_a_message_names_the_place_and_never_the_password(url: str, shown: str) -> None:
    assert place(url) == shown
