"""The OpenAPI document, generated from the routes and their models."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from conflicto.platform.http.openapi import headers
from conflicto.platform.http.openapi.inputs import describe_defaults, without_null_defaults
from conflicto.platform.http.openapi.names import REF, schema_name, with_names, without_titles
from conflicto.platform.http.openapi.operations import operation
from conflicto.platform.http.openapi.problems import problem_examples, problem_schemas, problems_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import BaseModel
    from pydantic.json_schema import JsonSchemaMode

    from conflicto.platform.http.openapi.problems import Problems
    from conflicto.platform.http.request_pipeline import Authenticator
    from conflicto.platform.http.routes import Route

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


class ApiDocument:
    """The OpenAPI document of all routes, and the problems that each of them may return."""

    def __init__(self, routes: list[Route], *, about: Mapping[str, str], authenticator: Authenticator) -> None:
        self.routes = routes
        self._about = about
        self._authenticator = authenticator

    @cached_property
    def problems(self) -> dict[str, Problems]:
        """Problems of each route, by its name."""
        return {route.name: problems_of(route, self._authenticator) for route in self.routes}

    @cached_property
    def content(self) -> dict[str, Any]:
        """The document. It is generated at the first use, because that is slow."""
        paths: dict[str, dict[str, Any]] = {}
        for route in self.routes:
            paths.setdefault(route.path, {})[route.method.lower()] = operation(route, self.problems[route.name])
        document: dict[str, Any] = with_names({
            "openapi": "3.1.0",
            "info": self._info(),
            "paths": paths,
            "components": {
                "securitySchemes": _SECURITY, **headers.components(), "examples": problem_examples(self.problems.values()),
                "schemas": _schemas(self.routes),
            },
            "servers": [{"url": self._about.get("url") or "/", "description": "This server"}],
            "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        })  # fmt: skip
        return document

    def _info(self) -> dict[str, Any]:
        return {
            "title": self._about["title"], "description": self._about["description"] + ABOUT_HEADERS,
            "version": self._about["version"], "contact": {"name": self._about["title"]},
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        }  # fmt: skip


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


def _schemas(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the schemas of all bodies and of the types that queries refer to, by name."""
    queries = {route.query: None for route in routes if route.query}
    bodies = {model: None for route in routes for model in (route.inputs.body, *route.docs.responses.values()) if model}
    modes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in (*bodies, *queries)]
    _, generated = models_json_schema(modes, ref_template=f"{REF}{{model}}")
    found = {name: schema for name, schema in generated["$defs"].items() if name not in {query.__name__ for query in queries}}
    schemas = found | problem_schemas()
    renamed = {schema_name(name): {**schema, "title": schema_name(name)} for name, schema in schemas.items()}
    if len(renamed) != len(schemas):
        message = "two models have one name in the OpenAPI document"
        raise ValueError(message)
    for schema in renamed.values():
        without_null_defaults(schema)
        describe_defaults(schema)
        without_titles(schema.get("properties", {}).values())
    return dict(sorted(renamed.items()))
