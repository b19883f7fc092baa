"""Heads of messages: checks of a request's, its target in an ASGI scope, a response's as bytes."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from conflicto.platform.sizes import KIB

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from uvicorn._types import HTTPScope

    from conflicto.platform.http.messages import Header
    from conflicto.platform.http.server.refusals import Refusal, Refusals

MAX_HEAD_BYTES = 32 * KIB
MAX_HEADERS = 100
"""Largest number of header fields. A browser sends about 20."""

HOST = b"host"
_HOST_VALUE = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
"""Characters of a host and a port (RFC 3986 §3.2). Whether the host exists is not checked."""


class RefusedRequest(Exception):
    """Raised for a head that is refused before it becomes a request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def require_one_host(headers: Sequence[Header], version: str, refusals: Refusals) -> None:
    """Require exactly one valid `Host` field (RFC 9112 §3.2). HTTP/1.0 may leave it out.

    Raises:
        RefusedRequest: there is none, more than one, or an invalid one.
    """
    count, host = 0, b""
    for name, value in headers:
        if name == HOST:
            count, host = count + 1, value
    if count == 0 and version == "1.0":
        return
    if count != 1 or not _HOST_VALUE.fullmatch(host):
        raise RefusedRequest(refusals.host_invalid)


def head_size(target: bytes, headers: Sequence[Header]) -> int:
    """Return the bytes of a head's target, names and values."""
    return len(target) + sum(map(len, chain.from_iterable(headers)))


def set_target(scope: HTTPScope, target: bytes, refusals: Refusals) -> None:
    """Set `path`, `raw_path` and `query_string` of an ASGI scope.

    Raises:
        RefusedRequest: the target is not a URL.
    """
    try:
        url = httptools.parse_url(target)
        scope["path"] = unquote((url.path or b"").decode("ascii"))
    except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
        raise RefusedRequest(refusals.not_http) from None
    scope["raw_path"] = url.path or b""
    scope["query_string"] = url.query or b""


def head_to_bytes(status: int, headers: Collection[Header], date_line: bytes) -> bytes:
    """Return a response head as bytes.

    Raises:
        ValueError: a header holds a line break or NUL.
    """
    lines = b"".join(map(b"%b: %b\r\n".__mod__, map(tuple, headers)))
    if lines.count(b"\n") != len(headers) or b"\0" in lines:
        raise ValueError("a header holds a line break or NUL")
    return STATUS_LINE[status] + date_line + lines + b"\r\n"
