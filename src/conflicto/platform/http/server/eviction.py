"""Connections that make room while places run short: those that wait for their client and on which no valid token was shown.

The network that holds most of them loses one first, and of one network the oldest go first. So one address cannot hold the places that
others need, and an address behind which a whole hall sits loses none that has shown a token.
"""

from __future__ import annotations

from heapq import heapify, heapreplace
from math import inf
from typing import TYPE_CHECKING

from conflicto.platform.limits.addresses import network_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.http.server.connection import Connection

PRESSURE = 0.8
"""Share of the places from which on connections are closed for newcomers."""

BATCH = 0.01
"""Share of the places that is freed at once: one look at all connections pays for so many newcomers."""

RETRY_S = 0.1
"""How long nothing is looked for after a look that found less than it wanted."""


class ConnectionEviction:
    """Connections without a valid token by their network; `is_proxy` tells the addresses of proxies, whose connections stay."""

    def __init__(self, max_connections: int, is_proxy: Callable[[str], bool]) -> None:
        self.evicted = 0
        self._pressure = int(max_connections * PRESSURE)
        self._batch = max(1, int(max_connections * BATCH))
        self._is_proxy = is_proxy
        self._networks: dict[str, dict[Connection, None]] = {}
        self._retry_at_s = 0.0

    def add(self, connection: Connection) -> None:
        """Look after a new connection."""
        address = connection.client[0] if connection.client else ""
        if address and not self._is_proxy(address):
            connection.network = network_of(address)
            self._networks.setdefault(connection.network, {})[connection] = None

    def discard(self, connection: Connection) -> None:
        """Forget a connection that is closed."""
        if connection.network is not None:
            network = self._networks.get(connection.network, {})
            network.pop(connection, None)
            if not network:
                self._networks.pop(connection.network, None)

    def make_room(self, connections: set[Connection], newest: Connection, now_s: float) -> None:
        """Close some connections for the newest one if `connections` are so many that places run short."""
        if len(connections) <= self._pressure or now_s < self._retry_at_s:
            return
        chosen = self._choose(newest)
        for connection in chosen:
            connections.discard(connection)
            self.discard(connection)
            close(connection)
        self.evicted += len(chosen)
        if len(chosen) < self._batch:
            self._retry_at_s = now_s + RETRY_S

    def _choose(self, newest: Connection) -> list[Connection]:
        waiting = [(-len(found), name, found) for name in list(self._networks) if (found := self._waiting(name, newest))]
        heapify(waiting)
        chosen: list[Connection] = []
        while waiting and waiting[0][0] and len(chosen) < self._batch:
            size, name, found = waiting[0]
            chosen.append(found.pop())
            heapreplace(waiting, (size + 1, name, found))
        return chosen

    def _waiting(self, name: str, newest: Connection) -> list[Connection]:
        """Return what may be closed of a network, the first to go last; forget what has shown a token meanwhile."""
        network = self._networks[name]
        for connection in [each for each in network if each.has_token]:
            self.discard(connection)
        candidates = [each for each in network if each is not newest]
        idle = [each for each in candidates if each.is_idle]
        unfinished = [each for each in candidates if not each.is_idle and each.deadline_s < inf]
        return [*reversed(unfinished), *reversed(idle)]


def close(connection: Connection) -> None:
    """Close a connection that waits for its client."""
    if connection.is_stalled:
        connection.transport.abort()  # what it did not read is of no use to it
    else:
        connection.transport.close()
