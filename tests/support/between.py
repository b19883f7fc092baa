"""Intermediaries before the server: portals, firewalls, caches and buffering proxies."""

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import urlsplit

from tests.support.patience import PATIENCE_S

Reply = tuple[int, str, bytes]
"""Status, media type (empty: none) and body."""

SIGN_IN = b"<!doctype html><title>Welcome</title><h1>Sign in to the Wi-Fi</h1>"
PORTAL: dict[str, Reply] = {
    "a page": (200, "text/html", SIGN_IN),
    "json": (200, "application/json", b'{"status":"ok"}'),
    "nothing": (200, "", b""),
    "no content": (204, "", b""),
    **{str(status): (status, "text/html", SIGN_IN) for status in (401, 403, 404, 410, 413)},
}
"""Responses of portals and firewalls in the server's place."""

HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"})


@dataclass(eq=False)
class Stream:
    """A stream through the proxy."""

    line: HTTPConnection
    is_muted: bool = False


@dataclass
class Between:
    """The proxy. Its fields may change at any time; patterns are searched in `METHOD /path`."""

    url: str = ""
    answers: dict[str, Reply] = field(default_factory=dict)
    """Responses by pattern; the server never gets these requests."""
    replaces: dict[str, Reply] = field(default_factory=dict)
    """Responses by pattern that replace the server's own response."""
    cuts: str | None = None
    """Pattern of requests whose response bodies end half-way, with the shorter length in the
    header."""
    strips: frozenset[str] = frozenset()
    """Header fields that are lost, in both directions."""
    caches: str | None = None
    """Pattern of requests whose first successful response is cached for everyone."""
    holds: str | None = None
    """Pattern of requests whose responses are buffered until they are complete."""
    streams: list["Stream"] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    kept: dict[str, tuple[int, list[tuple[str, str]], bytes]] = field(default_factory=dict)

    def drop(self) -> None:
        """End every open stream."""
        for stream in list(self.streams):
            stream.line.sock and stream.line.sock.shutdown(SHUT_RDWR)

    def mute(self) -> None:
        """Stop passing data of the open streams, and leave them open."""
        for stream in self.streams:
            stream.is_muted = True

    def matching(self, rules: dict[str, Reply], what: str) -> Reply | None:
        """Return the first reply whose pattern matches."""
        return next((reply for pattern, reply in rules.items() if re.search(pattern, what)), None)


@contextmanager
def between(upstream: str) -> Iterator[Between]:
    """Yield a proxy before the server at `upstream`; by default it passes everything on."""
    there = Between()
    server = _Server(there, urlsplit(upstream).netloc)
    there.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        there.drop()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, there: Between, netloc: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.there = there
        self.netloc = netloc

    def handle_error(self, *_: Any) -> None:
        """Suppress errors of browsers that disconnected."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = 0

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        what = f"{self.command} {self.path}"
        self.server.there.seen.append(what)
        with suppress(OSError):
            self._answer(what, body)

    def _answer(self, what: str, body: bytes) -> None:
        if reply := self.server.there.matching(self.server.there.answers, what):
            self._reply(reply)
        elif what in self.server.there.kept:
            self._send(*self.server.there.kept[what])
        else:
            self._pass_on(what, body)

    def _pass_on(self, what: str, body: bytes) -> None:
        with closing(HTTPConnection(self.server.netloc, timeout=PATIENCE_S)) as line:
            self._relay(line, what, body)

    def _relay(self, line: HTTPConnection, what: str, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in self.server.there.strips | HOP}
        line.request(self.command, self.path, body or None, headers)
        answer = line.getresponse()
        if reply := self.server.there.matching(self.server.there.replaces, what):
            self._reply(reply)
        elif answer.chunked and not (self.server.there.holds and re.search(self.server.there.holds, what)):
            self._stream(line, answer)
        else:
            self._whole(what, answer)

    def _whole(self, what: str, answer: HTTPResponse) -> None:
        content, headers = answer.read(), self._end_to_end_headers(answer)
        if self.server.there.caches and re.search(self.server.there.caches, what) and answer.status == 200:
            self.server.there.kept[what] = answer.status, headers, content
        if self.server.there.cuts and re.search(self.server.there.cuts, what):
            content = content[: len(content) // 2]
        self._send(answer.status, headers, content)

    def _stream(self, line: HTTPConnection, answer: HTTPResponse) -> None:
        self.send_response(answer.status)
        for name, value in [*self._end_to_end_headers(answer), ("transfer-encoding", "chunked")]:
            self.send_header(name, value)
        self.end_headers()
        stream = Stream(line)
        self.server.there.streams.append(stream)
        try:
            while part := answer.read1(65_536):
                if not stream.is_muted:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        finally:
            self.server.there.streams.remove(stream)

    def _end_to_end_headers(self, answer: HTTPResponse) -> list[tuple[str, str]]:
        return [(name, value) for name, value in answer.getheaders() if name.lower() not in self.server.there.strips | HOP]

    def _reply(self, reply: Reply) -> None:
        status, kind, content = reply
        self._send(status, [("content-type", kind)] if kind else [], content)

    def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = handle_any  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        pass
