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


async def read_body(request: Request, receive: Callable[[], Awaitable[Any]]) -> bytes:
    """Return the request's body as compact JSON, `b""` if it has none.

    Raises:
        BodyTooLarge: it is longer than the route accepts. No more than that is buffered.
        MediaTypeUnsupported: its media type is not JSON.
        DomainError: it is not strict JSON.
        InvalidInput: the route accepts no body, and it is not an empty object.
    """
    limits = request.route.body or EMPTY_BODY_LIMITS
    body = await _read(request, receive, limits.max_bytes)
    if not body:
        return b""
    _require_json(request)
    checked = compact(body, limits)
    if request.route.body is None and checked != b"{}":
        detail = "This route takes no body."
        raise InvalidInput(detail)
    return checked


async def _read(request: Request, receive: Callable[[], Awaitable[Any]], max_bytes: int) -> bytes:
    declared = request.header(b"content-length")
    if declared is not None and declared.isascii() and declared.isdecimal() and int(declared) > max_bytes:
        raise BodyTooLarge
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
    content_type = request.header(b"content-type")
    is_repeated = list(map(_name, request.headers)).count(b"content-type") > 1
    if content_type is None or is_repeated or request.header(b"content-encoding") not in {None, "identity"}:
        raise MediaTypeUnsupported
    main, _, parameter = content_type.lower().partition(";")
    if main.strip() != "application/json" or parameter.strip().replace('"', "") not in {"", "charset=utf-8"}:
        raise MediaTypeUnsupported
