"""The OpenAPI document: FastAPI's, with schema names, shared parts, tags and security schemes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.http.openapi import headers
from conflicto.platform.http.openapi.inputs import describe_defaults, simplify_parameter
from conflicto.platform.http.openapi.names import REF, schema_name, with_names, without_titles
from conflicto.platform.http.openapi.operations import path_parameter
from conflicto.platform.http.openapi.problems import problem_examples, problem_schemas

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel

    from conflicto.platform.http.openapi.problems import Problems

TAGS = {
    "sessions": "Sessions: create, read, change, move through the lifecycle, export, delete.",
    "links": "Links of hosts and screens, and their tokens.",
    "joining": "Joining with a code and a nickname.",
    "participants": "Seats: the caller's own, and all of a session.",
    "activities": "Activities: create, order, open, reveal, start further rounds.",
    "activity types": "Registered types of activities, and their schemas.",
    "responses": "Responses of participants to activities.",
    "polling": "Status, feeds, results and streams.",
    "operation": "Health, metrics, and documents about the API.",
}

ABOUT_HEADERS = (
    "\n\nThe server may refuse any request before it matches an operation: 400 `not-http` or `host-invalid`, 404 `not-found`,"
    " 405 `method-not-allowed`, 431 `head-too-large`, 503 `too-many-connections`. `HEAD` works wherever `GET` does."
)


def finish_document(
    document: dict[str, Any], problems: Iterable[Problems], models: Mapping[str, Any], about: Mapping[str, str]
) -> dict[str, Any]:
    """Return FastAPI's document with the shared parts, and without its own 422 responses."""
    for operation in _operations(document):
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]
        _describe_optional_body(operation)
        _describe_path_ids(operation)
        for parameter in operation.get("parameters", ()):
            simplify_parameter(parameter)
        _put_json_first(operation)
    schemas = _schemas(document, models)
    document["components"] = {
        "securitySchemes": _SECURITY, **headers.components(), "examples": problem_examples(problems), "schemas": schemas,
    }  # fmt: skip
    document["info"] |= {
        "description": about["description"] + ABOUT_HEADERS, "contact": {"name": about["title"]},
        "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    }  # fmt: skip
    document["servers"] = [{"url": about.get("url") or "/", "description": "This server"}]
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    named: dict[str, Any] = with_names(document)
    return named


_SECURITY = {
    "token": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "Token of an operator, host, screen or participant.",
    },
    "ticket": {
        "type": "apiKey", "in": "query", "name": "ticket",
        "description": "For browsers' `EventSource`, which cannot send a token: good once, for a minute, from `createTicket`.",
    },
}  # fmt: skip


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _describe_optional_body(operation: dict[str, Any]) -> None:
    """Describe an optional body: it may be missing, or null."""
    body = operation.get("requestBody")
    if body is None:
        return
    content = body["content"]["application/json"]
    named = [part for part in content["schema"].get("anyOf", ()) if "$ref" in part]
    if named:
        body["required"] = False
        content["schema"] = {"anyOf": [named[0], {"type": "null"}]}


def _describe_path_ids(operation: dict[str, Any]) -> None:
    """Describe ids in paths. The route table, not the framework, refuses invalid ones."""
    for parameter in operation.get("parameters", ()):
        if parameter.get("in") == "path":
            parameter.update(path_parameter(parameter["name"]))


def _put_json_first(operation: dict[str, Any]) -> None:
    """Put JSON before event streams, because some generators read the first media type only."""
    for response in operation["responses"].values():
        if "content" in response:
            response["content"] = dict(sorted(response["content"].items(), key=lambda item: item[0] != "application/json"))


def schemas_of(bodies: Iterable[type[BaseModel]], queries: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """Return the schemas of data-plane models, which FastAPI does not see."""
    schemas: dict[str, Any] = {}
    for model in bodies:
        schema = model.model_json_schema(ref_template=f"{REF}{{model}}")
        schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
    for model in queries:
        schemas |= model.model_json_schema().get("$defs", {})
    return schemas


def _schemas(document: dict[str, Any], models: Mapping[str, Any]) -> dict[str, Any]:
    schemas = document["components"]["schemas"] | problem_schemas() | models
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    renamed = {schema_name(name): {**schema, "title": schema_name(name)} for name, schema in schemas.items()}
    if len(renamed) != len(schemas):
        message = "two models have one name in the OpenAPI document"
        raise ValueError(message)
    for schema in renamed.values():
        describe_defaults(schema)
        without_titles(schema.get("properties", {}).values())
    return dict(sorted(renamed.items()))
