"""Tests of the arguments that handlers declare in their signatures."""

import asyncio
from functools import partial
from typing import Any

import pytest
from pydantic import Field

from conflicto.platform.http.binding import decode_body, inputs_of
from conflicto.platform.http.formats import JsonText, OptionalJsonText
from conflicto.platform.http.messages import Request, Response
from conflicto.platform.http.paging import PageQuery, StrictModel
from conflicto.platform.http.request_body import ClientDisconnected
from conflicto.platform.http.routes import Docs, Route
from conflicto.platform.http.routes import route as declare
from conflicto.platform.limits.bucket import Policy
from conflicto.platform.problems import InvalidInput
from tests.support.patience import PATIENCE_S


class Wish(StrictModel):
    """A body."""

    name: str = Field(max_length=5)
    count: int = 1


class Endpoints:
    """Endpoints that answer with their arguments."""

    async def plain(self, request: Request) -> Response:
        return Response(200, repr(request.params).encode())

    async def change(self, request: Request, session_id: int, body: Wish, query: PageQuery) -> Response:
        return Response(200, repr((session_id, body, query.limit)).encode())

    async def lock(self, request: Request, session_id: int, body: Wish | None = None) -> Response:
        return Response(200, repr(body).encode())

    async def page(self, name: str, request: Request) -> Response:
        return Response(200, name.encode())


def route(endpoint: Any, **more: Any) -> Route:
    return declare("POST", "/sessions/{session_id:int}", endpoint, roles=frozenset(), policy=Policy("p", 1, 1),
                   docs=Docs(summary=""), **more)  # fmt: skip


def answer(declared: Route, body: bytes = b"", query: bytes = b"") -> bytes:
    request = Request(route=declared, params={"session_id": 5}, headers=[], query_string=query, address="", request_id="1")
    request.body = body
    response = asyncio.run(_awaited(declared.handler(request)))
    return response.body


async def _awaited(pending: Any) -> Response:
    answered: Response = await pending
    return answered


def faults(declared: Route, body: bytes = b"", query: bytes = b"") -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        answer(declared, body, query)
    return [(error.pointer, error.message) for error in refused.value.errors]


def test_a_handler_gets_what_its_signature_declares() -> None:
    declared = route(Endpoints().change)

    assert answer(declared, b'{"name":"Anna"}', b"limit=7&limit=8") == b"(5, Wish(name='Anna', count=1), 7)"


def test_a_handler_of_the_request_alone_is_called_directly() -> None:
    endpoint = Endpoints().plain

    assert route(endpoint).handler == endpoint
    assert answer(route(partial(Endpoints().page, "host"))) == b"host"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", [("", "Field required")]),
        (b"null", [("", "Input should be a valid dictionary or object to extract fields from")]),
        (b"[1]", [("", "Input should be a valid dictionary or object to extract fields from")]),
        (b"{}", [("/name", "Field required")]),
        (b'{"name":"Annamaria","count":"x"}', [
            ("/name", "String should have at most 5 characters"),
            ("/count", "Input should be a valid integer, unable to parse string as an integer"),
        ]),
        (b'{"name":"Anna","sesame":1}', [("", "holds a field that is not known here; known are `name`, `count`")]),
    ],
)  # fmt: skip
def test_an_invalid_body_is_refused_with_pointers(body: bytes, expected: list[tuple[str, str]]) -> None:
    assert faults(route(Endpoints().change), body) == expected


def test_query_and_body_are_refused_together() -> None:
    found = faults(route(Endpoints().change), b"{}", b"limit=0")

    assert [pointer for pointer, _ in found] == ["/query/limit", "/name"]


@pytest.mark.parametrize(("body", "expected"), [(b"", b"None"), (b"null", b"None"), (b'{"name":"A"}', b"Wish(name='A', count=1)")])
def test_an_optional_body_may_be_missing_or_null(body: bytes, expected: bytes) -> None:
    assert answer(route(Endpoints().lock), body) == expected
    assert faults(route(Endpoints().lock), b"[]") == [("", "Input should be a valid dictionary or object to extract fields from")]


def test_signatures_are_read_once_for_all_applications() -> None:
    assert inputs_of(Endpoints().change) is inputs_of(Endpoints().change)
    assert inputs_of(Endpoints().lock).body_is_optional


def test_a_route_that_cancels_ends_with_its_client() -> None:
    async def scene() -> None:
        begun = asyncio.Event()

        async def endless(request: Request) -> Response:
            begun.set()
            await asyncio.sleep(60)
            return Response(200)

        async def receive() -> dict[str, str]:
            await begun.wait()
            return {"type": "http.disconnect"}

        declared = route(endless, cancels=True)
        request = Request(route=declared, params={}, headers=[], query_string=b"", address="", request_id="1")
        request.receive = receive
        with pytest.raises(ClientDisconnected):
            await asyncio.wait_for(_awaited(declared.handler(request)), PATIENCE_S)

    asyncio.run(scene())


class Note(StrictModel):
    """A body with members that stay JSON text."""

    data: JsonText
    extra: OptionalJsonText = None
    size: int = 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"data":{"b":1.0,"a":"\\u00e9"},"size":3}', ('{"b":1.0,"a":"\\u00e9"}', None, 3)),
        (b'{"data":null,"extra":null}', ("null", "null", 0)),
        (b'{"extra":"x","data":12345678901234567890123}', ("12345678901234567890123", '"x"', 0)),
    ],
)
def test_json_text_stays_as_it_was_sent(body: bytes, expected: tuple[str, str | None, int]) -> None:
    note = decode_body(Note, body)

    assert (note.data, note.extra, note.size) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", [("", "Input should be a valid dictionary or object to extract fields from")]),
        (b'"data"', [("", "Input should be a valid dictionary or object to extract fields from")]),
        (b'{"size":1}', [("/data", "Field required")]),
        (b'{"data":1,"size":"x","sesame":{}}', [
            ("/size", "Input should be a valid integer, unable to parse string as an integer"),
            ("", "holds a field that is not known here; known are `data`, `extra`, `size`"),
        ]),
    ],
)  # fmt: skip
def test_an_invalid_body_with_json_text_is_refused_with_pointers(body: bytes, expected: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode_body(Note, body)

    assert [(error.pointer, error.message) for error in refused.value.errors] == expected


def test_the_document_shows_json_text_as_any_json() -> None:
    properties = Note.model_json_schema()["properties"]

    assert {name: schema.get("type") for name, schema in properties.items()} == {"data": None, "extra": None, "size": "integer"}
