"""The AsyncAPI document: valid by AsyncAPI's own schema, and its payload schemas accept what the codec makes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema_rs import Draft7Validator, ValidationError

from ingest.unpack import MAX_READINGS
from sensors.asyncapi import VERSION, asyncapi
from sensors.kind import Kind, load_kinds
from sensors.payload import Health, PayloadCodec, Reason, Rejected
from sensors.receipt import Receipt, encode_receipt
from sensors.senml import MAX_RECORDS
from sensors.topics import READINGS, parse_reading_topic, parse_receipt_topic

ROOT = Path(__file__).parents[2]
KINDS = load_kinds()
DOCUMENT: dict[str, Any] = json.loads(msgspec.json.encode(asyncapi(KINDS)))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def validator(schema: str) -> Draft7Validator:
    """Of one of the document's payload schemas."""
    root = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$ref": f"#/components/schemas/{schema}",
        "components": DOCUMENT["components"],
    }
    return Draft7Validator(root, validate_formats=True)


def values(kind: Kind) -> dict[str, float | str | None]:
    texts = {"direction": "in", "container": "CSQU3054383", "visit": "V-1"}
    return {
        **{field.name: 1.5 for field in kind.fields},
        **{text.name: text.choices[0] if text.choices else texts[text.name] for text in kind.texts},
    }


@pytest.fixture(scope="module")
def specification() -> Draft7Validator:
    """AsyncAPI's own schema."""
    return Draft7Validator(json.loads((ROOT / "tests/data/asyncapi/3.0.0.json").read_text("utf-8")))


def test_the_document_is_valid_asyncapi(specification: Draft7Validator) -> None:
    specification.validate(DOCUMENT)


@pytest.mark.parametrize(
    "broken", [{"operations": {"receive_traffic": {"action": "listen"}}}, {"asyncapi": "2.0.0"}, {"chanels": {}}]
)
def test_a_document_that_breaks_the_rules_is_seen(specification: Draft7Validator, broken: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        specification.validate({**DOCUMENT, **broken})


def test_every_reference_leads_somewhere() -> None:
    for reference in _references(DOCUMENT):
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


@pytest.mark.parametrize("name", KINDS)
def test_a_channels_address_is_a_topic_of_its_kind(name: str) -> None:
    channel = DOCUMENT["channels"][name]
    topic = channel["address"]
    for parameter, told in channel["parameters"].items():
        topic = topic.replace(f"{{{parameter}}}", told["examples"][0])
    parts = parse_reading_topic(topic)
    assert parts is not None
    assert parts.kind == name


def test_receipts_have_a_channel() -> None:
    address = DOCUMENT["channels"]["receipts"]["address"]
    assert parse_receipt_topic(address.format(site="W15", sensor="W15-F1")) == ("W15", "W15-F1")
    receipt = Receipt(boot=3, seq=5, through=9, gaps=((6, 7),), quarantined=(8,), at=NOON)
    validator("Receipt").validate(json.loads(encode_receipt(receipt)))


@pytest.mark.parametrize("name", KINDS)
def test_what_the_codec_encodes_is_valid(name: str) -> None:
    kind = KINDS[name]
    health = Health(battery_v=3.5, rssi_dbm=-71, firmware="1.4.2")
    payload = json.loads(PayloadCodec(kind).encode(NOON, values(kind), seq=1, boot=2, health=health))
    validator(f"{name}_reading").validate(payload)
    validator(f"{name}_list").validate([payload, payload])


@pytest.mark.parametrize(
    "wrong",
    [{"plate": "AB-123-CD"}, {"seq": -1}, {"count": "many"}, {"time": None}, {"health": {"owner": "me"}}],
)
def test_what_is_not_in_the_schema_is_refused_by_both(wrong: dict[str, object]) -> None:
    payload = {"time": "2026-03-01T12:00:00Z", "count": 1, **wrong}
    with pytest.raises(ValidationError):
        validator("traffic_reading").validate(payload)
    rejected = PayloadCodec(KINDS["traffic"]).decode(msgspec.json.encode(payload))
    assert isinstance(rejected, Rejected)
    assert rejected.reason in {Reason.NOT_IN_SCHEMA, Reason.WRONG_TYPE, Reason.TIME}


def test_bounds_and_versions_are_those_of_the_code() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["traffic_list"]["maxItems"] == MAX_READINGS
    assert schemas["senml"]["maxItems"] == MAX_RECORDS
    assert VERSION.split(".")[0] == READINGS.split("/")[1]


def test_fields_carry_their_unit() -> None:
    speed = DOCUMENT["components"]["schemas"]["traffic_reading"]["properties"]["speed_kmh"]
    assert speed["description"] == "Unit: km/h; plausible from 0 to 150"


def test_the_shipped_document_is_the_present_one() -> None:
    shipped = json.loads((ROOT / "docs/asyncapi.json").read_text("utf-8"))
    assert shipped == DOCUMENT, "run: vigie asyncapi > docs/asyncapi.json"


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in _references(part)]
    return [found for part in value for found in _references(part)] if isinstance(value, list) else []
