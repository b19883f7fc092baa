"""Read a request's body: bounded, of the right type, and through the JSON gate before anyone else sees it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from conflicto.platform.problems import DomainError, InvalidInput, Kind
from conflicto.platform.strict_json import BodyTooLarge, Limits, compact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from conflicto.platform.http.messages import Request

EMPTY_BODY_LIMITS = Limits(max_bytes=1024)
"""For routes without a body: enough for an empty object, which some clients always send."""


class MediaTypeUnsupported(DomainError):
    """Bodies are JSON in UTF-8, not compressed."""

    code = "media-type-unsupported"
    title = "The body must be sent as application/json"
    kind = Kind.UNSUPPORTED


class ClientDisconnected(Exception):
    """The client went away before its body was complete, or before its answer was; nobody is left to answer."""


@asynccontextmanager
async def cancel_on_disconnect(request: Request) -> AsyncIterator[None]:
    """Cancel what is awaited inside the block if the caller goes away meanwhile; for requests without a body.

    Raises:
        ClientGone: the caller did.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as wait:
            with request.on_disconnect(lambda: wait.reschedule(loop.time())):
                yield
    except TimeoutError:
        if wait.expired():
            raise ClientDisconnected from None
        raise


async def read_body(request: Request, receive: Callable[[], Awaitable[Any]]) -> bytes:
    """Return the compact JSON of the request, `b""` if it has no body.

    Raises:
        BodyTooLarge: it is longer than the route takes; never buffered beyond that.
        MediaTypeUnsupported: it is not declared as JSON.
        DomainError: the gate refused it.
        InvalidInput: the route takes no body and got one that says something.
    """
    limits = request.route.body or EMPTY_BODY_LIMITS
    body = await _read(request, receive, limits.max_bytes)
    if not body:
        return b""
    _require_json(request)
    gated = compact(body, limits)
    if request.route.body is None and gated != b"{}":
        detail = "This route takes no body."
        raise InvalidInput(detail)
    return gated


async def _read(request: Request, receive: Callable[[], Awaitable[Any]], longest: int) -> bytes:
    declared = request.header(b"content-length")
    if declared is not None and declared.isascii() and declared.isdecimal() and int(declared) > longest:
        raise BodyTooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > longest:
            raise BodyTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _require_json(request: Request) -> None:
    types = [value for name, value in request.headers if name == b"content-type"]
    if len(types) != 1 or request.header(b"content-encoding") not in {None, "identity"}:
        raise MediaTypeUnsupported
    main, _, parameter = types[0].decode("latin-1").lower().partition(";")
    if main.strip() != "application/json" or parameter.strip().replace('"', "") not in {"", "charset=utf-8"}:
        raise MediaTypeUnsupported
