"""The exported document is valid where it counts, complete, and in step with docs/api.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

DOCS = Path(__file__).parents[2] / "docs" / "api.md"
REF = "#/components/schemas/"


@pytest.fixture
def document(app: FastAPI) -> None:
    return app.openapi()


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
    assert {"title", "version", "license"} <= document["info"].keys()


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
    tags = {tag["name"] for tag in document["tags"]}
    assert len(ids) == len(set(ids))
    for path, operation in operations:
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= tags, path
        assert {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"} == set(
            re.findall(r"\{(\w+)\}", path)
        )


def test_every_json_answer_has_an_example_and_every_error_is_a_problem(
    operations: list[tuple[str, dict[str, Any]]],
) -> None:
    for path, operation in operations:
        for status, response in operation["responses"].items():
            for media_type, media in response.get("content", {}).items():
                assert "json" not in media_type or media.get("example"), (path, status)
                assert status[0] == "2" or path == "/readyz" or media_type == "application/problem+json", (path, status)
        assert "default" in operation["responses"], path


def test_examples_have_what_their_schemas_require(document: dict[str, Any]) -> None:
    for node in walk(document["paths"]):
        if isinstance(node, dict) and "example" in node and "$ref" in node.get("schema", {}):
            schema = document["components"]["schemas"][node["schema"]["$ref"].removeprefix(REF)]
            assert set(schema.get("required", ())) <= node["example"].keys()


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
