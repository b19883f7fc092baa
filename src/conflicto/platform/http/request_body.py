"""Request bodies: read with a size bound, checked for their media type and as strict JSON."""

from __future__ import annotations

import asyncio
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from conflicto.platform.http.messages import DisconnectWatch
from conflicto.platform.problems import DomainError, InvalidInput, Kind
from conflicto.platform.strict_json import BodyTooLarge, JsonLimits, compact

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conflicto.platform.http.messages import Request

T = TypeVar("T")

_name = itemgetter(0)

IDENTITY = b"identity"

EMPTY_BODY_LIMITS = JsonLimits(max_bytes=1024)
"""Limits of routes without a body: they accept an empty object, which some clients always send."""


class MediaTypeUnsupported(DomainError):
    """Bodies are JSON in UTF-8, not compressed."""

    code = "media-type-unsupported"
    title = "The body must be sent as application/json"
    kind = Kind.UNSUPPORTED


class ClientDisconnected(Exception):
    """Raised if the client disconnects before its request or its response is complete."""


async def until_disconnect(request: Request, work: Awaitable[T]) -> T:
    """Return the result of some work, which ends if the client disconnects.

    For requests without a body. The connection is watched only if the work has to wait.

    Raises:
        ClientDisconnected: the client disconnected.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as timeout:
            watch = DisconnectWatch(request.receive, lambda: timeout.reschedule(loop.time()))
            waiting = loop.call_soon(watch.start)
            try:
                return await work
            finally:
                waiting.cancel()
                watch.cancel()
    except TimeoutError:
        if timeout.expired():
            raise ClientDisconnected from None
        raise


def require_size(request: Request) -> int:
    """Return the bytes that the route's body may have.

    Raises:
        BodyTooLarge: the request declares more.
    """
    max_bytes = (request.route.body or EMPTY_BODY_LIMITS).max_bytes
    declared = request.first_values.get(b"content-length")
    if declared is not None and declared.isdigit() and int(declared) > max_bytes:
        raise BodyTooLarge
    return max_bytes


def check_body(request: Request, body: bytes) -> bytes:
    """Return a body as compact JSON, `b""` if there is none.

    Raises:
        MediaTypeUnsupported: its media type is not JSON.
        DomainError: it is not strict JSON.
        InvalidInput: the route accepts no body, and it is not an empty object.
    """
    if not body:
        return b""
    _require_json(request)
    checked = compact(body, request.route.body or EMPTY_BODY_LIMITS)
    if request.route.body is None and checked != b"{}":
        detail = "This route takes no body."
        raise InvalidInput(detail)
    return checked


async def read_asgi_body(receive: Callable[[], Awaitable[Any]], max_bytes: int) -> bytes:
    """Read the body of an ASGI request. No more than `max_bytes` are buffered.

    Raises:
        BodyTooLarge: it is longer.
        ClientDisconnected: the client disconnected before its end.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise BodyTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _require_json(request: Request) -> None:
    values = request.first_values
    content_type = request.header(b"content-type")
    is_repeated = len(values) < len(request.headers) and list(map(_name, request.headers)).count(b"content-type") > 1
    if content_type is None or is_repeated or values.get(b"content-encoding", IDENTITY) != IDENTITY:
        raise MediaTypeUnsupported
    if content_type == "application/json":
        return
    main, _, parameter = content_type.lower().partition(";")
    if main.strip() != "application/json" or parameter.strip().replace('"', "") not in {"", "charset=utf-8"}:
        raise MediaTypeUnsupported
