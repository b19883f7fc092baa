"""Direct path: a connection hands plain requests to the pipeline itself, without ASGI.

A request is plain if it arrived whole, on a connection without an open request, for a known route
that sends no stream. Every other request takes the path through ASGI, before anything of it is
consumed. Both use one pipeline and one encoding of heads, so they send the same bytes.
`HttpConnection` is complete without this module: decision 0062 says what it earns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, cast

import structlog

from conflicto.platform.http.server.http_connection import ALL, HttpConnection
from conflicto.platform.http.server.message_heads import head_to_bytes
from conflicto.platform.problems import DomainError
from conflicto.platform.sizes import KIB

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from conflicto.platform.http.messages import Header
    from conflicto.platform.http.request_pipeline import RequestPipeline
    from conflicto.platform.http.routes import Route

log = structlog.get_logger(__name__)

METHODS = {method.encode(): method for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}
"""Methods of plain requests. A response to HEAD has no body."""

MAX_BODY_BYTES = 16 * KIB
"""Longest body of a plain request: the bound of a response's body. It is held until it is whole."""

CONTENT_LENGTH = b"content-length"
FORWARDED_FOR = b"x-forwarded-for"
ACCEPT = b"accept"
CONNECTION = b"connection"
ORIGIN = b"origin"
NOTED_HEADERS = frozenset({CONTENT_LENGTH, FORWARDED_FOR, ACCEPT, CONNECTION, ORIGIN, b"transfer-encoding", b"expect", b"upgrade"})
"""Headers that the transport reads. Each of the last three makes a request not plain."""

_TARGET = re.compile(rb"(/[\w./~-]*)(?:\?([\w=&.,~%+:-]*))?", re.ASCII)
"""A path without percent-encoding, and a query."""

DISCONNECTED = {"type": "http.disconnect"}


@dataclass(frozen=True, slots=True)
class DirectPath:
    """The pipeline that gets plain requests. `has_origins`: other origins may send some."""

    pipeline: RequestPipeline
    has_origins: bool = False


class DirectRequest:
    """A plain request, and its state for uvicorn, which knows it as its cycle; see `Incoming`."""

    __slots__ = (
        "_gone", "address", "body", "connection", "disconnected", "headers", "keep_alive", "length", "matched", "message_event",
        "method", "path", "query_string", "response_complete",
    )  # fmt: skip

    response_started = False
    more_body = False

    def __init__(self, connection: DirectConnection, method: str, path: str, query_string: bytes) -> None:
        self.connection = connection
        self.method = method
        self.path = path
        self.query_string = query_string
        self.headers: list[Header] = connection.headers
        self.address = ""
        self.body = b""
        self.length = 0
        self.matched: tuple[Route, Mapping[str, Any]] | None = None
        self.message_event = connection.cycle.message_event  # of a finished cycle: nobody waits for it
        self.response_complete = self.disconnected = False
        self.keep_alive = True
        self._gone: asyncio.Future[None] | None = None

    async def read_body(self, max_bytes: int) -> bytes:  # noqa: ARG002 - it arrived whole
        """Return the body."""
        return self.body

    async def receive(self) -> Any:  # noqa: ANN401 - an ASGI message
        """Wait until the client is gone."""
        if not self.disconnected:
            self._gone = self._gone or self.connection.loop.create_future()
            await self._gone
        return DISCONNECTED

    def end(self) -> None:
        """Note that the client is gone."""
        self.disconnected = True
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)


class DirectConnection(HttpConnection):
    """A client connection that hands plain requests to the pipeline itself."""

    _task: asyncio.Task[None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self._held: DirectRequest | None = None
        self._open: DirectRequest | None = None

    def data_received(self, data: bytes) -> None:
        """Parse bytes. A request that is not whole at their end goes to ASGI."""
        super().data_received(data)
        if self._held is not None:
            self._pass_to_asgi(self._held)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the open request that the client is gone."""
        super().connection_lost(exc)
        if self._open is not None:
            self._open.end()

    def _respond(self) -> None:
        """Hold a plain request until it is whole, and pass all others to ASGI."""
        self._held = self._plain_request()
        if self._held is None:
            super()._respond()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body of a plain request."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.body += body

    def on_message_complete(self) -> None:
        """Answer a plain request."""
        request = self._held
        if request is None:
            super().on_message_complete()
            return
        self._held = None
        self.deadline_s, self._received = inf, ALL
        self._open = request
        self.cycle = cast("RequestResponseCycle", request)
        self._task = self.loop.create_task(self._answer(request))
        self.tasks.add(self._task)

    def _plain_request(self) -> DirectRequest | None:
        """Return the request whose head was parsed if it may be plain."""
        direct = self.manager.direct
        if direct is None or self.pipeline or self.is_stalled or not self.cycle.response_complete:
            return None
        method, target = METHODS.get(self.parser.get_method()), _TARGET.fullmatch(self.url)
        if method is None or target is None or self.parser.get_http_version() != "1.1":
            return None
        request = DirectRequest(self, method, target[1].decode("ascii"), target[2] or b"")
        if not self._read_headers(request, has_origins=direct.has_origins):
            return None
        try:
            route, _ = request.matched = direct.pipeline.routes.match(method, request.path)
        except DomainError:
            return None
        return None if route.streams else request

    def _read_headers(self, request: DirectRequest, *, has_origins: bool) -> bool:
        """Read what the transport needs of the headers. Return whether they are plain."""
        request.address = client = self.client[0] if self.client else ""
        forwarded: list[bytes] = []
        for name, value in self.headers:
            if name in NOTED_HEADERS:
                if name == CONTENT_LENGTH:
                    request.length = int(value)  # the parser refused all but digits
                elif name == FORWARDED_FOR:
                    forwarded.append(value)
                elif not _is_plain(name, value, has_origins=has_origins):
                    return False
        if forwarded and client in self.manager.eviction.proxies:
            address, _ = self.manager.eviction.proxies.get_trusted_client_address(b", ".join(forwarded).decode("latin-1"))
            request.address = address or client
        return request.length <= MAX_BODY_BYTES

    def _pass_to_asgi(self, request: DirectRequest) -> None:
        """Pass a request to ASGI whose body is not whole, unless it was refused meanwhile."""
        self._held = None
        if not self.transport.is_closing():
            super()._respond()
            super().on_body(request.body)

    async def _answer(self, request: DirectRequest) -> None:
        direct = cast("DirectPath", self.manager.direct)
        try:
            response = await direct.pipeline.answer(request)
            if response is None or request.disconnected:
                self._finish(request)
            else:
                self._finish(request, head_to_bytes(response.status, response.headers, self.manager.date_line) + response.body)
        except Exception:
            log.exception("connection-failed")
            self.refuse(self.manager.refusals.failed)
            self._finish(request)

    def _finish(self, request: DirectRequest, message: bytes = b"") -> None:
        """Write a response, and continue with the next request."""
        request.response_complete = True
        self._open = None
        self.tasks.discard(self._task)  # a callback of the task would cost a turn of the loop
        if message:
            if not request.keep_alive:
                message = message.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
            self.transport.write(message)
        if not request.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _is_plain(name: bytes, value: bytes, *, has_origins: bool) -> bool:
    """Return whether a request with a noted header may be plain."""
    if name == ACCEPT:
        return b"event-stream" not in value.lower()
    if name == CONNECTION:
        return value == b"keep-alive"
    return name == ORIGIN and not has_origins
