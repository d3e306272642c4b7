"""The exported OpenAPI document: what FastAPI generates, with what it does not know: examples, and who may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import geojson
from api.access.door import COOKIE
from api.access.scopes import NEEDS, OPEN
from api.examples import add_examples
from api.problems import ProblemDetails

TAGS = [
    {"name": "states", "description": "How it is now."},
    {"name": "situations", "description": "What is congested together, since when, and how it developed."},
    {"name": "alarms", "description": "What an operator must act on, and what is done about it."},
    {"name": "duty", "description": "Who is on duty, the load of alarms, the hand-over, maintenance."},
    {"name": "terminals", "description": "Terminals: how they are, turn times, slot plans, the outlook."},
    {"name": "alerts", "description": "The one feed of events, each a CloudEvent, with its id as cursor."},
    {"name": "subscriptions", "description": "Receivers that alerts are sent to: webhooks and mail."},
    {"name": "readings", "description": "How it was."},
    {"name": "catalogue", "description": "What is installed and what it measures."},
    {"name": "map", "description": "What the map is drawn on."},
    {"name": "quarantine", "description": "What could not be used, and why."},
    {"name": "service", "description": "The service itself."},
]

CONTACT = {"name": "Whoever runs this service"}
SERVERS = [{"url": "/", "description": "The service that this document is from"}]

_REF = "#/components/schemas/{model}"
_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "An access key; `vigie keys create` makes one"},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A signed-in browser"},
}


def install(app: FastAPI) -> None:
    """Let `app` export the corrected document, built once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        contact=app.contact,
        license_info=app.license_info,
        servers=SERVERS,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    schemas = document["components"]["schemas"]
    problem = ProblemDetails.model_json_schema(ref_template=_REF)
    schemas |= problem.pop("$defs", {})
    schemas |= {"Problem": problem, "FeatureCollection": geojson.SCHEMA}
    for operation in _operations(document):
        _drop_nulls(operation.get("parameters", ()))
        _say_who_may(operation)
    document["components"]["securitySchemes"] = _SECURITY
    document["security"] = [{name: []} for name in _SECURITY]
    add_examples(document)
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()


def _drop_nulls(parameters: Iterable[dict[str, Any]]) -> None:
    """What may be left out is not null: nobody can send a null in a header or a query."""
    for parameter in parameters:
        schema = parameter["schema"]
        kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
        if len(kinds) == 1:
            del schema["anyOf"]
            schema |= kinds[0]


def _say_who_may(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    if name in OPEN:
        operation["security"] = []
    else:
        operation["description"] += f"\n\nNeeds the scope `{NEEDS[name]}`."
