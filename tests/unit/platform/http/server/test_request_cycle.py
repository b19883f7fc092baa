import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl

from conflicto.platform.http.server.request_cycle import RequestCycle

DATE = b"date: Sun, 29 Nov 2026 12:00:00 GMT\r\n"


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.is_closed = True


def made(*, version: str = "1.1") -> tuple[RequestCycle, Transport]:
    transport: Any = Transport()
    log = logging.getLogger(__name__)
    cycle = RequestCycle(
        scope={"method": "GET", "http_version": version}, transport=transport, flow=FlowControl(transport), logger=log,
        access_logger=log, access_log=False, default_headers=[], message_event=asyncio.Event(), expect_100_continue=False,
        keep_alive=version == "1.1", on_response=lambda: None,
    )  # fmt: skip
    cycle.manager = SimpleNamespace(date_line=DATE)
    return cycle, transport


def start(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": 200, "headers": list(headers)}


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def test_a_response_with_a_known_length_is_written_in_one_piece() -> None:
    cycle, transport = made()
    await cycle.send(start((b"content-length", b"2")))
    assert transport.written == b""
    await cycle.send(part(b"ok"))
    assert transport.written == b"HTTP/1.1 200 OK\r\n" + DATE + b"content-length: 2\r\n\r\nok"
    assert cycle.response_complete
    assert not transport.is_closed


async def test_a_stream_is_written_in_chunks() -> None:
    cycle, transport = made()
    for message in (start(), part(b"a", more=True), part(b"", more=True), part(b"b")):
        await cycle.send(message)
    assert transport.written.endswith(b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n")


async def test_a_stream_over_http_1_0_ends_with_the_connection() -> None:
    cycle, transport = made(version="1.0")
    for message in (start(), part(b"a", more=True), part(b"b")):
        await cycle.send(message)
    assert transport.written == b"HTTP/1.1 200 OK\r\n" + DATE + b"connection: close\r\n\r\nab"
    assert transport.is_closed


async def test_a_failure_before_the_body_becomes_a_500() -> None:
    cycle, transport = made()

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send(start((b"content-length", b"2")))
        raise ValueError("no body")

    await cycle.run_asgi(failing)
    assert transport.written.startswith(b"HTTP/1.1 500 ")
    assert transport.written.endswith(b"Internal Server Error")


async def test_a_second_body_is_refused() -> None:
    cycle, transport = made()
    await cycle.send(start((b"content-length", b"2")))
    await cycle.send(part(b"ok"))
    written = transport.written
    with pytest.raises(RuntimeError):
        await cycle.send(part(b"ok"))
    assert transport.written == written
