"""Clients of HTTP/1.0 on every URL (RFC 9112 §6.1, §9.3).

There are no chunks. A response ends with its length or with the connection.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from conflicto.app import App
from tests.support.api import Api, Event, make_event
from tests.support.checks import PATIENCE_S
from tests.support.processes import PLAIN
from tests.support.wire import connected, listening, parsed_head

pytestmark = pytest.mark.in_process


@pytest.fixture
async def port(app: App) -> AsyncIterator[int]:
    async with listening(app) as port:
        yield port


async def _targets(app: App, event: Event) -> list[str]:
    """Return the URLs of all GET routes, with exports of every format.

    Their parameters name objects of the event.
    """
    poll = await event.activity(status="active")
    seat = await event.join()
    await event.answer(poll, seat, 1)
    build = app.edge.pages._assets.build
    values = {
        "session_id": event.path.rpartition("/")[2], "activity_id": poll["id"], "participant_id": str(seat.id), "timestamp": "0",
        "type": "poll", "name": "poll", "code": "BCDFGHJK", "build": build, "name:path": "sdk/v1.js",
    }  # fmt: skip
    routes = [
        route for route in (*app.edge.routes, *app.edge.page_routes) if route.method == "GET" and not route.path.endswith("/events")
    ]
    paths = [re.sub(r"\{([^}]+)\}", lambda match: values.get(match[1], "1"), route.path) for route in routes]
    return [*paths, *(f"/api/v1{event.path}/export?format={each}" for each in ("csv", "jsonl", "xlsx"))]


def _request(target: str, token: str, *lines: str, version: str = "1.0", method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/{version}", f"authorization: Bearer {token}", *lines, "", ""]).encode()


async def _whole(port: int, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    async with connected(port) as line:
        await line.send(sent)
        head, _, body = (await line.rest()).partition(b"\r\n\r\n")
    return (*parsed_head(head), body)


async def test_no_address_sends_chunks_and_every_answer_closes(app: App, api: Api, port: int) -> None:
    event = await make_event(api)
    streamed = []
    for target in await _targets(app, event):
        for _ in range(3):  # the slow path and cached responses
            status, headers, body = await _whole(port, _request(target, event.host, "connection: keep-alive"))
            assert "transfer-encoding" not in headers, target
            assert headers["connection"] == "close", target
            if status not in {204, 304} and "content-length" in headers:
                assert len(body) == int(headers["content-length"]), target
            elif status not in {204, 304}:
                streamed.append(target)
        empty = await _whole(port, _request(target, event.host, method="HEAD"))
        assert empty[2] == b"", target
    assert len({target.partition("?")[2] for target in streamed}) >= 3, "exports have no length"


async def test_an_export_is_the_same_bytes_with_chunks_and_without(app: App, api: Api, port: int) -> None:
    event = await make_event(api)
    for target in (await _targets(app, event))[-3:-1]:
        status, _, body = await _whole(port, _request(target, event.host))
        headers = {"authorization": f"Bearer {event.host}"}
        chunked = await asyncio.to_thread(httpx2.get, f"http://127.0.0.1:{port}{target}", headers=headers, **PLAIN)
        assert (status, body) == (200, chunked.content)
        assert chunked.headers["transfer-encoding"] == "chunked"


async def test_a_stream_is_written_as_it_is(api: Api, port: int) -> None:
    event = await make_event(api)
    async with connected(port) as line, asyncio.timeout(PATIENCE_S):
        await line.send(_request(f"/api/v1{event.path}/events", event.host))
        _, headers = parsed_head(await line.reader.readuntil(b"\r\n\r\n"))
        first = await line.reader.readuntil(b"\n")
        await event.activity(status="active")
        while b"data: " not in first:
            first = await line.reader.readuntil(b"\n")
    assert "transfer-encoding" not in headers
    assert (headers["connection"], headers["content-type"]) == ("close", "text/event-stream; charset=utf-8")


async def test_nobody_receives_100_continue_without_support(api: Api, port: int) -> None:
    event = await make_event(api)
    body = b'{"title":"Town hall"}'
    lines = ("expect: 100-continue", "content-type: application/json", f"content-length: {len(body)}")
    head = _request(f"/api/v1{event.path}", event.host, *lines, method="PATCH")
    assert (await _whole(port, head + body))[0] == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_request_for_the_end_returns_it(api: Api, port: int, version: str) -> None:
    event = await make_event(api)
    for target in (f"/api/v1{event.path}/status", "/", "/nothing"):
        for _ in range(3):
            _, headers, _ = await _whole(port, _request(target, event.host, "host: t", "connection: close", version=version))
            assert headers["connection"] == "close"
