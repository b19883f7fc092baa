"""What goes in and out of a handler on either plane."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from conflicto.platform.fast_path.cacheable import Cacheable

    Write = Callable[[bytes], Awaitable[None]]
    """Sends one part of a stream; returns when the other side has room for more."""
    from conflicto.platform.http.routes import Route

Header = tuple[bytes, bytes]

JSON_HEADER: Header = (b"content-type", b"application/json")
NO_STORE: Header = (b"cache-control", b"no-store")
IMMUTABLE: Header = (b"cache-control", b"public, max-age=31536000, immutable")
"""Of files whose address names their build. Caches give them to others, so they carry no request id."""
NO_SNIFF: Header = (b"x-content-type-options", b"nosniff")
SAFE_HEADERS: tuple[Header, ...] = (NO_SNIFF, (b"referrer-policy", b"no-referrer"))

encode = msgspec.json.Encoder().encode

MAX_QUERY_FIELDS = 100
"""Fields of a query string that are looked at."""


class Concealment(Enum):
    """Reason why the metrics and the access log do not count a request as it was answered: it would tell of an anonymous answer."""

    UNTIL_RELEASE = "until-release"
    """It stored something that is not released yet, and is counted with the release."""

    OWN_CHANGES = "own-news"
    """It showed news of the caller alone, and is counted as one that showed none."""


class Response:
    """A finished response: status, body, and headers beside `content-length`.

    `cacheable`: the fast path may cache it. `has_all_headers`: the front door adds none, `content-length` included.
    `stream`: it goes on, and writes its parts itself. `unseen` is what its call says of it.
    """

    __slots__ = ("body", "cacheable", "concealment", "has_final_headers", "headers", "status", "stream")

    def __init__(
        self, status: int, body: bytes = b"", headers: tuple[Header, ...] = (), cacheable: Cacheable | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        self.cacheable = cacheable
        self.has_final_headers = cacheable is not None
        self.stream: Callable[[Write], Awaitable[None]] | None = None
        self.concealment: Concealment | None = None


def private_response(response: Response, *headers: Header) -> Response:
    """Return an answer with further headers that is not laid ready for others."""
    alone = Response(response.status, response.body, (*response.headers, *headers))
    alone.has_final_headers = response.has_final_headers
    return alone


def json_response(data: object, *, status: int = 200, headers: tuple[Header, ...] = (NO_STORE,)) -> Response:
    """Return `data` as compact JSON; stored JSON text goes in as `msgspec.Raw`, byte for byte."""
    return Response(status, encode(data), (JSON_HEADER, *headers))


class Request:
    """One request behind the front door: matched, admitted, limited, its body gated.

    `admit_again` holds the caller against the door once more and raises what a new request would meet. `problem` is the code of the
    problem document that the framework answered with. `unseen`: metrics and logs do not tell of it as of others.
    """

    __slots__ = (
        "_query",
        "address",
        "body",
        "caller",
        "concealment",
        "headers",
        "params",
        "problem",
        "query_string",
        "reauthenticate",
        "receive",
        "request_id",
        "route",
    )

    def __init__(
        self, *, route: Route, params: dict[str, Any], headers: list[Header], query_string: bytes, address: str, request_id: str
    ) -> None:
        self.route = route
        self.params = params
        self.headers = headers
        self.query_string = query_string
        self.address = address
        self.request_id = request_id
        self.body = b""
        self.problem: str | None = None
        self.concealment: Concealment | None = None
        self.caller: Any = None
        self.receive: Callable[[], Awaitable[Any]] | None = None
        self.reauthenticate: Callable[[], Awaitable[Any]] = _always
        self._query: Mapping[str, str] | None = None

    @contextmanager
    def on_disconnect(self, leave: Callable[[], None]) -> Iterator[None]:
        """Call `leave` if the caller goes away meanwhile; for requests without a body that are answered late or at length."""
        watch = asyncio.ensure_future(_gone(self.receive, leave)) if self.receive else None
        try:
            yield
        finally:
            if watch:
                watch.cancel()

    def header(self, name: bytes) -> str | None:
        """Return the first header of that (lower-case) name."""
        for key, value in self.headers:
            if key == name:
                return value.decode("latin-1")
        return None

    def query(self, name: str) -> str | None:
        """Return a field of the query string; the first one wins when it is repeated.

        Raises:
            InvalidInput: the query is not percent-encoded UTF-8, or has too many fields.
        """
        return self._fields().get(name)

    def normalized_query(self) -> bytes:
        """Return the query string with each field once, its first; raises as `query` does."""
        return urlencode(self._fields()).encode() if self.query_string else b""

    def query_names(self) -> AbstractSet[str]:
        """Return the names of all fields of the query string; raises as `query` does."""
        return self._fields().keys()

    def _fields(self) -> Mapping[str, str]:
        if self._query is None:
            self._query = _parsed(self.query_string)
        return self._query


async def _always() -> None:
    """Admit a call that never came through the door."""


async def _gone(receive: Callable[[], Awaitable[Any]], leave: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    leave()


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
