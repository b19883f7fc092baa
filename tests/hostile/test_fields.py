"""Every field of every body with every kind of value (reliability J-17).

The server refuses a value at its place, or the schema allows it.
"""

from typing import Any

import pytest

from conflicto.platform.http.routes import Route
from tests.support.api import Api, document_of, make_event
from tests.support.checks import accepted
from tests.support.walking import filled, fitting_body, walked

KINDS: dict[str, Any] = {
    "null": None, "boolean": True, "integer": 7, "number": 1.5, "string": "\x7f strange \u202e", "array": [[]], "object": {"a": 1},
    "long": "x" * 8_000, "negative": -1, "huge": 2**53 - 1,
}  # fmt: skip


def fields(route: Route, document: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of a route's body by name, from the OpenAPI document."""
    schema = document["paths"][route.path][route.method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    named = [part["$ref"].rpartition("/")[2] for part in (schema, *schema.get("anyOf", ())) if "$ref" in part]
    return (document["components"]["schemas"][named[0]] if named else schema)["properties"]


def types(schema: dict[str, Any]) -> set[str]:
    return {schema.get("type", "")} | {kind for part in schema.get("anyOf", ()) for kind in types(part)}


@pytest.mark.catalogue("J-17")
async def test_a_field_of_another_kind_is_refused_where_it_stands(api: Api) -> None:
    document, requests, wrong = document_of(api.app), 0, []
    for route in [each for each in walked(api.app.edge.routes) if each.body is not None]:
        event = await make_event(api)
        seat = await event.join()
        poll = await event.activity(status="active")
        sent = accepted(await event.answer(poll, seat, 1), 201)
        ids = {
            "session_id": event.id,
            "activity_id": poll["id"],
            "participant_id": seat.id,
            "response_id": sent["id"],
            "link_id": sent["id"],
            "type": "poll",
        }
        token = {"admin": api.admin, "host": event.host, "participant": seat.token}[min(route.roles)] if route.roles else None
        for name, schema in fields(route, document).items():
            allowed = types(schema)
            for kind, value in KINDS.items():
                answer = await api.request(
                    route.method, filled(route, **ids), token=token, json=fitting_body(route) | {name: value}
                )
                requests += 1
                is_forbidden = kind in {"null", "boolean", "array", "object"} and kind not in allowed and allowed != {""}
                if answer.status_code >= 500 or (is_forbidden and not points_at(answer, name)):
                    wrong.append((route.name, name, kind, answer.status_code, answer.text[:200]))

    assert wrong == []
    assert requests > 300


def points_at(answer: Any, name: str) -> bool:
    return answer.status_code == 422 and any(error["pointer"].startswith(f"/{name}") for error in answer.json().get("errors", ()))
