"""Participants' connections, by transport.

Each is a protocol with a prepared request, without a timer or a task.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench.blocking_connection import PREFIX

if TYPE_CHECKING:
    from bench.load_generator import LoadGenerator
    from bench.scenario import Scenario

END = b"\r\n\r\n"
LONG_POLL_S = 20
"""Seconds that a long-poll waits for news."""


def is_complete(data: bytes) -> bool:
    """Return whether a response is complete.

    One without `content-length`, such as a 304, ends with its head.
    """
    head = data.find(END)
    if head < 0:
        return False
    at = -1 if data[9:12] == b"304" else data.find(b"content-length: ", 0, head)
    length = int(data[at + 16 : data.index(b"\r", at)]) if at > 0 else 0
    return len(data) >= head + 4 + length


def tag_of(data: bytes) -> bytes:
    """Return the response's `etag`, or nothing."""
    at = data.find(b"\r\netag: ", 0, data.find(END))
    return data[at + 8 : data.index(b"\r", at + 8)] if at > 0 else b""


class ParticipantConnection(asyncio.Protocol):
    """Connection of one participant. It polls the session's status when due, with the last tag."""

    __slots__ = ("generator", "head", "knows", "merged", "request", "requested_s", "rest", "transport", "waiting")

    query = ""

    def __init__(self, generator: LoadGenerator, token: str) -> None:
        self.generator = generator
        self.head = self.first(generator.scenario, token)
        self.request = self.head + b"\r\n"
        self.rest = b""
        self.requested_s = 0.0
        self.knows = False
        self.merged: list[float] = []
        self.waiting: list[float] = []
        self.transport: Any = None

    @classmethod
    def first(cls, scenario: Scenario, token: str) -> bytes:
        """Return the request's head without the last, empty line, so that the tag can follow."""
        path = f"{PREFIX}{scenario.path}/status{cls.query}"
        return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def due(self, at_s: float) -> None:
        """Send a request, or send it right after the outstanding response.

        A phone has one request at a time. Polls that become due meanwhile share one request, and
        its response counts for each from its due time.
        """
        if self.generator.over:
            return
        self.generator.wheel.add(at_s + self.generator.pause_s(), self.due)
        if self.requested_s:
            self.waiting.append(at_s)
        else:
            self.send_request(at_s)

    def send_request(self, at_s: float) -> None:
        if not self.transport.is_closing():
            self.requested_s = at_s
            self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now_s = perf_counter()
        if self.rest:
            data = self.rest + data
        if not is_complete(data):
            self.rest = data
            return
        self.rest = b""
        requested_s, self.requested_s = self.requested_s, 0.0
        status = data[9:12]
        if status == b"200":
            self.read_response(data, now_s)
        elif status != b"304":
            self.generator.errors[f"status {status.decode()}"] += 1
        self.answered(requested_s, now_s)

    def answered(self, requested_s: float, now_s: float) -> None:
        self.generator.record_poll(requested_s, now_s)
        for due_s in self.merged:
            self.generator.record_poll(due_s, now_s)
        self.merged = []
        if self.waiting:
            first_s, *self.merged = self.waiting
            self.waiting = []
            self.send_request(first_s)

    def read_response(self, data: bytes, now_s: float) -> None:
        self.request = self.head + b"if-none-match: " + tag_of(data) + END
        if not self.knows and self.generator.is_news(data):
            self.knows = True
            self.generator.record_news(now_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self.generator.record_error(exc)


class LongPoll(ParticipantConnection):
    """Connection that long-polls: it sends a request after each response."""

    __slots__ = ()

    query = f"?wait={LONG_POLL_S}"

    def due(self, at_s: float) -> None:
        """Start."""
        if not self.generator.over:
            self.send_request(at_s)

    def answered(self, requested_s: float, now_s: float) -> None:  # noqa: ARG002 - how long it was held says nothing
        if not self.generator.over:
            self.send_request(now_s)


class Stream(ParticipantConnection):
    """Connection that reads Server-Sent Events and finds the expected words across packets."""

    __slots__ = ()

    @classmethod
    def first(cls, scenario: Scenario, token: str) -> bytes:
        path = f"{PREFIX}{scenario.path}/events"
        head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\n"
        return head.encode()

    def due(self, at_s: float) -> None:
        """Start."""
        self.send_request(at_s)

    def data_received(self, data: bytes) -> None:
        now_s = perf_counter()
        if self.requested_s:
            self._begun(data)
        if self.knows:
            return
        data = self.rest + data
        if self.generator.is_news(data):
            self.knows = True
            self.rest = b""
            self.generator.record_news(now_s)
        else:
            self.rest = data[-self.generator.needle_overlap :]

    def _begun(self, data: bytes) -> None:
        self.requested_s = 0.0
        self.generator.streaming += 1
        if data[9:12] != b"200":
            self.generator.errors[f"status {data[9:12].decode()}"] += 1


class Answerer(asyncio.Protocol):
    """Connection for answers, separate from those that poll."""

    __slots__ = ("due_s", "generator", "rest", "transport")

    def __init__(self, generator: LoadGenerator) -> None:
        self.generator = generator
        self.due_s = 0.0
        self.rest = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, request: bytes, due_s: float) -> None:
        """Send one answer, due at `due_s`."""
        self.due_s = due_s
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        if not is_complete(data):
            self.rest = data
            return
        self.rest = b""
        due_s, self.due_s = self.due_s, 0.0
        self.generator.record_answer(self, data[9:12], due_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Record a closed connection.

        A server may close an idle one, but not one with an outstanding answer.
        """
        if self.due_s:
            self.generator.record_error(exc)
        else:
            self.generator.replace(self)


TRANSPORTS: dict[str, type[ParticipantConnection]] = {"poll": ParticipantConnection, "long-poll": LongPoll, "stream": Stream}
