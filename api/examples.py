"""An example for all JSON of the OpenAPI document, put together from the examples of the single fields."""

from __future__ import annotations

from typing import Any

_REF = "#/components/schemas/"


def add_examples(document: dict[str, Any]) -> None:
    """Give every body, asked or answered, that has a schema of ours an example of the whole."""
    schemas = document["components"]["schemas"]
    for operations in document["paths"].values():
        for operation in operations.values():
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                for media in body.get("content", {}).values():
                    schema = media.get("schema", {})
                    if _REF in schema.get("$ref", "") or "anyOf" in schema:
                        media.setdefault("example", example(schema, schemas))


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:  # noqa: ANN401  JSON is any of its types
    """A value that the schema allows: its own example, or one made from those of its parts."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].removeprefix(_REF)], schemas)
    for key, first in (("examples", True), ("const", False), ("enum", True), ("default", False)):
        if key in schema:
            return schema[key][0] if first else schema[key]
    if "anyOf" in schema:
        return example(_shown(schema["anyOf"]), schemas)
    if schema.get("type") == "object":
        return {name: example(part, schemas) for name, part in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example(schema["items"], schemas)]
    return _PLAIN.get(schema.get("type", ""))


def _shown(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """What to show of several: what has an example, else that it may be null."""
    told = [part for part in parts if "$ref" in part or "examples" in part]
    return (told or [part for part in parts if part == _NULL] or parts)[0]


_NULL = {"type": "null"}
_PLAIN: dict[str, Any] = {"boolean": True, "integer": 1, "number": 1.0, "string": ""}
