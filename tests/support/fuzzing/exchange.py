"""One request to an app in this process, and the checks of its response.

No client repairs the request on its way.
"""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httptools
import msgspec

from conflicto.app import App
from conflicto.platform.http.route_table import RouteTable
from conflicto.platform.http.routes import Route
from conflicto.platform.problems import DomainError, registry
from conflicto.platform.strict_json import JsonLimits, compact
from tests.support.api import document_of
from tests.support.fuzzing.cases import Case

PATIENCE_S = 60.0
"""Timeout for a response on a busy machine, seconds; longer is a hang."""

LEAVES_AFTER_S = 0.05
"""Time after which an impatient caller disconnects, seconds."""

ANY_SIZE = JsonLimits(max_bytes=2**30, max_depth=100, max_nodes=2**30, max_key_bytes=2**20, max_string_bytes=2**20)
"""Limits for responses: strict JSON of any size."""

CODES = set(registry())
PROBLEM = {"type", "title", "status", "detail", "instance", "code", "request_id", "server"}


@dataclass
class AsgiResponse:
    """A response; status 0 means none, because the caller had disconnected."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media_type(self) -> bytes:
        return self.headers.get(b"content-type", b"").partition(b";")[0]


def scope_of(case: Case) -> dict[str, Any] | None:
    """Return the request as our server passes it to the app, or None if its target is no URL."""
    try:
        target = httptools.parse_url(case.target)
        path = unquote((target.path or b"").decode("ascii"))
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
        return None
    headers = [(name.lower(), value) for name, value in case.headers]
    if case.body and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", b"%d" % len(case.body)))
    return {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1", "scheme": "http", "root_path": "",
        "method": case.method.decode(), "path": path, "raw_path": target.path or b"", "query_string": target.query or b"",
        "headers": headers, "client": ("127.0.0.1", 40_000), "server": ("127.0.0.1", 80),
    }  # fmt: skip


class Exchange:
    """An ASGI client: sends the body in chunks, and leaves a stream after its first part."""

    def __init__(self, case: Case, leaves_after_s: float) -> None:
        size = case.piece or max(1, len(case.body))
        self._parts = [case.body[at : at + size] for at in range(0, len(case.body), size)] or [b""]
        self._seen_enough = asyncio.Event()
        self._leaves_after_s = leaves_after_s
        self.response = AsgiResponse()

    async def receive(self) -> dict[str, Any]:
        if self._parts:
            part = self._parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self._parts)}
        with suppress(TimeoutError):
            await asyncio.wait_for(self._seen_enough.wait(), self._leaves_after_s)
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.response.status = message["status"]
            self.response.headers = dict(message["headers"])
        else:
            self.response.body += message.get("body", b"")
            self._seen_enough.set()


async def send_case(app: App, case: Case, leaves_after_s: float = LEAVES_AFTER_S) -> AsgiResponse | None:
    """Return the response, or None if the bytes are no request; the app's exceptions are raised."""
    scope = scope_of(case)
    if scope is None:
        return None
    exchange = Exchange(case, leaves_after_s)
    async with asyncio.timeout(PATIENCE_S):
        await app(scope, exchange.receive, exchange.send)
    return exchange.response


class Judge:
    """A check of responses: documented, well-formed, strict JSON, and never an internal error."""

    def __init__(self, app: App) -> None:
        self._table = RouteTable(app.edge.routes)
        self._document = document_of(app)

    def fault(self, case: Case, response: AsgiResponse) -> str | None:
        """Return the fault of a response, or None."""
        if response.status >= 500:
            return f"a fault of ours: {response.status} {response.body[:200]!r}"
        if response.status == 0:
            return None
        route = self.route(case)
        if route is not None:
            method = route.method.lower()
            if str(response.status) not in self._document["paths"][route.path][method]["responses"]:
                return f"{route.name} does not document {response.status}: {response.body[:200]!r}"
        return malformed(response, is_api=case.target.startswith(b"/api/"))

    def route(self, case: Case) -> Route | None:
        """Return the route that a request matches."""
        scope = scope_of(case)
        try:
            return self._table.match(scope["method"], scope["path"])[0] if scope else None
        except DomainError:
            return None


def malformed(response: AsgiResponse, *, is_api: bool = True) -> str | None:
    """Return the fault of a response that no caller may get, or None."""
    if any(re.search(rb"[\r\n\0]", name + value) for name, value in response.headers.items()):
        return f"a header that ends early: {response.headers!r}"
    texts = (
        response.body.split(b"\n")
        if response.media_type == b"application/x-ndjson"
        else [response.body] * response.media_type.endswith(b"json")
    )
    for text in filter(None, texts):
        try:
            compact(text, ANY_SIZE)
        except DomainError as error:
            return f"an answer that is no strict JSON ({error.code}): {text[:300]!r}"
    if response.status >= 400 and is_api:
        return _malformed_problem(response)
    return _malformed_stream(response) if response.media_type == b"text/event-stream" else None


def _malformed_problem(response: AsgiResponse) -> str | None:
    if response.media_type != b"application/problem+json":
        return f"no problem document: {response.media_type!r} {response.body[:200]!r}"
    if not response.body:
        return None  # HEAD
    problem = msgspec.json.decode(response.body)
    if not problem.keys() >= PROBLEM or problem["status"] != response.status or problem["code"] not in CODES:
        return f"a problem of another shape: {response.body[:300]!r}"
    return None


def _malformed_stream(response: AsgiResponse) -> str | None:
    for line in response.body.split(b"\n"):
        name, _, value = line.partition(b": ")
        if name == b"data":
            try:
                compact(value, ANY_SIZE)
            except DomainError as error:
                return f"an event that is no strict JSON ({error.code}): {value[:300]!r}"
        elif name not in {b"", b":", b"id", b"event", b"retry"}:
            return f"a line that is no event's: {line[:100]!r}"
    return None
