"""The exported document is valid where it counts, complete, and in step with docs/api.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
REF = "#/components/schemas/"


@pytest.fixture
def operations(document: dict[str, Any]) -> None:
    return [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]


def walk(node: Any) -> None:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


async def test_document_is_openapi_3_1(client: httpx.AsyncClient) -> None:
    response = await client.get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert document["openapi"].startswith("3.1.")
    assert {"title", "version", "description", "license", "contact"} <= document["info"].keys()
    assert document["servers"] == [{"url": "/", "description": document["servers"][0]["description"]}]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = {node["$ref"] for node in walk(document) if isinstance(node, dict) and "$ref" in node}
    assert references
    assert all(ref.removeprefix(REF) in document["components"]["schemas"] for ref in references)


def test_nothing_of_openapi_3_2_is_in_it(document: dict[str, Any]) -> None:
    assert not [node for node in walk(document) if isinstance(node, dict) and "itemSchema" in node]


def test_every_operation_is_described_once(
    document: dict[str, Any], operations: list[tuple[str, dict[str, Any]]]
) -> None:
    ids = [operation["operationId"] for _, operation in operations]
    tags = [tag["name"] for tag in document["tags"]]
    assert len(ids) == len(set(ids))
    assert len(tags) == len(set(tags))
    for path, operation in operations:
        assert re.fullmatch(r"[a-z_]+", operation["operationId"]), path
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["tags"], path
        assert set(operation["tags"]) <= set(tags), path
        assert any(status[0] in "23" for status in operation["responses"]), path


def test_paths_are_written_in_one_way_and_name_their_parameters(
    operations: list[tuple[str, dict[str, Any]]],
) -> None:
    shapes = {re.sub(r"\{\w+\}", "{}", path) for path, _ in operations}
    assert len(shapes) == len({path for path, _ in operations})
    for path, operation in operations:
        assert re.fullmatch(r"(/[a-z0-9-]+|/\{[a-z]+\})+", path), path
        parameters = operation.get("parameters", ())
        named = [(parameter["in"], parameter["name"]) for parameter in parameters]
        assert len(named) == len(set(named)), path
        assert {name for where, name in named if where == "path"} == set(re.findall(r"\{(\w+)\}", path))
        assert all(parameter["description"] for parameter in parameters), path
        assert not [node for node in walk(parameters) if node == {"type": "null"}], path


def test_who_may_is_said_of_every_operation(
    document: dict[str, Any], operations: list[tuple[str, dict[str, Any]]]
) -> None:
    schemes = document["components"]["securitySchemes"]
    assert {name for choice in document["security"] for name in choice} == schemes.keys()
    for path, operation in operations:
        open_to_all = path in {"/healthz", "/readyz"}
        assert (operation.get("security") == []) is open_to_all, path
        assert ("Needs the scope" in operation["description"]) is not open_to_all, path


def test_schemas_are_typed_and_none_is_left_over(document: dict[str, Any]) -> None:
    nodes = [node for node in walk(document) if isinstance(node, dict)]
    for node in nodes:
        if isinstance(node.get("enum"), list):
            assert "type" in node, node
            assert len(node["enum"]) == len(set(node["enum"])), node
        assert node.get("type") != "array" or "items" in node, node
        assert "<script" not in str(node.get("description"))
        assert "eval(" not in str(node.get("description"))
    used = {node["$ref"].removeprefix(REF) for node in nodes if isinstance(node.get("$ref"), str)}
    assert used == document["components"]["schemas"].keys()


def test_every_body_has_an_example_and_every_error_is_a_problem(
    operations: list[tuple[str, dict[str, Any]]],
) -> None:
    for path, operation in operations:
        for media in operation.get("requestBody", {}).get("content", {}).values():
            assert "example" in media, path
        for status, response in operation["responses"].items():
            for media_type, media in response.get("content", {}).items():
                assert media.get("example"), (path, status)
                assert status[0] == "2" or path == "/readyz" or media_type == "application/problem+json", (path, status)
        assert "default" in operation["responses"], path


def test_examples_are_what_their_schemas_allow(document: dict[str, Any]) -> None:
    """Of bodies, of parameters, and of every part of a schema; formats too."""
    shown = 0
    for node in walk(document):
        if not isinstance(node, dict):
            continue
        told = [(node["schema"], node["example"])] if "example" in node and "schema" in node else []
        told += [(node, one) for one in node["examples"]] if isinstance(node.get("examples"), list) else []
        for schema, one in told:
            whole = any(isinstance(part, dict) and "$ref" in part for part in walk(schema))
            rooted = {**schema, "components": document["components"]} if whole else schema
            jsonschema_rs.Draft202012Validator(rooted, validate_formats=True).validate(one)
            shown += 1
    assert shown > 300


def test_every_route_metric_and_problem_is_documented(document: dict[str, Any]) -> None:
    text = DOCS.read_text("utf-8")
    routes = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    listed = set(re.findall(r"^\| `([A-Z]+ \S+)` \|", text, re.MULTILINE))
    assert listed == routes | {"GET /", "GET /sign-in", "GET /openapi.json"}
    code = "\n".join(path.read_text("utf-8") for path in (DOCS.parents[1] / "api").rglob("*.py"))
    for metric in set(re.findall(r'"(vigie_http_\w+)"', code)):
        assert f"`{metric}" in text, metric
    for slug in re.findall(r'Problem\(\s*\d+, "([a-z-]+)"', code):
        assert f"`{slug}`" in text, slug
