"""What all connections of a process share: the date, the deadlines, the lane, and the measure of how late the event loop is."""

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

    from conflicto.platform.fast_path.fast_path import FastPath
    from conflicto.platform.http.server.connection import Connection
    from conflicto.platform.http.server.refusals import Refusal

TICK_S = 0.1
TICKS_PER_SECOND = 10


class ConnectionManager:
    """One per process. `fast_path` None: it is disabled. `drain` is called when the server begins to stop, once for each open connection.

    `is_proxy` tells the addresses of trusted proxies, whose connections carry many people and are never closed to make room.
    `prefix` is the path below which the server lies, empty for none.
    `on_tick` hears ten times a second how late the event loop woke, seconds; `on_refusal` the code of what never became a request.
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
        is_proxy: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.fast_path = fast_path
        self.prefix = b""
        self.refusals = Refusals(server)
        self._most_connections = max_connections
        self.drain = drain
        self.load_average = LoadAverage()
        self._on_tick = on_tick
        self.on_refusal = on_refusal
        self.connections: set[Connection] = set()
        self.eviction = ConnectionEviction(max_connections, is_proxy)
        self.date_line = _date_line()

    def accept(self, connection: Connection) -> Refusal | None:
        """Look after one more connection; say what it must be told if that is one too many."""
        self.connections.add(connection)
        self.eviction.add(connection)
        self.eviction.make_room(self.connections, connection, connection.loop.time())
        return self.refusals.too_many_connections if len(self.connections) > self._most_connections else None

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        self.connections.discard(connection)
        self.eviction.discard(connection)

    async def run(self) -> None:
        """Look after the connections until cancelled."""
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
        """Close every connection whose other side had its time."""
        for connection in [each for each in self.connections if each.deadline_s < now_s]:
            close(connection)


def _date_line() -> bytes:
    return b"date: " + formatdate(time.time(), usegmt=True).encode() + b"\r\n"
