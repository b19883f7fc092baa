"""Operations of the OpenAPI document: roles, parameters, bodies and responses."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from conflicto.platform.http.openapi.headers import headers_of_success, request_header
from conflicto.platform.http.openapi.inputs import query_parameter
from conflicto.platform.http.openapi.names import REF
from conflicto.platform.http.openapi.operation_ids import OPERATION_IDS
from conflicto.platform.http.openapi.problems import problem_responses

if TYPE_CHECKING:
    from pydantic import BaseModel

    from conflicto.platform.http.openapi.problems import Problems
    from conflicto.platform.http.routes import Route

NO_CONTENT = 204
FIRST_REDIRECT = 300

JSON, EVENT_STREAM = "application/json", "text/event-stream"

SUCCESS = {
    200: "Success", 201: "Created", 202: "Accepted; the job shows its progress", 204: "Success without a body",
    206: "The requested range", 304: "The caller's body is current",
}  # fmt: skip


def operation(route: Route, problems: Problems) -> dict[str, Any]:
    """Return a route's operation.

    Raises:
        ValueError: `OPERATION_IDS` has no id for it.
    """
    described: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.docs.summary,
        "description": inspect.getdoc(route.endpoint) or "",
        "operationId": _operation_id(route),
    }
    if parameters := _parameters(route):
        described["parameters"] = parameters
    if model := route.inputs.body:
        described["requestBody"] = _request_body(model, is_optional=route.inputs.body_is_optional)
    responses = {str(status): response for status, response in (_successes(route, problems) | problem_responses(problems)).items()}
    return described | {"responses": responses, "x-roles": sorted(route.roles) or ["anyone"], "security": _security(route)}


def _operation_id(route: Route) -> str:
    if route.name not in OPERATION_IDS:
        message = f"{route.name} needs an operation id in {operation.__module__.rpartition('.')[0]}.operation_ids"
        raise ValueError(message)
    return OPERATION_IDS[route.name]


def _parameters(route: Route) -> list[dict[str, Any]]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": kind.schema} for name, kind in route.path_parameters.items()
    ]
    parameters += [request_header(name, min_key_chars=route.docs.min_key_chars) for name in route.docs.headers]
    return parameters + (_query_parameters(route.query) if route.query else [])


def _query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    described = model.model_json_schema(ref_template=f"{REF}{{model}}")
    required = described.get("required", ())
    return [
        query_parameter(name, schema, required=name in required)
        for name, schema in described["properties"].items()
        if name != "ticket"  # a security scheme
    ]


def _request_body(model: type[BaseModel], *, is_optional: bool) -> dict[str, Any]:
    """Return the description of a body. An optional one may be missing, or null."""
    schema: dict[str, Any] = {"$ref": REF + model.__name__}
    return {
        "required": not is_optional,
        "content": {JSON: {"schema": {"anyOf": [schema, {"type": "null"}]} if is_optional else schema}},
    }


def _successes(route: Route, problems: Problems) -> dict[int, dict[str, Any]]:
    is_feed = any(error.has_start for errors in problems.values() for error in errors)
    return {
        status: {
            "description": SUCCESS[status], "headers": headers_of_success(route, status, model, is_feed=is_feed),
            **({"content": content} if (content := _content(route, status, model)) else {}),
        }
        for status, model in route.docs.responses.items()
    }  # fmt: skip


def _content(route: Route, status: int, model: type[BaseModel] | None) -> dict[str, Any]:
    """Return the bodies of a success by media type.

    JSON comes before event streams, because some generators read the first media type only.
    """
    content: dict[str, Any] = {JSON: {"schema": {"$ref": REF + model.__name__}}} if model else {}
    if status >= FIRST_REDIRECT or status == NO_CONTENT or (model and route.docs.files):  # a job in place of the file
        return content
    if route.docs.example is not None:
        content[JSON] = {"schema": {"type": "object", "examples": [route.docs.example]}}
    content |= {
        media_type: {"schema": {"type": "string", **more}, **({} if example is None else {"example": example})}
        for media_type, (more, example) in route.docs.files.items()
    }
    if route.docs.events:
        text = "Server-Sent Events in UTF-8; the data of each event is JSON."
        content[EVENT_STREAM] = {"schema": {"type": "string", "description": text}, "example": route.docs.events}
    return content


def _security(route: Route) -> list[dict[str, list[str]]]:
    if not route.roles:
        return []
    return [{"token": []}, {"ticket": []}] if route.takes_ticket else [{"token": []}]
