from __future__ import annotations

import struct

import numpy as np

from store.copy_in import HEADER, POSTGRES_EPOCH_US, TRAILER, bigints, binary_copy, integers, reals, texts, timestamps

US_2000 = np.array([POSTGRES_EPOCH_US + 1], np.int64)


def test_a_row_is_written_as_postgresql_documents_it() -> None:
    columns = [
        texts(["é"]),
        timestamps(US_2000),
        bigints(np.array([-1]), absent=-1),
        reals(np.array([1.5], np.float32)),
    ]
    row = struct.pack(">hi2siqiif", 4, 2, "é".encode(), 8, 1, -1, 4, 1.5)
    assert b"".join(binary_copy(columns, 1)) == HEADER + row + TRAILER


def test_rows_of_one_layout_leave_together() -> None:
    values = np.array([1, np.nan, 3, np.nan, 5], np.float32)
    _, *groups, _ = binary_copy([integers(np.arange(5)), reals(values)], 5)
    assert sorted(map(len, groups)) == [2 * (2 + 8 + 4), 3 * (2 + 8 + 8)]


def test_empty_texts_and_nulls_are_told_apart() -> None:
    body = b"".join(binary_copy([texts(["", None])], 2)[1:-1])
    assert sorted([body[:6], body[6:]]) == sorted([struct.pack(">hi", 1, 0), struct.pack(">hi", 1, -1)])


def test_texts_of_any_length_keep_their_rows() -> None:
    words: list[str | None] = ["a", "bb", "c", None, "dd", "x" * 5000]
    pieces = b"".join(binary_copy([texts(words), integers(np.arange(6))], 6)[1:-1])
    found, place = {}, 0
    while place < len(pieces):
        (length,) = struct.unpack_from(">i", pieces, place + 2)
        end = place + 6 + max(length, 0)
        (number,) = struct.unpack_from(">i", pieces, end + 4)
        found[number] = pieces[place + 6 : end].decode() if length >= 0 else None
        place = end + 8
    assert found == dict(enumerate(words))


def test_more_nullable_columns_than_a_layout_number_has_bits() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random((200, 80)) < 0.5, np.nan, 1).astype(np.float32)
    pieces = binary_copy([reals(column) for column in values.T], 200)
    assert sum(map(len, pieces[1:-1])) == 200 * (2 + 80 * 4) + 4 * int(np.isfinite(values).sum())


def test_nothing_is_a_header_and_a_trailer() -> None:
    assert binary_copy([integers(np.arange(0))], 0) == [HEADER, TRAILER]
