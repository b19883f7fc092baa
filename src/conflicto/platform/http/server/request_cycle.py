"""Request cycle: a request that ASGI handles, and how its response is written.

Three kinds of responses have a writer each:

- `OneMessage`: a response with a known length is held until its body arrives.
- `UntilClose`: HTTP/1.0 has no chunks (RFC 9112 §6.1), so a stream ends with the connection.
- `Chunked`: other streams. uvicorn writes all but their chunks, which thousands of readers get at
  once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from conflicto.platform.http.server.message_heads import head_to_bytes

if TYPE_CHECKING:
    from conflicto.platform.http.server.connection_manager import ConnectionManager

    Message = Any  # ASGI

BODILESS = frozenset({204, 304})


class BodyWriter(Protocol):
    """Writer of a response whose start was received."""

    async def write(self, cycle: RequestCycle, message: Message) -> None:
        """Write the message of a body, or of a part of it."""


class OneMessage:
    """Writes the held head and the body in one piece."""

    __slots__ = ("_head",)

    def __init__(self, head: bytes) -> None:
        self._head = head

    async def write(self, cycle: RequestCycle, message: Message) -> None:
        """Write the response."""
        cycle.finish(self._head + message["body"])


class UntilClose:
    """Writes parts as they are. The connection ends after the last one."""

    async def write(self, cycle: RequestCycle, message: Message) -> None:
        """Write a part."""
        if message.get("more_body", False):
            cycle.transport.write(message["body"])
        else:
            cycle.finish(message["body"])


class Chunked:
    """Writes chunks."""

    async def write(self, cycle: RequestCycle, message: Message) -> None:
        """Write a chunk, or let uvicorn write the last one."""
        if cycle.chunked_encoding and message.get("more_body"):
            part = message["body"]
            if part:
                cycle.transport.write(b"%x\r\n%b\r\n" % (len(part), part))
        else:
            await RequestResponseCycle.send(cycle, message)


UNTIL_CLOSE = UntilClose()
CHUNKED = Chunked()


class RequestCycle(RequestResponseCycle):
    """A request that ASGI handles; see the module.

    `manager` is set right after the object is created.
    """

    manager: ConnectionManager
    _writer: BodyWriter | None = None

    async def send(self, message: Message) -> None:
        """Send an ASGI message of the application, once the client reads."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start" and not self.response_started:
            self._writer = await self._start(message)
        elif self._writer is not None and not self.response_complete:
            await self._writer.write(self, message)
        else:
            await super().send(message)

    async def _start(self, message: Message) -> BodyWriter:
        """Begin a response, and return the writer of its body."""
        if message["status"] in BODILESS or b"content-length" in dict(message["headers"]):
            return OneMessage(head_to_bytes(message["status"], message["headers"], self.manager.date_line))
        if self.scope["http_version"] == "1.0":
            head = head_to_bytes(message["status"], message["headers"], self.manager.date_line)
            self.response_started = True
            self.transport.write(head.removesuffix(b"\r\n") + b"connection: close\r\n\r\n")
            return UNTIL_CLOSE
        await super().send(message)
        return CHUNKED

    def finish(self, message: bytes) -> None:
        """Write the last bytes of a response, or all of them."""
        if not self.keep_alive and not self.response_started:
            message = message.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n", 1)
        self.response_started = self.response_complete = True
        self.transport.write(message)
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
