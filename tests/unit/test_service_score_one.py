from __future__ import annotations

from pathlib import Path

import pytest

from service.score.client import NoAnswerError
from service.score.one import Question, score_one
from simulators.truth import TruthError

RUN = b'{"type":"run","scenario":"x","seed":1,"start":"2025-03-03T06:00:00Z","end":"2025-03-03T07:00:00Z"}\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        (RUN + b"7\n", "line 2 is no line of a truth"),
        (b"", "expected one"),
    ],
)
async def test_what_is_no_truth_is_told_with_its_line(content: bytes | None, message: str, tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    if content is not None:
        truth.write_bytes(content)
    with pytest.raises(TruthError, match=message) as caught:
        await score_one(Question(truth=truth, url="http://127.0.0.1:9"))
    assert str(truth) in str(caught.value)


async def test_a_truth_without_a_system_is_told_with_its_address(tmp_path: Path) -> None:
    truth = tmp_path / "truth.jsonl"
    truth.write_bytes(RUN)
    with pytest.raises(NoAnswerError, match=r"no answer from http://127\.0\.0\.1:9/v1/alerts"):
        await score_one(Question(truth=truth, url="http://127.0.0.1:9"))
