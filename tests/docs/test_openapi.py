"""Tests of the OpenAPI document: every route with roles, bodies, parameters and problems."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs

import conflicto.web
from conflicto.app import App
from conflicto.platform.http.problem_response import STATUS
from conflicto.platform.http.routes import PREFIX, Route
from conflicto.platform.problems import registry

Document = dict[str, Any]

CALLS = Path(conflicto.web.__file__).parent / "static/core/api.js"

NOT_OF_PAGES = {
    "GET /.well-known/jwks.json",
    "GET /api/v1/openapi.json",
    "GET /api/v1/sessions/{session_id}/nicknames/validate",
    "GET /health/live",
    "GET /health/ready",
    "GET /problems/{code}",
    "POST /api/v1/sessions/{session_id}/events/ticket",
}
"""Responses that our pages never request."""


def operations(app: App, document: Document) -> Iterator[tuple[Route, dict[str, Any]]]:
    for route in app.edge.routes:
        yield route, document["paths"][route.path][route.method.lower()]


def problems(document: Document, schema: dict[str, Any], value: object) -> list[str]:
    validator = jsonschema_rs.validator_for({**schema, "components": document["components"]})
    return [error.message for error in validator.iter_errors(value)]


def refs(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from refs(value)
    elif isinstance(part, list):
        for value in part:
            yield from refs(value)


def resolved(document: Document, part: dict[str, Any]) -> dict[str, Any]:
    """Return the target of a reference, or the part itself."""
    found: Any = document
    for name in part["$ref"].removeprefix("#/").split("/") if "$ref" in part else ():
        found = found[name]
    return part if found is document else found


def schemas(document: Document) -> Iterator[dict[str, Any]]:
    yield from document["components"]["schemas"].values()
    for path in document["paths"].values():
        for operation in path.values():
            yield from (resolved(document, parameter)["schema"] for parameter in operation.get("parameters", ()))
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                yield from (content["schema"] for content in body.get("content", {}).values() if "schema" in content)


async def test_criterion_12_every_route_is_documented_and_nothing_else(app: App, document: Document) -> None:
    documented = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}

    assert documented == {route.name for route in app.edge.routes}
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"]


async def test_schemas_are_schemas_and_references_lead_somewhere(document: Document) -> None:
    parts = {f"#/components/{kind}/{name}" for kind, named in document["components"].items() for name in named}

    assert set(refs(document)) <= parts
    assert not [name for name in document["components"]["schemas"] if not re.fullmatch(r"([A-Z][a-z]+)+", name)]
    for schema in schemas(document):
        jsonschema_rs.meta.validate(schema)


async def test_every_operation_has_a_purpose_and_roles(app: App, document: Document) -> None:
    ids = [operation["operationId"] for _, operation in operations(app, document)]

    assert len(set(ids)) == len(ids)
    for route, operation in operations(app, document):
        assert operation["summary"], route.name
        assert operation["description"], route.name
        assert "front door answers itself" not in operation["description"], route.name
        assert operation["x-roles"] == (sorted(route.roles) or ["anyone"]), route.name
        assert bool(operation["security"]) == bool(route.roles), route.name


async def test_every_parameter_of_a_path_is_documented_once(app: App, document: Document) -> None:
    for route, operation in operations(app, document):
        parameters = [(each["in"], each["name"]) for part in operation.get("parameters", ()) for each in [resolved(document, part)]]

        assert len(set(parameters)) == len(parameters), route.name
        assert {name for place, name in parameters if place == "path"} == set(re.findall(r"{(\w+)}", route.path)), route.name
        known = route.query
        expected = set(known.model_fields if known else ()) - {"ticket"}  # a security scheme
        assert {name for place, name in parameters if place == "query"} == expected, route.name


async def test_every_body_has_a_schema_and_an_example_that_fits(app: App, document: Document) -> None:
    for route, operation in operations(app, document):
        assert ("requestBody" in operation) == (route.body is not None), route.name
        if route.body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert _examples(document, schema), route.name
            for example in _examples(document, schema):
                assert problems(document, schema, example) == [], route.name


async def test_every_success_has_a_schema_and_an_example_that_fits(app: App, document: Document) -> None:
    for route, operation in operations(app, document):
        successes = {status: answer for status, answer in operation["responses"].items() if status < "400"}
        assert set(successes) == {str(status) for status in route.docs.responses}, route.name
        for status, answer in successes.items():
            content = answer.get("content", {}).get("application/json")
            has_json = route.docs.responses[int(status)] is not None or route.docs.example is not None
            assert (content is None) == (status in {"204", "304"} or not has_json), (route.name, status)
            if content is not None and "schema" in content:
                found = _examples(document, content["schema"])
                assert found, (route.name, status)
                assert [problems(document, content["schema"], example) for example in found] == [[]] * len(found), route.name


async def test_pages_distinguish_responses_of_the_server_from_those_of_a_portal(app: App, document: Document) -> None:
    listed = re.search(r"const RESPONSE_FIELDS = \[([^]]*)\];", CALLS.read_text())
    assert listed
    members = set(re.findall(r'"(\w+)"', listed[1]))
    unknown = {
        route.name
        for route, operation in operations(app, document)
        for status, answer in operation["responses"].items()
        if status < "300"
        for found in _examples(document, answer.get("content", {}).get("application/json", {}).get("schema", {}))
        if not members & found.keys()
    }

    assert unknown == NOT_OF_PAGES


async def test_every_problem_has_an_example_in_the_one_shape(app: App, document: Document) -> None:
    known = registry()
    for route, operation in operations(app, document):
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert set(answer["content"]) == {"application/problem+json"}, (route.name, status)
                content = answer["content"]["application/problem+json"]
                assert content["examples"], (route.name, status)
                for code, example in content["examples"].items():
                    assert problems(document, content["schema"], resolved(document, example)["value"]) == [], code
                    assert str(STATUS[known[code].kind]) == status, (route.name, code)


async def test_problems_that_come_with_a_declaration_are_documented(app: App, document: Document) -> None:
    for route, operation in operations(app, document):
        statuses = set(operation["responses"])

        assert {"500", "503"} <= statuses, route.name
        assert not route.path.startswith(PREFIX) or "422" in statuses, route.name
        assert not route.roles or {"401", "429"} <= statuses, route.name
        assert route.body is None or {"400", "413", "415", "422"} <= statuses, route.name
        assert "{" not in route.path or "404" in statuses, route.name


async def test_responses_that_name_a_beginning_declare_the_header(app: App, document: Document) -> None:
    naming = {
        route.name
        for route, operation in operations(app, document)
        if "Link" in operation["responses"].get("410", {}).get("headers", {})
    }

    assert naming == {route.name for route in app.edge.routes if any(error.has_start for error in route.docs.problems)}
    assert len(naming) == 3


def _examples(document: Document, schema: dict[str, Any]) -> list[Any]:
    """Return the examples of a schema, of the model that it names, or of the one that it may be."""
    if "$ref" in schema:
        return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]].get("examples", [])
    if "anyOf" in schema:
        return [example for part in schema["anyOf"] for example in _examples(document, part)]
    return schema.get("examples", [])
