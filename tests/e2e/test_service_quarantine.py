"""From a message that nobody could use to its reading: listed, repaired, shown as it came."""

from __future__ import annotations

import asyncio
import json

from simulators.publish import Publisher

TOPIC = "vigie/1/readings/W01/W01-F9/traffic"
MESSAGES = [
    (TOPIC, b'{"time": "2026-03-02T08:00:00Z", "speed_kmh": 88}'),
    (TOPIC, b'{"time": "2026-03-02T08:00:01Z", "driver": "Dupont"}'),
    ("vigie/1/readings/W01/W01-F1/traffic", b"}"),
]


def test_a_sensor_registered_late_gets_its_readings_back(quiet) -> None:
    async def publish() -> None:
        async with Publisher(quiet.vigie("broker", "url").stdout.strip(), "test-quarantine") as publisher:
            await publisher.publish_all(MESSAGES)

    def listed(*options: str) -> list[dict[str, object]]:
        done = quiet.vigie("quarantine", "list", "--json", *options)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout)["items"])

    asyncio.run(publish())
    quiet.until(lambda: len(quiet.get("/v1/quarantine")["items"]) == 3, "three messages in quarantine")
    assert {entry["reason"] for entry in listed("--sensor", "W01-F9")} == {"unknown_sensor"}
    assert "Dupont" not in quiet.vigie("quarantine", "list", "--json").stdout
    quiet.vigie("sensors", "add", "--id", "W01-F9", "--site", "W01", "--kind", "traffic")
    for repaired in (1, 0):
        done = quiet.vigie("quarantine", "reingest", "--sensor", "W01-F9", "--json")
        assert json.loads(done.stdout) == {"tried": repaired, "repaired": repaired, "rejected": 0, "unusable": 1}
    (entry,) = listed("--repaired")
    assert quiet.vigie("quarantine", "show", str(entry["id"])).stdout.count("repaired_at")
    span = "from=2026-03-02T07:00:00Z&to=2026-03-02T09:00:00Z&resolution=raw"
    assert quiet.get(f"/v1/sensors/W01-F9/readings?{span}")["values"]["speed_kmh"] == [88.0]
    missing = quiet.vigie("quarantine", "show", "999999")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    raw = quiet.until(lambda: quiet.get("/v1/sensors/W01-F1/raw")["items"], "raw payloads")
    assert [(item["payload"], item["reason"]) for item in raw] == [("}", "malformed")]
