"""Crowd of streams on plain sockets: one `epoll` and one system call for each event.

A client on asyncio would take longer for an event than the servers that are compared.
"""

from __future__ import annotations

import select
import socket
import time
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from bench.client import BenchmarkError
from bench.open_files import source_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Respond = Callable[[int, bytes], bytes]

BATCH = 400
"""Connections opened at once."""

PAUSE_S = 0.001
"""Pause between two looks. A client that waits for each event makes its server pay for waking it,
the slower server more often. Clients on other machines do not.
"""

MAX_READY = 4_096
READ_BYTES = 65_536
WITHIN_S = 30.0
"""Longest wait for the last stream. A later event is an error."""


class StreamCrowd:
    """Open connections to one server, by file number."""

    def __init__(self) -> None:
        self.sockets: dict[int, socket.socket] = {}
        self._epoll = select.epoll()

    def open(self, port: int, requests: Sequence[bytes]) -> None:
        """Open one connection for each request, and wait until each has a response."""
        first = len(self.sockets)
        for start in range(0, len(requests), BATCH):
            opened: set[int] = set()
            for number, request in enumerate(requests[start : start + BATCH], first + start):
                file = socket.socket()
                file.bind((source_address(number), 0))
                file.connect(("127.0.0.1", port))
                file.sendall(request)
                file.setblocking(False)
                self.sockets[file.fileno()] = file
                self._epoll.register(file.fileno(), select.EPOLLIN)
                opened.add(file.fileno())
            self._read(opened, b"200 OK", lambda *_: None)

    def wait_for(self, words: bytes, respond: Respond | None = None) -> tuple[float, float]:
        """Wait until every connection received the words. Return the times of the first and last.

        `respond` makes the next request of a connection, by its number, from what it received.
        """
        times: list[float] = []

        def received(number: int, data: bytes) -> None:
            times.append(perf_counter())
            if respond is not None:
                self.sockets[number].sendall(respond(number, data))

        self._read(set(self.sockets), words, received)
        return times[0], times[-1]

    def _read(self, expected: set[int], words: bytes, received: Callable[[int, bytes], None]) -> None:
        until_s = perf_counter() + WITHIN_S
        rests: dict[int, bytes] = {}
        while expected:
            if perf_counter() > until_s:
                message = f"{len(expected):,} of {len(self.sockets):,} connections received no {words!r}"
                raise BenchmarkError(message)
            time.sleep(PAUSE_S)
            for number, _ in self._epoll.poll(1, MAX_READY):
                data = rests.pop(number, b"") + self.sockets[number].recv(READ_BYTES)
                if words not in data:
                    rests[number] = data[-READ_BYTES:]
                elif number in expected:
                    expected.discard(number)
                    received(number, data)

    def close(self) -> None:
        """Close all connections."""
        for file in self.sockets.values():
            file.close()
        self._epoll.close()


@contextmanager
def crowd() -> Iterator[StreamCrowd]:
    """Yield an empty crowd, and close its connections afterwards."""
    made = StreamCrowd()
    try:
        yield made
    finally:
        made.close()
