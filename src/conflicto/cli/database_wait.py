"""Waits for the database at the start, and reports the wait in the log and to liveness probes."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from conflicto.platform.ids import random_up_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    T = TypeVar("T")

RETRY_S = (0.5, 1.5)
"""Bounds of the random pause between two attempts, so that machines do not retry all at once."""

LOG_INTERVAL_S = 60.0
MAX_HEAD_BYTES = 8_192
MAX_READ_S = 5.0

log = structlog.get_logger(__name__)


class DatabaseUnreachable(Exception):
    """The database cannot be reached now; a later attempt may succeed."""


def retry_until_reachable(attempt: Callable[[], T]) -> T:
    """Return an attempt's result; retry while it raises `DatabaseUnreachable`.

    The cause is logged at once, and then once a minute.
    """
    logged_s = -LOG_INTERVAL_S
    while True:
        try:
            return attempt()
        except DatabaseUnreachable as error:
            if time.monotonic() - logged_s >= LOG_INTERVAL_S:
                logged_s = time.monotonic()
                log.warning("waiting-for-database", message=str(error), again_s=LOG_INTERVAL_S)
        shortest, longest = RETRY_S
        time.sleep(shortest + random_up_to(longest - shortest))


@contextmanager
def liveness_server(host: str, port: int) -> Iterator[None]:
    """Answer liveness probes on the server's own port, and 503 to everything else.

    The port is free again afterwards.
    """
    loop, is_open = asyncio.new_event_loop(), threading.Event()
    stopping = asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(_respond, host, port)
        is_open.set()
        async with server:
            await stopping.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    is_open.wait(MAX_READ_S)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


async def _respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(MAX_READ_S):
            request = await reader.readuntil(b"\r\n\r\n")
        writer.write(_response_to(request[:MAX_HEAD_BYTES]))
        await writer.drain()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


def _response_to(request: bytes) -> bytes:
    is_live = request.startswith((b"GET /health/live ", b"HEAD /health/live "))
    body: dict[str, object]
    if is_live:
        status, kind, body = "200 OK", "application/json", {"status": "live", "waiting_for": "database"}
    else:
        status, kind = "503 Service Unavailable", "application/problem+json"
        body = {
            "type": "/problems/unavailable", "title": "The service cannot answer right now", "status": 503, "code": "unavailable",
            "detail": "The server starts and waits for its database.", "instance": "/", "request_id": "-",
        }  # fmt: skip
    content = json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status}",
        f"content-type: {kind}",
        f"content-length: {len(content)}",
        "retry-after: 2",
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if request.startswith(b"HEAD ") else content)
