"""What FastAPI cannot know of a route by itself: who may call it, its problems, its bodies on the data plane, and examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from conflicto.platform.http.body import MediaTypeUnsupported
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.problems import DomainError, InternalError, InvalidInput, NotFound, Unavailable

if TYPE_CHECKING:
    from conflicto.platform.http.routes import Route

FIRST_REDIRECT = 300

_PARAMETER = re.compile(r"{(\w+)}")


class FieldProblem(BaseModel):
    """One thing wrong with one place of the input."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the body, or /query/…")
    message: str


class Problem(BaseModel):
    """An error, after RFC 9457. Branch on `code`; the texts are for people."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None


def problems_of(route: Route) -> dict[int, list[type[DomainError]]]:
    """Return the problems that a route may answer with, by status: its own, and those that come with what it declares."""
    found: list[type[DomainError]] = [*route.docs.problems, InternalError, Unavailable]
    if "{" in route.path:
        found.append(NotFound)
    if route.body is not None:
        found += [MediaTypeUnsupported, InvalidInput]
    if route.docs.query is not None:
        found.append(InvalidInput)
    by_status: dict[int, list[type[DomainError]]] = {}
    for error in dict.fromkeys(found):
        by_status.setdefault(STATUS[error.kind], []).append(error)
    return dict(sorted(by_status.items()))


def responses_of(route: Route) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` for a route."""
    documented: dict[int | str, dict[str, Any]] = {}
    for status, model in route.docs.gives.items():
        documented[status] = {"description": "Success", **({"model": model} if model else {})}
        if model and route.docs.example is not None and status < FIRST_REDIRECT:
            documented[status]["content"] = {"application/json": {"example": route.docs.example}}
    for status, errors in problems_of(route).items():
        documented[status] = {
            "description": "; ".join(f"`{error.code}`: {error.title}" for error in errors),
            "model": Problem,
            "content": {"application/problem+json": {"examples": {error.code: {"value": _example(error)} for error in errors}}},
        }
    return documented


def extra_of(route: Route) -> dict[str, Any]:
    """Return what is merged into the operation: the roles, and for the data plane its parameters and body."""
    extra: dict[str, Any] = {"x-roles": sorted(route.who) or ["anyone"]}
    if route.who:
        extra["security"] = [{"token": []}]
    parameters = [_header(name) for name in route.docs.headers]
    if route.handler is not None:
        parameters += [_path_parameter(name) for name in _PARAMETER.findall(route.path)]
        if route.docs.query:
            parameters += _query_parameters(route.docs.query)
        if route.docs.takes:
            schema = route.docs.takes.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if parameters:
        extra["parameters"] = parameters
    return extra


def _header(name: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}


def _path_parameter(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name in {"session_id", "participant_id"}:
        schema = {"type": "integer", "minimum": 1}
    elif name.endswith("_id"):
        schema = {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    properties = model.model_json_schema()["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in properties.items()]


def _example(error: type[DomainError]) -> dict[str, Any]:
    return {
        "type": f"/problems/{error.code}", "title": error.title, "status": STATUS[error.kind], "detail": error.title,
        "instance": "/requests/64a1-7", "code": error.code, "request_id": "64a1-7",
    }  # fmt: skip
