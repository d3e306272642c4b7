"""The AsyncAPI 3 document of the installation's kinds: every topic, every payload, made from the definitions.

Schemas are in the dialect that AsyncAPI assumes, a superset of JSON Schema draft 07. They say what is accepted; ranges
of plausible values are told in words, because a value outside is stored with a remark and not refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sensors.alerts import TYPES
from sensors.kind import Field, Kind, Kinds, Text
from sensors.payload import PayloadCodec
from sensors.receipt import Receipt
from sensors.topics import ALERTS, HEARTBEAT, READINGS, RECEIPTS

ASYNCAPI = "3.0.0"
VERSION = "1.0.0"
"""Of topics and payloads: the first number is the one in the topic; the second rises when something optional comes."""

_SCHEMAS = "#/components/schemas/"
_ABOUT = """\
Readings of a port's sensors come in, receipts and alerts go out. The topic is the identity of a reading. A message \
may also hold a list of up to 1,000 readings, or a SenML pack; with MQTT 5 its content type may say that it is packed \
with gzip. See docs/payloads.md."""

_SENML: dict[str, Any] = {
    "title": "SenML pack",
    "description": "RFC 8428. Records of one time are one reading; names are those of the kind's fields.",
    "type": "array",
    "minItems": 1,
    "maxItems": 10_000,
    "items": {
        "type": "object",
        "properties": {
            "bn": {"type": "string", "description": "Base name"},
            "bt": {"type": "number", "description": "Base time, seconds since 1970 or, below 2^28, from now"},
            "bu": {"type": "string", "description": "Base unit"},
            "bv": {"type": "number", "description": "Base value"},
            "bver": {"const": 10, "description": "Version"},
            "n": {"type": "string", "description": "Name"},
            "u": {"type": "string", "description": "Unit, that of the field"},
            "t": {"type": "number", "description": "Time from the base time"},
            "v": {"type": "number", "description": "Value"},
            "vs": {"type": "string", "description": "Text"},
        },
        "additionalProperties": True,
    },
}


_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}

_ALERT: dict[str, Any] = {
    "title": "Alert",
    "description": "A CloudEvent 1.0. The schema of each type: GET /v1/schemas/{type}.",
    "type": "object",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "The cursor of the feed: grows in the order of commits"},
        "source": {"const": "/vigie"},
        "type": {"enum": list(TYPES)},
        "subject": {"type": "string"},
        "time": _TIME,
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string"},
        "data": {"type": "object", "properties": {"valid_until": _TIME}, "required": ["valid_until"]},
    },
    "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
}

_HEARTBEAT: dict[str, Any] = {
    "title": "Heartbeat",
    "type": "object",
    "properties": {
        "time": _TIME,
        "cursor": {"type": "string", "description": "The last alert of the feed"},
        "data_age_s": {"type": ["number", "null"], "description": "Since readings were last stored"},
        "valid_until": {**_TIME, "description": "Until when what was told up to the cursor still stands"},
    },
    "required": ["time", "cursor", "data_age_s", "valid_until"],
}


def asyncapi(kinds: Kinds) -> dict[str, Any]:
    """The whole document, ready to be encoded as JSON."""
    return {
        "asyncapi": ASYNCAPI,
        "id": "urn:vigie:readings:1",
        "info": {
            "title": "Vigie",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            **{name: _channel(kind) for name, kind in kinds.items()},
            "receipts": _receipts(),
            "alerts": _alerts(),
            "heartbeat": _heartbeat(),
        },
        "operations": {
            **{f"receive_{name}": _operation("receive", name, qos=1, retain=False) for name in kinds},
            "send_receipts": _operation("send", "receipts", qos=0, retain=True),
            "send_alerts": _operation("send", "alerts", qos=1, retain=False),
            "send_heartbeat": _operation("send", "heartbeat", qos=1, retain=False),
        },
        "components": {"messages": _messages(kinds), "schemas": _schemas(kinds)},
    }


