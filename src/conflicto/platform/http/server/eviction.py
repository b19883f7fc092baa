"""Eviction of connections when the process is close to its connection limit.

It closes connections that wait for their client and have shown no valid token. The network with
most of them loses one first, and within a network the oldest. So one address cannot use up the
limit, and a hall behind one address keeps every connection that has shown a token.
"""

from __future__ import annotations

from heapq import heapify, heapreplace
from math import inf
from typing import TYPE_CHECKING, Protocol

from conflicto.platform.limits.addresses import network_of

if TYPE_CHECKING:
    from conflicto.platform.http.server.http_connection import HttpConnection
    from conflicto.platform.http.server.stream_connection import StreamConnection

PRESSURE = 0.8
"""Share of the connection limit above which a new connection evicts others."""

BATCH = 0.01
"""Share of the connection limit that one eviction frees, because it scans all connections."""

RETRY_S = 0.1
"""Pause after a scan that found too few connections to close."""


class Addresses(Protocol):
    """Set of addresses of trusted proxies."""

    def __contains__(self, address: str | None, /) -> bool:
        """Return whether the set contains an address."""

    def get_trusted_client_address(self, x_forwarded_for: str) -> tuple[str, int]:
        """Return the first address before the trusted proxies in a list of `X-Forwarded-For`."""


class NoAddresses:
    """The set of trusted proxies before it is configured: empty."""

    def __contains__(self, address: str | None, /) -> bool:
        return False

    def get_trusted_client_address(self, x_forwarded_for: str) -> tuple[str, int]:
        """Return the whole list."""
        return x_forwarded_for, 0


class ConnectionEviction:
    """Connections without a valid token, by network.

    `proxies` contains the addresses of trusted proxies, whose connections are never evicted.
    """

    def __init__(self, max_connections: int) -> None:
        self.evicted = 0
        self._pressure = int(max_connections * PRESSURE)
        self._batch = max(1, int(max_connections * BATCH))
        self.proxies: Addresses = NoAddresses()
        self._networks: dict[str, dict[HttpConnection, None]] = {}
        self._retry_at_s = 0.0

    def add(self, connection: HttpConnection) -> None:
        """Add a new connection."""
        address = connection.client[0] if connection.client else ""
        if address and address not in self.proxies:
            connection.network = network_of(address)
            self._networks.setdefault(connection.network, {})[connection] = None

    def discard(self, connection: HttpConnection) -> None:
        """Remove a closed connection."""
        if connection.network is not None:
            network = self._networks.get(connection.network, {})
            network.pop(connection, None)
            if not network:
                self._networks.pop(connection.network, None)

    def make_room(self, connections: set[HttpConnection | StreamConnection], newest: HttpConnection, now_s: float) -> None:
        """Close some of `connections` for the newest one if their number is close to the limit."""
        if len(connections) <= self._pressure or now_s < self._retry_at_s:
            return
        evicted = self._choose(newest)
        for connection in evicted:
            connections.discard(connection)
            self.discard(connection)
            close(connection)
        self.evicted += len(evicted)
        if len(evicted) < self._batch:
            self._retry_at_s = now_s + RETRY_S

    def _choose(self, newest: HttpConnection) -> list[HttpConnection]:
        networks = [(-len(found), name, found) for name in list(self._networks) if (found := self._candidates(name, newest))]
        heapify(networks)
        chosen: list[HttpConnection] = []
        while networks and networks[0][0] and len(chosen) < self._batch:
            size, name, found = networks[0]
            chosen.append(found.pop())
            heapreplace(networks, (size + 1, name, found))
        return chosen

    def _candidates(self, name: str, newest: HttpConnection) -> list[HttpConnection]:
        """Return the connections of a network that may be closed, the first one last.

        Connections that have shown a token meanwhile are removed from the candidates.
        """
        network = self._networks[name]
        for connection in [each for each in network if each.has_token]:
            self.discard(connection)
        candidates = [each for each in network if each is not newest]
        idle = [each for each in candidates if each.is_idle]
        unfinished = [each for each in candidates if not each.is_idle and each.deadline_s < inf]
        return [*reversed(unfinished), *reversed(idle)]


def close(connection: HttpConnection | StreamConnection) -> None:
    """Close a connection that waits for its client."""
    if connection.is_stalled:
        connection.transport.abort()  # unread bytes are of no use to a stalled client
    else:
        connection.transport.close()
