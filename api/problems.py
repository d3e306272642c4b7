"""Every error of the API as `application/problem+json` (RFC 9457), from validation to a database that is away.

A problem names the value and what was expected, and never shows the inside of the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from store.database import DatabaseUnavailable

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = 2
_VALUE_SHOWN = 100
_TOO_LARGE = 413  # its phrase differs between versions of Python


class ParameterError(BaseModel):
    """One parameter that cannot be used."""

    parameter: str = Field(examples=["limit"])
    where: str = Field(examples=["query"], description="path, query or header")
    value: str | None = Field(examples=["0"], description="what was sent, shortened")
    expected: str = Field(examples=["Input should be greater than or equal to 1"])


class ProblemDetails(BaseModel):
    """The body of every error (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(examples=["urn:vigie:problem:unknown-sensor"], description="stable name of the kind of problem")
    title: str = Field(examples=["Unknown sensor"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no sensor or corridor 'W99-F1'; /v1/sensors lists the ids."])
    instance: str = Field(examples=["/v1/sensors/W99-F1"], description="the path that was asked")
    errors: list[ParameterError] | None = Field(default=None, description="for parameters that cannot be used")


class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """An answer that is an error: raised by a handler, sent as problem+json."""

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Iterable[ParameterError] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title or slug.replace("-", " ").capitalize()
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = list(errors)

    def response(self, instance: str) -> Response:
        body: dict[str, object] = {
            "type": f"urn:vigie:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            body["errors"] = [error.model_dump() for error in self.errors]
        headers = {"cache-control": "no-store", **self.headers}
        return Response(msgspec.json.encode(body), self.status, headers, media_type=MEDIA_TYPE)


def unknown_thing(thing: str) -> Problem:
    shown = thing[:_VALUE_SHOWN]
    detail = f"There is no sensor or corridor {shown!r}; /v1/sensors and /v1/corridors list the ids."
    return Problem(404, "unknown-sensor", detail)


def bad_parameter(name: str, value: object, expected: str) -> Problem:
    """A query parameter that is well-formed but cannot be used here."""
    error = ParameterError(parameter=name, where="query", value=_shown(value), expected=expected)
    return Problem(422, "invalid-parameter", f"{name}={error.value}: {expected}", errors=[error])


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Make every error of `app` a problem; `routes` are its operations."""

    async def on_http(request: Request, exc: Exception) -> Response:
        return _of_http(_with_methods(cast(HTTPException, exc), request.scope, routes), request)

    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(DatabaseUnavailable, _on_database_away)
    app.add_exception_handler(Exception, _on_bug)


async def _on_problem(request: Request, exc: Exception) -> Response:
    return cast(Problem, exc).response(request.url.path)


async def _on_validation(request: Request, exc: Exception) -> Response:
    errors = [_parameter_error(error) for error in cast(RequestValidationError, exc).errors()]
    detail = "; ".join(f"{error.parameter}={error.value}: {error.expected}" for error in errors)
    return Problem(422, "invalid-parameter", detail, errors=errors).response(request.url.path)


def _with_methods(error: HTTPException, scope: Scope, routes: Sequence[BaseRoute]) -> HTTPException:
    """The whole truth about methods: a router knows those of one route, and a path may have several.

    The page answers at every path, so that a GET where only a POST is at home looks like a missing file.
    """
    if error.status_code not in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}:
        return error
    here = [route for route in routes if getattr(route, "include_in_schema", False)]
    methods = {method for route in here if route.matches(scope)[0] is not Match.NONE for method in _methods(route)}
    if not methods or scope["method"] in methods:
        return error
    return HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"allow": ", ".join(sorted(methods))})


def _methods(route: BaseRoute) -> set[str]:
    return getattr(route, "methods", None) or set()


def _of_http(error: HTTPException, request: Request) -> Response:
    phrase = HTTPStatus(error.status_code).phrase
    slug = "body-too-long" if error.status_code == _TOO_LARGE else phrase.lower().replace(" ", "-")
    detail = str(error.detail)
    if error.status_code == HTTPStatus.NOT_FOUND and detail == phrase:
        detail = f"There is nothing at {request.url.path[:_VALUE_SHOWN]}; /openapi.json lists what there is."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.method} is not possible here; allowed: {_allowed(error)}."
    return Problem(error.status_code, slug, detail, headers=error.headers).response(request.url.path)


def _allowed(error: HTTPException) -> str:
    return next((value for name, value in (error.headers or {}).items() if name.lower() == "allow"), "GET")


async def _on_database_away(request: Request, _exc: Exception) -> Response:
    return database_away().response(request.url.path)


async def _on_bug(request: Request, _exc: Exception) -> Response:
    """The server logs the traceback; the client learns only that it is our fault."""
    detail = "The server failed on this request; its log has the reason."
    return Problem(500, "internal-error", detail).response(request.url.path)


def database_away() -> Problem:
    detail = f"The database cannot be reached; try again in {_RETRY_AFTER_S} s."
    return Problem(503, "database-unavailable", detail, headers={"retry-after": str(_RETRY_AFTER_S)})


def _parameter_error(error: Mapping[str, Any]) -> ParameterError:
    where, *name = (str(part) for part in error["loc"])
    value = None if error["type"] == "missing" else _shown(error["input"])
    return ParameterError(parameter=".".join(name), where=where, value=value, expected=str(error["msg"]))


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= _VALUE_SHOWN else text[:_VALUE_SHOWN] + "…"
