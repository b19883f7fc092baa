"""What a browser says when it asks for a page."""

from __future__ import annotations

import re
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


def query(scope: Any, name: str) -> str | None:  # noqa: ANN401 - ASGI
    """Return a parameter of the address."""
    return next(iter(parse_qs(scope["query_string"].decode("latin-1")).get(name, ())), None)


def header(scope: Any, name: bytes) -> str | None:  # noqa: ANN401 - ASGI
    """Return a header; `name` is in lower case."""
    return next(_headers(scope, name), None)


def cookie(scope: Any, name: str) -> str | None:  # noqa: ANN401 - ASGI
    """Return a cookie; where the header makes no sense there is none."""
    try:
        found = SimpleCookie(header(scope, b"cookie") or "").get(name)
    except CookieError:
        return None
    return found.value if found else None


def origin(scope: Any) -> str:  # noqa: ANN401 - ASGI
    """Return the address at which this browser reached us; what it calls us is believed if it can be a host's name at all."""
    named = header(scope, b"host") or ""
    return f"{scope.get('scheme', 'http')}://{named if _HOST.fullmatch(named) else 'localhost'}"


def _headers(scope: Any, name: bytes) -> Iterator[str]:  # noqa: ANN401 - ASGI
    return (value.decode("latin-1") for key, value in scope["headers"] if key == name)
