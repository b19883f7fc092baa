"""ASGI application of the request pipeline, for requests that the connection does not hand over."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from conflicto.platform.http.request_body import read_asgi_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conflicto.platform.http.messages import ClientConnection, Follow, Header
    from conflicto.platform.http.request_pipeline import RequestPipeline
    from conflicto.platform.http.routes import Route

    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]

CONNECTION_EXTENSION = "conflicto.connection"
"""Name of our server's ASGI extension (`platform/http/server`)."""

CONNECTION = "connection"
"""Key of the connection in that extension."""


class AsgiRequest:
    """A request by its ASGI scope; see `Incoming`."""

    __slots__ = ("address", "connection", "headers", "method", "path", "query_string", "receive")

    body: bytes | None = None
    matched: tuple[Route, Mapping[str, Any]] | None = None

    def __init__(self, scope: dict[str, Any], receive: Receive) -> None:
        client = scope.get("client")
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query_string: bytes = scope["query_string"]
        self.headers: list[Header] = scope["headers"]
        self.address: str = client[0] if client else ""
        self.connection: ClientConnection | None = scope.get("extensions", {}).get(CONNECTION_EXTENSION, {}).get(CONNECTION)
        self.receive = receive

    async def read_body(self, max_bytes: int) -> bytes:
        """Read the body from the client."""
        return await read_asgi_body(self.receive, max_bytes)


class AsgiApplication:
    """The pipeline as an ASGI application for HTTP requests."""

    def __init__(self, pipeline: RequestPipeline) -> None:
        self._pipeline = pipeline

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        incoming = AsgiRequest(scope, receive)
        response = await self._pipeline.answer(incoming)
        if response is None:
            return
        is_head = scope["method"] == "HEAD"
        await send({"type": "http.response.start", "status": response.status, "headers": list(response.headers)})
        if response.stream is not None and not is_head:
            if _is_handed_over(incoming.connection, response.follow):
                return
            await response.stream(partial(_send_part, send))
        await send({"type": "http.response.body", "body": b"" if is_head else response.body})


def _is_handed_over(connection: ClientConnection | None, follow: Follow | None) -> bool:
    """Return whether the connection continues the stream itself, on our server's fast path."""
    if connection is None or follow is None or connection.hand_over is None:
        return False
    return bool(connection.hand_over(follow))


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})
