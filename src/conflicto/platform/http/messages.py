"""Requests and responses of handlers."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    Write = Callable[[bytes], Awaitable[None]]
    """Writes one part of a stream, and returns when the client can take more."""
    from conflicto.platform.http.routes import Route
    from conflicto.platform.http.server.stream_connection import StreamConnection

    Follow = Callable[[StreamConnection], None]
    """Continues a stream on a connection, without its request."""

Header = tuple[bytes, bytes]

JSON_HEADER: Header = (b"content-type", b"application/json")
NO_STORE: Header = (b"cache-control", b"no-store")
IMMUTABLE: Header = (b"cache-control", b"public, max-age=31536000, immutable")
"""Header of files whose URL contains their build. Caches share them, so they carry no request
id."""
NO_SNIFF: Header = (b"x-content-type-options", b"nosniff")
SAFE_HEADERS: tuple[Header, ...] = (NO_SNIFF, (b"referrer-policy", b"no-referrer"))

encode = msgspec.json.Encoder().encode

MAX_QUERY_FIELDS = 100
"""Largest number of fields in a query string."""

PREFERENCES = frozenset({"wait"})
"""Query fields that change when a response is sent, and not the response."""

_POSITION = re.compile(r"[0-9]{16}|0|now", re.ASCII)
_VALUE = re.compile(r"0|[1-9][0-9]{0,7}|[a-z]{1,16}", re.ASCII)
"""Canonical spellings of positions in a path, and of numbers and words in a query."""


class ClientConnection(Protocol):
    """A connection of our own server.

    `has_token`: a valid token on it protects it from eviction. `on_lost`: called when the client is
    gone. `hand_over`: hands the connection over to a stream, None without the fast path.
    """

    has_token: bool
    on_lost: Callable[[], None] | None
    hand_over: Any

    @property
    def transport(self) -> asyncio.Transport: ...


class Incoming(Protocol):
    """A request as its transport hands it to the pipeline.

    - `address`: that of the client, behind trusted proxies.
    - `body`: the whole body, None if `read_body` must read it.
    - `connection`: None if the server is not ours.
    - `matched`: route and parameters, None if the pipeline must match them.
    """

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query_string(self) -> bytes: ...
    @property
    def headers(self) -> list[Header]: ...
    @property
    def address(self) -> str: ...
    @property
    def body(self) -> bytes | None: ...
    @property
    def connection(self) -> ClientConnection | None: ...
    @property
    def matched(self) -> tuple[Route, Mapping[str, Any]] | None: ...

    async def read_body(self, max_bytes: int) -> bytes:
        """Read a body of up to `max_bytes`."""

    def receive(self) -> Awaitable[Any]:
        """Return the next ASGI message of the client, `http.disconnect` once it is gone."""


class Concealment(Enum):
    """Reason why metrics and access log do not show a request as it was answered.

    Showing it would reveal an anonymous response.
    """

    UNTIL_RELEASE = "until-release"
    """The request stored an unreleased response, and is counted with its release."""

    OWN_CHANGES = "own-news"
    """The request showed only the caller's own changes, and is counted as one without changes."""


class Response:
    """HTTP response: status, body, and headers without `content-length`.

    `has_final_headers`: the pipeline adds none, not even `content-length`. `has_no_changes`: it
    tells the caller nothing new. `stream`: writes the parts of a streamed body. `follow`: does the
    same on a connection of the fast path, without the request. `concealment`: copied from the
    request.
    """

    __slots__ = ("body", "concealment", "follow", "has_final_headers", "has_no_changes", "headers", "status", "stream")

    def __init__(self, status: int, body: bytes = b"", headers: tuple[Header, ...] = ()) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.has_final_headers = False
        self.has_no_changes = False
        self.stream: Callable[[Write], Awaitable[None]] | None = None
        self.follow: Follow | None = None
        self.concealment: Concealment | None = None


def json_response(data: object, *, status: int = 200, headers: tuple[Header, ...] = (NO_STORE,)) -> Response:
    """Return `data` as compact JSON.

    Pass stored JSON text as `msgspec.Raw` to keep it byte for byte.
    """
    return Response(status, encode(data), (JSON_HEADER, *headers))


