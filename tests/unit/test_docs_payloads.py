from __future__ import annotations

import json
import re
from pathlib import Path

from ingest.transport import MAX_PACKET_BYTES
from ingest.unpack import MAX_READINGS, MAX_UNPACKED_BYTES
from sensors.kind import load_kinds
from sensors.payload import PayloadCodec, Reason, Rejected
from sensors.senml import MAX_RECORDS, Speaker, resolve

DOCS = (Path(__file__).parents[2] / "docs/payloads.md").read_text("utf-8")
TRAFFIC = load_kinds()["traffic"]


def test_every_reason_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \|", DOCS, flags=re.MULTILINE) == [reason.value for reason in Reason]


def test_the_examples_are_readings() -> None:
    plain, pack = re.findall(r"```json\n(.*?)\n```", DOCS, re.DOTALL)
    reading = PayloadCodec(TRAFFIC).decode(plain.encode())
    assert not isinstance(reading, Rejected)
    resolved = resolve(pack.encode(), Speaker("W15", "W15-F1", TRAFFIC), 0)
    assert not isinstance(resolved, Rejected)
    ((said, alone),) = resolved
    assert not isinstance(said, Rejected)
    assert said == {"time": reading.time, "speed_kmh": 83.2, "count": 12.0, "seq": 7}
    assert len(json.loads(alone)) == 3


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"at most {MAX_READINGS:,} in one message" in DOCS
    assert f"At most {MAX_RECORDS:,} records" in DOCS
    assert MAX_UNPACKED_BYTES == MAX_PACKET_BYTES == 1 << 20
