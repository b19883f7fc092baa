"""Load generator: many keep-alive connections in this process.

Each sends its next request after a response.

The code does little, because it shares two cores with the server. Requests are prepared bytes. It
reads only the status line and `content-length` of a response.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle, repeat
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import uvloop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_RUN_S = 120
"""Longest time of a run. A server that hangs ends the benchmark."""


class BenchmarkError(RuntimeError):
    """The server did not do the measured work, so there is no figure."""


def request_bytes(
    method: str, path: str, *, token: str | None = None, headers: dict[str, str] | None = None, body: object = None
) -> bytes:
    """Return the bytes of one HTTP/1.1 request; `body` becomes JSON."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "user-agent: conflicto-bench", "accept: */*"]
    if token is not None:
        lines.append(f"authorization: Bearer {token}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(content)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


@dataclass(slots=True)
class Run:
    """Figures of one run.

    `latencies_s` has the order of completion. `client_cpu_s` is the processor time of this process.
    """

    count: int = 0
    elapsed_s: float = 0.0
    client_cpu_s: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Responses per second."""
        return self.count / self.elapsed_s

    @property
    def client_share(self) -> float:
        """Load of this process on one core. Near 1, the client was the limit."""
        return self.client_cpu_s / self.elapsed_s

    def latency_ms(self, percent: int) -> float:
        """Return a percentile of the latencies."""
        return quantiles(self.latencies_s, n=100, method="inclusive")[percent - 1] * 1000

    def expect(self, *statuses: int) -> Run:
        """Raise an error if any response had another status."""
        wrong = {status: count for status, count in self.statuses.items() if status not in statuses}
        if wrong:
            message = f"expected {statuses}, got {wrong}"
            raise BenchmarkError(message)
        return self


class _Connection(asyncio.Protocol):
    """Connection of one client."""

    __slots__ = ("began", "load", "requests", "rest", "transport")

    def __init__(self, load: _Load, requests: Iterator[bytes]) -> None:
        self.load = load
        self.requests = requests
        self.rest = b""
        self.began = 0.0
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send_next(self) -> None:
        request = None if self.load.over else next(self.requests, None)
        if request is None:
            self.load.left()
            return
        self.began = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self.rest:
            data = self.rest + data
            self.rest = b""
        head = data.find(b"\r\n\r\n")
        at = data.find(b"content-length: ", 0, head)
        length = int(data[at + 16 : data.index(b"\r", at)]) if at > 0 else 0
        if head < 0 or len(data) < head + 4 + length:
            self.rest = data
            return
        self.load.answered(data, head + 4, time.perf_counter() - self.began)
        self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.lost(exc)


class _Load:
    """Counters of all connections, which detect the end of the run."""

    def __init__(self, connections: int, *, keep_bodies: bool) -> None:
        self.over = False
        self.keep_bodies = keep_bodies
        self.latencies_s: list[float] = []
        self.statuses: Counter[bytes] = Counter()
        self.bodies: list[bytes] = []
        self.busy = connections
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answered(self, data: bytes, body: int, latency_s: float) -> None:
        self.statuses[data[9:12]] += 1
        self.latencies_s.append(latency_s)
        if self.keep_bodies:
            self.bodies.append(data[body:])

    def left(self) -> None:
        self.busy -= 1
        if not self.busy and not self.finished.done():
            self.finished.set_result(None)

    def lost(self, error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(error or BenchmarkError("the server closed a connection"))

    def stop(self) -> None:
        self.over = True

    def run(self, elapsed_s: float, cpu_s: float) -> Run:
        statuses = Counter({int(status): count for status, count in self.statuses.items()})
        return Run(len(self.latencies_s), elapsed_s, cpu_s, statuses, self.latencies_s, self.bodies)


async def _drive(port: int, sources: Sequence[Iterator[bytes]], seconds: float | None, *, keep_bodies: bool) -> Run:
    loop = asyncio.get_running_loop()
    load = _Load(len(sources), keep_bodies=keep_bodies)
    made = [loop.create_connection(lambda source=source: _Connection(load, source), "127.0.0.1", port) for source in sources]
    connections = [protocol for _, protocol in await asyncio.gather(*made)]
    gc.collect()
    gc.disable()
    try:
        began, cpu = time.perf_counter(), time.process_time()
        if seconds is not None:
            loop.call_later(seconds, load.stop)
        for connection in connections:
            connection.send_next()
        async with asyncio.timeout(MAX_RUN_S):
            await load.finished
        return load.run(time.perf_counter() - began, time.process_time() - cpu)
    finally:
        gc.enable()
        for connection in connections:
            connection.transport.abort()


def repeat_for(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Run:
    """Send the requests repeatedly for `seconds`, each over a free connection."""
    return uvloop.run(_drive(port, [cycle(requests)] * connections, seconds, keep_bodies=False))


def repeat_each(port: int, requests: Sequence[bytes], *, seconds: float) -> Run:
    """Send each request repeatedly for `seconds`, over a connection of its own."""
    return uvloop.run(_drive(port, list(map(repeat, requests)), seconds, keep_bodies=False))


def send_once(port: int, requests: Sequence[bytes], *, connections: int, keep_bodies: bool = False) -> Run:
    """Send every request once, over the connections that are free."""
    shared = iter(requests)
    return uvloop.run(_drive(port, [shared] * min(connections, len(requests)), None, keep_bodies=keep_bodies))