class Request:
    """HTTP request that passed the pipeline: matched, authenticated, limited, with a checked body.

    `reauthenticate` checks the caller again and raises the error that a new request would get.
    `first_values` has the first value of each header, by its lower-case name. `concealment`: see
    `Concealment`. `connection`: that of our own server, for requests without a body.
    """

    __slots__ = (
        "_canonical_target",
        "_query",
        "address",
        "body",
        "caller",
        "concealment",
        "connection",
        "first_values",
        "headers",
        "params",
        "query_string",
        "reauthenticate",
        "receive",
        "request_id",
        "route",
    )

    def __init__(
        self, *, route: Route, params: Mapping[str, Any], headers: list[Header], query_string: bytes, address: str, request_id: str
    ) -> None:
        self.route = route
        self.params = params
        self.headers = headers
        self.first_values = dict(reversed(headers))
        self.query_string = query_string
        self.address = address
        self.request_id = request_id
        self.body = b""
        self.concealment: Concealment | None = None
        self.caller: Any = None
        self.receive: Callable[[], Awaitable[Any]] | None = None
        self.connection: ClientConnection | None = None
        self.reauthenticate: Callable[[], Awaitable[Any]] = _accept_always
        self._query: Mapping[str, str] | None = None
        self._canonical_target: bytes | None = b""

    @contextmanager
    def on_disconnect(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call `callback` if the client disconnects; for slow requests without a body.

        Our own server's connection calls it. With other servers a task waits for the news.
        """
        if self.connection is not None:
            self.connection.on_lost = callback
            if self.connection.transport.is_closing():
                callback()
            try:
                yield
            finally:
                self.connection.on_lost = None
            return
        watch = DisconnectWatch(self.receive, callback)
        watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def header(self, name: bytes) -> str | None:
        """Return the first header with a lower-case name, or None."""
        value = self.first_values.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def canonical_target(self) -> bytes | None:
        """The only spelling of the target whose response is cached, or None if a value has none.

        Ids have the server's spelling, positions are cursors, `0` or `now`, and numbers have no
        leading zeros. Query fields appear once, ordered by name, without the preference `wait`.
        """
        if self._canonical_target == b"":
            self._canonical_target = None
            for value in self.params.values():
                if isinstance(value, str) and not _POSITION.fullmatch(value):
                    return None
            path = self.route.path.format_map(self.params)
            self._canonical_target = self._with_query(path) if self.query_string else path.encode()
        return self._canonical_target

    def _with_query(self, path: str) -> bytes | None:
        fields = [(name, value) for name, value in sorted(self._fields().items()) if name not in PREFERENCES]
        if not all(_VALUE.fullmatch(value) for _, value in fields):
            return None
        query = "&".join(f"{name}={value}" for name, value in fields)
        return (f"{path}?{query}" if query else path).encode()

    def accepts(self, media_type: bytes) -> bool:
        """Return whether `Accept` names a media type, given in lower case."""
        return media_type in self.first_values.get(b"accept", b"").lower()

    def query(self, name: str) -> str | None:
        """Return a field of the query string, or None. The first one wins if it is repeated.

        Raises:
            InvalidInput: the query is not percent-encoded UTF-8, or has too many fields.
        """
        return self._fields().get(name)

    def query_names(self) -> AbstractSet[str]:
        """Return the names of all fields of the query string; raises as `query` does."""
        return self._fields().keys()

    def _fields(self) -> Mapping[str, str]:
        if self._query is None:
            self._query = _parsed(self.query_string)
        return self._query


async def _accept_always() -> None:
    """Accept a request that did not pass the pipeline."""


class DisconnectWatch:
    """Calls `callback` if the client disconnects; without `receive` it does nothing."""

    __slots__ = ("_callback", "_receive", "_task")

    def __init__(self, receive: Callable[[], Awaitable[Any]] | None, callback: Callable[[], None]) -> None:
        self._receive = receive
        self._callback = callback
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        if self._receive is not None:
            self._task = asyncio.create_task(self._watch(self._receive))

    def cancel(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()

    async def _watch(self, receive: Callable[[], Awaitable[Any]]) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._callback()


def _parsed(query_string: bytes) -> dict[str, str]:
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MAX_QUERY_FIELDS
        )
    except ValueError as error:
        raise InvalidInput(errors=(FieldError("/query", "is not percent-encoded UTF-8"),)) from error
    return dict(reversed(pairs))
