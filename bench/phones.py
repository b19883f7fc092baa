"""The participants' connections, by transport. Each is a plain protocol with a request made beforehand; none has a timer or a task."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any

from bench.line import PREFIX

if TYPE_CHECKING:
    from bench.crowd import Crowd
    from bench.stage import Stage

END = b"\r\n\r\n"
HOLD_S = 20
"""How long a long-poll waits for news."""


def whole(data: bytes) -> bool:
    """Tell whether an answer has come to its end; one without `content-length` ends with its head, as a 304 does."""
    head = data.find(END)
    if head < 0:
        return False
    at = -1 if data[9:12] == b"304" else data.find(b"content-length: ", 0, head)
    length = int(data[at + 16 : data.index(b"\r", at)]) if at > 0 else 0
    return len(data) >= head + 4 + length


def tag_of(data: bytes) -> bytes:
    """Return the answer's `etag`, or nothing."""
    at = data.find(b"\r\netag: ", 0, data.find(END))
    return data[at + 8 : data.index(b"\r", at + 8)] if at > 0 else b""


class Phone(asyncio.Protocol):
    """One participant's connection: asks for the session's status when it is due, with the tag that it knows."""

    __slots__ = ("asked_s", "crowd", "head", "knows", "merged", "request", "rest", "transport", "waiting")

    query = ""

    def __init__(self, crowd: Crowd, token: str) -> None:
        self.crowd = crowd
        self.head = self.first(crowd.stage, token)
        self.request = self.head + b"\r\n"
        self.rest = b""
        self.asked_s = 0.0
        self.knows = False
        self.merged: list[float] = []
        self.waiting: list[float] = []
        self.transport: Any = None

    @classmethod
    def first(cls, stage: Stage, token: str) -> bytes:
        """Return the head of the request without its last, empty line, so that the tag can follow."""
        path = f"{PREFIX}{stage.path}/status{cls.query}"
        return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n".encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def due(self, at_s: float) -> None:
        """Ask, unless an answer is still to come: then right after it.

        A phone has one request under way, so what became due meanwhile is asked once, and that answer counts for each of them from
        when it was due.
        """
        if self.crowd.over:
            return
        self.crowd.wheel.add(at_s + self.crowd.pause_s(), self.due)
        if self.asked_s:
            self.waiting.append(at_s)
        else:
            self.ask(at_s)

    def ask(self, at_s: float) -> None:
        if not self.transport.is_closing():
            self.asked_s = at_s
            self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        now_s = perf_counter()
        if self.rest:
            data = self.rest + data
        if not whole(data):
            self.rest = data
            return
        self.rest = b""
        asked_s, self.asked_s = self.asked_s, 0.0
        status = data[9:12]
        if status == b"200":
            self.learn(data, now_s)
        elif status != b"304":
            self.crowd.errors[f"status {status.decode()}"] += 1
        self.answered(asked_s, now_s)

    def answered(self, asked_s: float, now_s: float) -> None:
        self.crowd.polled(asked_s, now_s)
        for due_s in self.merged:
            self.crowd.polled(due_s, now_s)
        self.merged = []
        if self.waiting:
            first_s, *self.merged = self.waiting
            self.waiting = []
            self.ask(first_s)

    def learn(self, data: bytes, now_s: float) -> None:
        self.request = self.head + b"if-none-match: " + tag_of(data) + END
        if not self.knows and self.crowd.is_news(data):
            self.knows = True
            self.crowd.told(now_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.lost(exc)


class LongPoll(Phone):
    """Asks again as soon as it has an answer, and is held at the server while there is nothing new."""

    __slots__ = ()

    query = f"?wait={HOLD_S}"

    def due(self, at_s: float) -> None:
        """Begin."""
        if not self.crowd.over:
            self.ask(at_s)

    def answered(self, asked_s: float, now_s: float) -> None:  # noqa: ARG002 - how long it was held says nothing
        if not self.crowd.over:
            self.ask(now_s)


class Stream(Phone):
    """Listens to Server-Sent Events; what counts is when the awaited words come by, wherever the network cuts them."""

    __slots__ = ()

    @classmethod
    def first(cls, stage: Stage, token: str) -> bytes:
        path = f"{PREFIX}{stage.path}/events"
        head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\nauthorization: Bearer {token}\r\n"
        return head.encode()

    def due(self, at_s: float) -> None:
        """Begin."""
        self.ask(at_s)

    def data_received(self, data: bytes) -> None:
        now_s = perf_counter()
        if self.asked_s:
            self._begun(data)
        if self.knows:
            return
        data = self.rest + data
        if self.crowd.is_news(data):
            self.knows = True
            self.rest = b""
            self.crowd.told(now_s)
        else:
            self.rest = data[-self.crowd.needle_overlap :]

    def _begun(self, data: bytes) -> None:
        self.asked_s = 0.0
        self.crowd.streaming += 1
        if data[9:12] != b"200":
            self.crowd.errors[f"status {data[9:12].decode()}"] += 1


class Answerer(asyncio.Protocol):
    """One of the connections over which answers go, beside those on which phones wait for news."""

    __slots__ = ("crowd", "due_s", "rest", "transport")

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.due_s = 0.0
        self.rest = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, request: bytes, due_s: float) -> None:
        """Send one answer, which was due then."""
        self.due_s = due_s
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self.rest + data
        if not whole(data):
            self.rest = data
            return
        self.rest = b""
        due_s, self.due_s = self.due_s, 0.0
        self.crowd.answered(self, data[9:12], due_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """A server may close an idle connection; one that carries an answer it may not."""
        if self.due_s:
            self.crowd.lost(exc)
        else:
            self.crowd.gone(self)


TRANSPORTS: dict[str, type[Phone]] = {"poll": Phone, "long-poll": LongPoll, "stream": Stream}
