"""Connection manager: state that all connections of a process share, and their deadlines."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from conflicto.platform.http.server.eviction import ConnectionEviction, close
from conflicto.platform.http.server.load_average import LoadAverage
from conflicto.platform.http.server.refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.http.server.direct_path import DirectPath
    from conflicto.platform.http.server.fast_path import FastPath
    from conflicto.platform.http.server.http_connection import HttpConnection
    from conflicto.platform.http.server.refusals import Refusal
    from conflicto.platform.http.server.stream_connection import StreamConnection

TICK_S = 0.1
TICKS_PER_SECOND = 10


class ConnectionManager:
    """All connections of one process.

    - `fast_path`, `direct`: None disables it.
    - `prefix`: the path below which the server is mounted, empty for none.
    - `drain`: called for each open connection when the server begins to stop.
    - `on_tick`: called ten times a second with the lag of the event loop, in seconds.
    - `on_refusal`: called with the problem code of bytes that never became a request.
    """

    def __init__(
        self,
        fast_path: FastPath | None,
        *,
        server: str,
        max_connections: int,
        drain: Callable[[], None],
        on_tick: Callable[[float], None],
        on_refusal: Callable[[str], None],
    ) -> None:
        self.fast_path = fast_path
        self.direct: DirectPath | None = None
        self.prefix = b""
        self.refusals = Refusals(server)
        self._max_connections = max_connections
        self.drain = drain
        self.load_average = LoadAverage()
        self._on_tick = on_tick
        self.on_refusal = on_refusal
        self.connections: set[HttpConnection | StreamConnection] = set()
        self.eviction = ConnectionEviction(max_connections)
        self.date_line = _date_line()

    def accept(self, connection: HttpConnection) -> Refusal | None:
        """Accept a connection, or return the refusal to send because there are too many."""
        self.connections.add(connection)
        self.eviction.add(connection)
        self.eviction.make_room(self.connections, connection, connection.loop.time())
        return self.refusals.too_many_connections if len(self.connections) > self._max_connections else None

    def hand_over(self, connection: HttpConnection, stream: StreamConnection) -> None:
        """Replace a connection by the stream that it carries from now on."""
        self.remove(connection)
        self.connections.add(stream)

    def remove(self, connection: HttpConnection) -> None:
        """Remove a closed connection."""
        self.connections.discard(connection)
        self.eviction.discard(connection)

    async def run(self) -> None:
        """Measure the load, update the date and close overdue connections until cancelled."""
        loop = asyncio.get_running_loop()
        ticks = 0
        while True:
            due = loop.time() + TICK_S
            await asyncio.sleep(TICK_S)
            late_s = max(0.0, loop.time() - due)
            self.load_average.add(late_s)
            self._on_tick(late_s)
            ticks += 1
            if ticks % TICKS_PER_SECOND == 0:
                self.date_line = _date_line()
                self.close_overdue(loop.time())

    def close_overdue(self, now_s: float) -> None:
        """Close connections past their deadline."""
        for connection in [each for each in self.connections if each.deadline_s < now_s]:
            close(connection)


def _date_line() -> bytes:
    return b"date: " + formatdate(time.time(), usegmt=True).encode() + b"\r\n"
