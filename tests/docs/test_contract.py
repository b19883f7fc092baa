"""Tests of the contract for generated clients: names stay, and the server enforces its bounds."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from conflicto.app import App
from conflicto.platform.http.openapi.problems import Problem
from conflicto.platform.problems import registry
from tests.support.api import Api, Event, Seat, document_of, make_event

IDS = Path(__file__).with_name("operation_ids.txt")

OF_CLEANING = {"nickname-invalid", "code-unknown", "seat-link-invalid", "idempotency-key-invalid"}
"""Codes that refuse a value by its length without a pointer to its field."""


async def test_operation_ids_never_change(app: App) -> None:
    document = document_of(app)
    found = {
        f"{operation['operationId']} {method.upper()} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }

    assert found == set(IDS.read_text().splitlines())
    assert [each for each in found if not re.match(r"[a-z]+([A-Z][a-z]+)* [A-Z]+ /", each)] == []


async def test_every_tag_is_described_and_used(app: App) -> None:
    document = document_of(app)
    used = {tag for item in document["paths"].values() for operation in item.values() for tag in operation["tags"]}

    assert used == {tag["name"] for tag in document["tags"]}
    assert all(tag["description"] for tag in document["tags"])
    assert document["servers"][0]["url"] == "/"


async def test_json_comes_before_streams(app: App) -> None:
    document = document_of(app)
    contents = [answer["content"] for item in document["paths"].values() for operation in item.values()
                for answer in operation["responses"].values() if "application/json" in answer.get("content", ())]  # fmt: skip

    assert [content for content in contents if next(iter(content)) != "application/json"] == []
    assert len([content for content in contents if "text/event-stream" in content]) == 3


def test_members_of_problems_are_of_codes_that_exist() -> None:
    named = set()
    for field in Problem.model_fields.values():
        named |= set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", field.description or ""))

    assert {code for code in named if not code.startswith("too-long")} <= registry().keys()


class Bound(NamedTuple):
    """One bounded place of an operation."""

    method: str
    path: str
    place: str
    name: str
    schema: dict[str, Any]


def bounds(document: dict[str, Any]) -> Iterator[Bound]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for part in operation.get("parameters", ()):
                parameter = document["components"]["parameters"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
                if parameter["in"] != "path":
                    yield Bound(method, path, parameter["in"], parameter["name"], parameter["schema"])
            if "requestBody" in operation:
                ref = named(operation["requestBody"]["content"]["application/json"]["schema"])
                for name, schema in document["components"]["schemas"][ref.rpartition("/")[2]]["properties"].items():
                    yield Bound(method, path, "body", name, schema)


def bounded(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a schema that has bounds, without its null."""
    parts = [schema, *schema.get("anyOf", ())]
    keys = {"minLength", "maxLength", "minimum", "maximum", "maxItems"}
    return next((part for part in parts if keys & part.keys()), {})


def named(schema: dict[str, Any]) -> str:
    """Return the reference of a body's schema, which may be nullable."""
    return str(schema["$ref"] if "$ref" in schema else schema["anyOf"][0]["$ref"])


def values(schema: dict[str, Any]) -> Iterator[tuple[Any, bool]]:
    """Yield values at and beyond each edge of a schema, with whether they fit."""
    filler = "x"
    if "format" in schema:
        return
    for key, beyond in (("minLength", -1), ("maxLength", 1)):
        if key in schema:
            yield filler * schema[key], True
            yield filler * (schema[key] + beyond), False
    for key, beyond in (("minimum", -1), ("maximum", 1)):
        if key in schema:
            yield schema[key], True
            yield schema[key] + beyond, False
    if "maxItems" in schema and "enum" not in schema["items"]:
        yield ["word"] * schema["maxItems"], True
        yield ["word"] * (schema["maxItems"] + 1), False


class Prober:
    """Request of one operation with one value in one place, otherwise as in the example."""

    def __init__(self, api: Api, event: Event, anna: Seat, activity: dict[str, Any]) -> None:
        self.api = api
        self.document = document_of(api.app)
        self.tokens = {"host": event.host, "admin": api.admin, "participant": anna.token, "screen": event.screen}
        self.path = {"session_id": event.id, "activity_id": activity["id"], "participant_id": anna.id, "type": "poll",
                     "timestamp": "0", "code": event.code, "link_id": activity["id"], "response_id": activity["id"]}  # fmt: skip
        self.code = event.code

    async def refuses(self, bound: Bound, value: Any) -> bool:
        operation = self.document["paths"][bound.path][bound.method]
        roles = operation["x-roles"]
        token = next((self.tokens[role] for role in ("participant", "host", "admin") if role in roles), None)
        body, query, headers = self._body(operation), self._query(bound), {}
        if bound.place == "body":
            body[bound.name] = value
        elif bound.place == "query":
            query[bound.name] = value
        else:
            headers[bound.name] = str(value)
        path = bound.path.format_map(self.path)
        sent = {"json": body} if body is not None else {}
        answer = await self.api.request(bound.method.upper(), path, token=token, params=query, headers=headers, **sent)
        if answer.status_code not in {400, 422}:
            return False
        pointers = [each["pointer"] for each in answer.json().get("errors", ())]
        place = f"/{bound.name}" if bound.place == "body" else f"/query/{bound.name}"
        return any(each.startswith(place) for each in pointers) or answer.json()["code"] in OF_CLEANING

    def _body(self, operation: dict[str, Any]) -> Any:
        if "requestBody" not in operation:
            return None
        ref = named(operation["requestBody"]["content"]["application/json"]["schema"]).rpartition("/")[2]
        example = json.loads(json.dumps(self.document["components"]["schemas"][ref]["examples"][0]))
        return example | ({"code": self.code} if "code" in example else {})

    def _query(self, bound: Bound) -> dict[str, Any]:
        return {"nickname": "Bo", "code": self.code} if bound.path.endswith("nicknames/validate") else {}


async def test_declared_bounds_are_enforced_at_their_edges(app: App) -> None:
    api = Api(app)
    event = await make_event(api)
    anna = await event.join("Anna")
    prober = Prober(api, event, anna, await event.activity())
    probed = 0
    wrong = []
    for bound in bounds(document_of(app)):
        for value, fits in values(bounded(bound.schema)):
            probed += 1
            if await prober.refuses(bound, value) == fits:
                wrong.append((bound.method, bound.path, bound.name, str(value)[:20], fits))
    await api.http.aclose()

    assert wrong == []
    assert probed > 100


@pytest.mark.parametrize(
    ("path", "name", "bounds"),
    [
        ("/api/v1/join", "nickname", {"minLength": 1, "maxLength": 32}),
        ("/api/v1/join", "Idempotency-Key", {"minLength": 16, "maxLength": 128}),
        ("/api/v1/sessions", "Idempotency-Key", {"minLength": 1, "maxLength": 128}),
        ("/api/v1/sessions", "title", {"minLength": 1, "maxLength": 200}),
    ],
)
async def test_bounds_that_people_meet_are_declared(app: App, path: str, name: str, bounds: dict[str, int]) -> None:
    found = next(
        each for each in globals()["bounds"](document_of(app)) if (each.path, each.method, each.name) == (path, "post", name)
    )

    assert bounds.items() <= found.schema.items()
