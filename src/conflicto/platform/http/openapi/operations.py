"""Operations of the OpenAPI document: roles, parameters, bodies and responses."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

from conflicto.platform.http.openapi.headers import headers_of_success, request_header
from conflicto.platform.http.openapi.names import REF
from conflicto.platform.http.openapi.operation_ids import OPERATION_IDS
from conflicto.platform.http.openapi.problems import problem_responses

if TYPE_CHECKING:
    from pydantic import BaseModel

    from conflicto.platform.http.openapi.problems import Problems
    from conflicto.platform.http.routes import Route

NO_CONTENT = 204
FIRST_REDIRECT = 300

MAX_ID = 10**15 - 1
"""Largest id of sessions and participants: 15 digits, as in the route table."""

EVENT_STREAM = "text/event-stream"

SUCCESS = {
    200: "Success", 201: "Created", 202: "Accepted; the job shows its progress", 204: "Success without a body",
    206: "The requested range", 304: "The caller's body is current",
}  # fmt: skip

_PARAMETER = re.compile(r"{(\w+)}")


def operation_id(route: Route) -> str:
    """Return the id of a route's operation.

    Raises:
        ValueError: `OPERATION_IDS` has none for it.
    """
    if route.name not in OPERATION_IDS:
        message = f"{route.name} needs an operation id in {operation_id.__module__.rpartition('.')[0]}.operation_ids"
        raise ValueError(message)
    return OPERATION_IDS[route.name]


def responses_of(route: Route, problems: Problems) -> dict[int | str, dict[str, Any]]:
    """Return FastAPI's `responses` for a route."""
    documented: dict[int | str, dict[str, Any]] = {}
    is_feed = any(error.has_start for errors in problems.values() for error in errors)
    for status, model in route.docs.responses.items():
        headers = headers_of_success(route, status, model, is_feed=is_feed)
        documented[status] = {"description": SUCCESS[status], "headers": headers, **({"model": model} if model else {})}
        is_described = model is not None and bool(route.docs.files)  # a job in place of the file
        if status < FIRST_REDIRECT and status != NO_CONTENT and not is_described and (content := _content(route)):
            documented[status]["content"] = content
    return documented | problem_responses(problems)


def _content(route: Route) -> dict[str, Any]:
    """Return the bodies of a success response without a model."""
    content = {
        media_type: {"schema": {"type": "string", **more}, **({} if example is None else {"example": example})}
        for media_type, (more, example) in route.docs.files.items()
    }
    if route.docs.example is not None:
        content["application/json"] = {"schema": {"type": "object", "examples": [route.docs.example]}}
    if route.docs.events:
        text = "Server-Sent Events in UTF-8; the data of each event is JSON."
        content[EVENT_STREAM] = {"schema": {"type": "string", "description": text}, "example": route.docs.events}
    return content


def extra_of(route: Route) -> dict[str, Any]:
    """Return additions to the operation: its roles, and parameters and body of the data plane."""
    extra: dict[str, Any] = {"x-roles": sorted(route.roles) or ["anyone"], "security": _security(route)}
    declared = inspect.signature(route.endpoint).parameters
    parameters = [path_parameter(name) for name in _PARAMETER.findall(route.path) if name not in declared]
    parameters += [request_header(name, min_key_chars=route.docs.min_key_chars) for name in route.docs.headers]
    if route.handler is not None:
        if route.docs.query:
            parameters += _query_parameters(route.docs.query)
        if route.docs.request:
            schema = {"$ref": f"#/components/schemas/{route.docs.request.__name__}"}
            extra["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if parameters:
        extra["parameters"] = parameters
    return extra


def _security(route: Route) -> list[dict[str, list[str]]]:
    if not route.roles:
        return []
    return [{"token": []}, {"ticket": []}] if route.takes_ticket else [{"token": []}]


def path_parameter(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name in {"session_id", "participant_id"}:
        schema = {"type": "integer", "minimum": 1, "maximum": MAX_ID}
    elif name.endswith("_id"):
        schema = {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    described = model.model_json_schema(ref_template=f"{REF}{{model}}")
    required = described.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in described["properties"].items()
        if name != "ticket"  # a security scheme
    ]