def _channel(kind: Kind) -> dict[str, Any]:
    messages = (kind.name, f"{kind.name}_list", "senml")
    return {
        "title": kind.title.en,
        "address": f"{READINGS}/{{site}}/{{{kind.subject}}}/{kind.name}",
        "parameters": _parameters(kind.subject),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _receipts() -> dict[str, Any]:
    return {
        "title": "How far the readings of a sensor or corridor are committed",
        "address": f"{RECEIPTS}/{{site}}/{{sensor}}",
        "parameters": _parameters("sensor"),
        "messages": {"receipt": {"$ref": "#/components/messages/receipt"}},
    }


def _alerts() -> dict[str, Any]:
    return {
        "title": "Every alert of the feed, in order",
        "address": f"{ALERTS}/{{family}}/{{what}}/{{subject}}",
        "parameters": {
            "family": {"description": "Second word of the type", "examples": ["alarm"]},
            "what": {"description": "Third word of the type", "examples": ["raised"]},
            "subject": {"description": "What it is about", "examples": ["W07-G1"]},
        },
        "messages": {"alert": {"$ref": "#/components/messages/alert"}},
    }


def _heartbeat() -> dict[str, Any]:
    return {
        "title": "How far the feed is and how old the data are, every 30 s",
        "address": HEARTBEAT,
        "messages": {"heartbeat": {"$ref": "#/components/messages/heartbeat"}},
    }


def _parameters(subject: str) -> dict[str, Any]:
    return {
        "site": {"description": "Id of the site", "examples": ["W15"]},
        subject: {
            "description": f"Id of the {subject}",
            "examples": ["W17-W15" if subject == "corridor" else "W15-F1"],
        },
    }


def _operation(action: str, channel: str, *, qos: int, retain: bool) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "bindings": {"mqtt": {"qos": qos, "retain": retain, "bindingVersion": "0.2.0"}},
    }


def _messages(kinds: Kinds) -> dict[str, Any]:
    found = {
        "senml": _message("senml", "SenML pack", "application/senml+json"),
        "receipt": _message("Receipt", "Receipt"),
        "alert": _message("alert", "Alert, a CloudEvent 1.0"),
        "heartbeat": _message("heartbeat", "Heartbeat"),
    }
    for kind in kinds.values():
        found[kind.name] = _message(f"{kind.name}_reading", kind.title.en)
        found[f"{kind.name}_list"] = _message(f"{kind.name}_list", f"{kind.title.en}: several readings")
    return found


def _message(schema: str, title: str, content_type: str = "application/json") -> dict[str, Any]:
    return {"title": title, "contentType": content_type, "payload": {"$ref": f"{_SCHEMAS}{schema}"}}


def _schemas(kinds: Kinds) -> dict[str, Any]:
    types = [PayloadCodec(kind).message_type for kind in kinds.values()]
    _, found = msgspec.json.schema_components([*types, Receipt], ref_template=f"{_SCHEMAS}{{name}}")
    schemas: dict[str, Any] = {name: _draft_07(schema) for name, schema in found.items()}
    for kind in kinds.values():
        _describe(schemas[f"{kind.name}_reading"], kind)
        schemas[f"{kind.name}_list"] = _list_of(f"{kind.name}_reading")
    return {**schemas, "senml": _SENML, "alert": _ALERT, "heartbeat": _HEARTBEAT}


def _list_of(schema: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "maxItems": 1_000, "items": {"$ref": f"{_SCHEMAS}{schema}"}}


def _describe(schema: dict[str, Any], kind: Kind) -> None:
    schema["title"] = kind.title.en
    measured: tuple[Field | Text, ...] = (*kind.fields, *kind.texts)
    for one in measured:
        schema["properties"][one.name] |= _told(one)


def _told(measured: Field | Text) -> dict[str, str]:
    if isinstance(measured, Text):
        return {"title": measured.title.en}
    bounds = [
        f"{word} {bound:g}" for word, bound in (("from", measured.low), ("to", measured.high)) if bound is not None
    ]
    plausible = f"; plausible {' '.join(bounds)}" if bounds else ""
    return {"title": measured.title.en, "description": f"Unit: {measured.unit}{plausible}"}


def _draft_07(schema: object) -> Any:  # noqa: ANN401  a JSON value
    """The same in the older dialect: fixed positions are `items`, and a pattern ends in what every language knows."""
    if isinstance(schema, Mapping):
        kept = {
            name: _draft_07(part) for name, part in schema.items() if "prefixItems" not in schema or name != "items"
        }
        if "prefixItems" in kept:
            kept["items"] = kept.pop("prefixItems")
        return kept
    if isinstance(schema, str):
        return schema.replace(r"\Z", "$")
    return list(map(_draft_07, schema)) if isinstance(schema, Iterable) else schema
