"""The few values of a request that pages read, by parsers whose work is bounded by the bytes that they look at."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conflicto.platform.http.messages import Header

MAX_QUERY_BYTES = 2_048
"""A page's address has at most four fields of ours; the rest is room for what others append to links."""

MAX_COOKIE_BYTES = 4_096
"""As long as one cookie may be (RFC 6265 §6.1). What follows is not read."""

MAX_CODING_BYTES = 200
"""Bytes of `Accept-Encoding` that are read; browsers send about 30."""


def query_fields(query_string: bytes, names: Collection[str]) -> dict[str, str]:
    """Return the fields of a page's query that have one of these names; the first one wins.

    Raises:
        InvalidInput: the query is longer than `MAX_QUERY_BYTES`.
    """
    if len(query_string) > MAX_QUERY_BYTES:
        raise InvalidInput(errors=(FieldError("/query", f"must have at most {MAX_QUERY_BYTES} bytes"),))
    fields: dict[str, str] = {}
    for part in query_string.decode("latin-1").split("&"):
        name, _, value = part.partition("=")
        if name in names and name not in fields:
            fields[name] = unquote_plus(value)
    return fields


def cookies(headers: Sequence[Header], names: Collection[str]) -> dict[str, str]:
    """Return the cookies that have one of these names, with their text as it was sent; the first one wins."""
    sent = header(headers, b"cookie")
    parts = sent[:MAX_COOKIE_BYTES].decode("latin-1").split(";")
    if len(sent) > MAX_COOKIE_BYTES:
        parts.pop()
    found: dict[str, str] = {}
    for part in parts:
        name, _, value = part.strip(" \t").partition("=")
        if name in names and name not in found:
            found[name] = value
    return found


def accepts_gzip(headers: Sequence[Header]) -> bool:
    """Return whether a browser wants bodies packed with gzip (RFC 9110 §12.5.3)."""
    codings = header(headers, b"accept-encoding")[:MAX_CODING_BYTES].decode("latin-1").lower()
    for coding in codings.split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.strip().rstrip("0") not in {"q=", "q=0.", "q=."}
    return False


def header(headers: Sequence[Header], name: bytes) -> bytes:
    """Return the first header of that lower-case name, empty if there is none."""
    return next((value for key, value in headers if key == name), b"")
