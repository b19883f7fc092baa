"""An app of this process behind a real socket, raw bytes, and a reader of event streams."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from conflicto.app import App
from conflicto.platform.http.server.fast_path import Connection
from tests.support.checks import PATIENCE_S, eventually


@asynccontextmanager
async def listening(app: App) -> AsyncIterator[int]:
    """Serve the app on a free port of loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=Connection, lifespan="off", ws="none", log_config=None, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve([listener]))
    try:
        await eventually(lambda: asyncio.sleep(0, server.started))
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running


@dataclass
class Line:
    """A connection with raw bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the next response."""
        async with asyncio.timeout(PATIENCE_S):
            raw = await self.reader.readuntil(b"\r\n\r\n")
            status, headers = parsed_head(raw)
            length = 0 if head or status in {204, 304} else int(headers.get("content-length", "0"))
            return status, headers, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Return the bytes until the server closes the connection."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


def parsed_head(raw: bytes) -> tuple[int, dict[str, str]]:
    lines = raw.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if line)
    return int(lines[0].split()[1]), headers


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Line]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    line = Line(reader, writer)
    try:
        yield line
    finally:
        line.close()


def get(path: str, token: str | None, *lines: str, method: str = "GET") -> bytes:
    """Return a request as bytes."""
    headers = [f"{method} /api/v1{path} HTTP/1.1", "host: test", *([f"authorization: Bearer {token}"] if token else []), *lines]
    return ("\r\n".join(headers) + "\r\n\r\n").encode()


@dataclass
class ReceivedStream:
    """The state of a stream so far.

    `last` is the newest id; `events` are all events except keep-alives.
    """

    events: list[dict[str, str]] = field(default_factory=list)
    last: str | None = None
    comments: int = 0
    retries: list[int] = field(default_factory=list)

    def take(self, block: str) -> None:
        event: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            if line.startswith(":"):
                self.comments += 1
            elif name == "retry":
                self.retries.append(int(value))
            else:
                assert name in {"id", "event", "data"}, line
                event[name] = value
        if "id" in event:
            self.last = event["id"]
        if "data" in event and event["event"] != "bookmark":
            self.events.append(event)


class EventReader:
    """A stream reader like a browser: an event counts once a blank line ends it."""

    def __init__(self, line: Line, received: ReceivedStream | None = None) -> None:
        self.line = line
        self.received = received or ReceivedStream()
        self.raw = b""
        self.status = 0
        self.headers: dict[str, str] = {}

    async def open(self, path: str, token: str | None, *lines: str) -> "EventReader":
        await self.line.send(get(path, token, "accept: text/event-stream", *lines))
        async with asyncio.timeout(PATIENCE_S):
            self.status, self.headers = parsed_head(await self.line.reader.readuntil(b"\r\n\r\n"))
        assert self.status in {200, 204}, await self.line.reader.read(2000)
        return self

    async def part(self) -> bool:
        """Read one chunk; returns false at the end of the stream."""
        async with asyncio.timeout(PATIENCE_S):
            size = int((await self.line.reader.readuntil(b"\r\n")).strip(), 16)
            data = await self.line.reader.readexactly(size)
            await self.line.reader.readexactly(2)
        self.take(data)
        return size > 0

    def take(self, data: bytes) -> None:
        self.raw += data
        *whole, self.raw = self.raw.split(b"\n\n")
        for block in whole:
            self.received.take(block.decode())

    async def until(self, events: int) -> list[dict[str, str]]:
        """Read until the stream has `events` events, and return them."""
        while len(self.received.events) < events:
            assert await self.part(), self.received
        return self.received.events

    async def to_end(self) -> ReceivedStream:
        while await self.part():
            pass
        return self.received


@asynccontextmanager
async def streamed(
    port: int, path: str, token: str | None, *lines: str, received: ReceivedStream | None = None
) -> AsyncIterator[EventReader]:
    async with connected(port) as line:
        yield await EventReader(line, received).open(path, token, *lines)


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["id"] for event in events]
