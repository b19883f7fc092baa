"""Stream connection: the protocol of a client connection while it carries a stream.

It holds no parser, no request and no task, so an idle stream takes little memory. It belongs to the
fast path (`fast_path.py`), which hands streams over to it.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Protocol

from conflicto.platform.http.server import deadlines

if TYPE_CHECKING:
    from uvicorn.server import ServerState

    from conflicto.platform.http.server.connection_manager import ConnectionManager

END = b"0\r\n\r\n"
"""The last chunk (RFC 9112 §7.1)."""


class Follower(Protocol):
    """Writer of a stream. The connection tells it what its client does."""

    def on_readable_again(self) -> None:
        """Continue: the client reads again."""

    def on_disconnect(self) -> None:
        """Stop: the client is gone."""


class StreamOrigin(Protocol):
    """Connection class that handed the stream over, with what it needs to begin again."""

    @property
    def server_state(self) -> ServerState:
        """The state of uvicorn's server."""

    def take_back(self, stream: StreamConnection, received: bytes) -> None:
        """Continue with requests after the stream, from bytes received since."""


class StreamConnection(asyncio.Protocol):
    """A client connection that carries a stream, in chunks; for other members see `HttpConnection`.

    `keep_alive`: requests may follow the stream.
    """

    __slots__ = (
        "_origin", "_received", "deadline_s", "follower", "is_stalled", "keep_alive", "manager", "network", "transport",
    )  # fmt: skip

    is_idle = False
    has_token = True

    def __init__(self, manager: ConnectionManager, transport: asyncio.Transport, origin: StreamOrigin) -> None:
        self.manager = manager
        self.transport = transport
        self.network: str | None = None
        self.deadline_s = inf
        self.is_stalled = False
        self.keep_alive = True
        self.follower: Follower | None = None
        self._origin = origin
        self._received = b""

    def write(self, part: bytes) -> None:
        """Write a part of the stream as a chunk."""
        self.transport.write(chunk_of(part))

    def end(self) -> None:
        """End the stream, and continue with requests if the client may send any."""
        self.transport.write(END)
        self.follower = None
        self._origin.server_state.total_requests += 1
        if self.keep_alive and not self.is_stalled and not self.transport.is_closing():
            self._leave()
            self._origin.take_back(self, self._received)
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Keep requests that follow until the stream ends, and read no more of them."""
        self._received += data
        self.transport.pause_reading()

    def pause_writing(self) -> None:
        """Note that the client does not read, and set its deadline."""
        self.is_stalled = True
        self.deadline_s = asyncio.get_running_loop().time() + deadlines.MAX_STALL_S

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        self.is_stalled = False
        self.deadline_s = inf
        if self.follower is not None:
            self.follower.on_readable_again()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        """Remove the connection."""
        self._leave()
        if self.follower is not None:
            self.follower.on_disconnect()

    def shutdown(self) -> None:
        """Wake every stream, so that it ends, and close afterwards. uvicorn calls it."""
        self.keep_alive = False
        self.manager.drain()

    def _leave(self) -> None:
        self.manager.connections.discard(self)
        self._origin.server_state.connections.discard(self)


def chunk_of(part: bytes) -> bytes:
    """Return a part as a chunk, nothing if it is empty: an empty chunk would end the stream."""
    return b"%x\r\n%b\r\n" % (len(part), part) if part else b""
