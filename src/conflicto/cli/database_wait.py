"""A start that finds no database waits for it, and says so: in the log, and to whoever asks for liveness."""

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

REST_S = (0.5, 1.5)
"""Pause between two tries, at random, so that machines that start together do not come at once."""

COMPLAINT_S = 60.0
MAX_HEAD = 8_192
MAX_READ_S = 5.0

log = structlog.get_logger(__name__)


class NotThere(Exception):
    """The database cannot be reached now; another try may find it."""


def patiently(attempt: Callable[[], T]) -> T:
    """Return what an attempt returns, trying again while it raises `NotThere`; the cause is logged at once and then once a minute."""
    told_s = -COMPLAINT_S
    while True:
        try:
            return attempt()
        except NotThere as error:
            if time.monotonic() - told_s >= COMPLAINT_S:
                told_s = time.monotonic()
                log.warning("waiting-for-database", said=str(error), again_s=COMPLAINT_S)
        shortest, longest = REST_S
        time.sleep(shortest + random_up_to(longest - shortest))


@contextmanager
def answering(host: str, port: int) -> Iterator[None]:
    """Answer liveness on the server's own port meanwhile, and everything else with 503; the port is free again afterwards."""
    loop, is_open = asyncio.new_event_loop(), threading.Event()
    stopping = asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(_answer, host, port)
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


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(MAX_READ_S):
            head = await reader.readuntil(b"\r\n\r\n")
        writer.write(_reply(head[:MAX_HEAD]))
        await writer.drain()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


def _reply(head: bytes) -> bytes:
    is_live = head.startswith((b"GET /health/live ", b"HEAD /health/live "))
    body: dict[str, object]
    if is_live:
        status, kind, body = "200 OK", "application/json", {"status": "live", "waiting_for": "database"}
    else:
        status, kind = "503 Service Unavailable", "application/problem+json"
        body = {
            "type": "/problems/unavailable", "title": "The service cannot answer right now", "status": 503, "code": "unavailable",
            "detail": "The server starts and waits for its database.", "instance": "/", "request_id": "-",
        }  # fmt: skip
    sent = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", f"content-length: {len(sent)}", "retry-after: 2", "connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if head.startswith(b"HEAD ") else sent)
