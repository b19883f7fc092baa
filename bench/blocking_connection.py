"""Blocking connection for the setup of a run and for timing single requests."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, Self

from bench.client import BenchmarkError, request_bytes

PREFIX = "/api/v1"


class BlockingConnection:
    """Keep-alive HTTP over a blocking socket, without an event loop."""

    def __init__(self, port: int, token: str | None, *, timeout_s: float = 60) -> None:
        self.token = token
        self.last_head = b""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, request: bytes) -> tuple[int, bytes]:
        """Send a prepared request. Return status and body."""
        self._socket.sendall(request)
        data = b""
        while True:
            part = self._socket.recv(1 << 20)
            if not part:
                raise BenchmarkError("the server closed the connection")
            data += part
            head = data.find(b"\r\n\r\n")
            at = data.find(b"content-length: ", 0, head)
            length = int(data[at + 16 : data.index(b"\r", at)]) if at > 0 else 0
            if head >= 0 and len(data) >= head + 4 + length:
                self.last_head = data[:head]
                return int(data[9:12]), data[head + 4 :]

    def status(self, request: bytes) -> int:
        """Send a request and return its status at once.

        The connection cannot be used afterwards.
        """
        self._socket.sendall(request)
        data = b""
        while len(data) < 12:
            part = self._socket.recv(4096)
            if not part:
                raise BenchmarkError("the server closed the connection")
            data += part
        return int(data[9:12])

    def timed(self, request: bytes, *expected: int) -> float:
        """Return the duration of a request, s."""
        began = time.perf_counter()
        status, body = self.send(request)
        took_s = time.perf_counter() - began
        if status not in expected:
            message = f"expected {expected}, got {status}: {body[:300]!r}"
            raise BenchmarkError(message)
        return took_s

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Any:  # noqa: ANN401 - JSON
        """Send a request and return the decoded body.

        Any status but a success ends the benchmark.
        """
        status, content = self.send(request_bytes(method, PREFIX + path, token=token or self.token, body=body))
        if not 200 <= status < 300:
            message = f"{method} {path}: {status} {content[:300]!r}"
            raise BenchmarkError(message)
        return json.loads(content) if content else None

    def header(self, name: str) -> str | None:
        """Return a header of the last response."""
        for line in self.last_head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name:
                return value
        return None
