"""Values of a request that pages read, by parsers with bounded input."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from conflicto.platform.http.messages import Header

MAX_QUERY_BYTES = 2_048
"""A page has at most four own query fields. The rest is for fields that others append to links."""

MAX_COOKIE_BYTES = 4_096
"""Maximum length of one cookie (RFC 6265 §6.1). Further bytes are not read."""

MAX_CODING_BYTES = 200
"""Bytes of `Accept-Encoding` that are read. Browsers send about 30."""


def query_fields(query_string: bytes, names: Collection[str]) -> dict[str, str]:
    """Return the query fields with these names. The first of each name counts.

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
    """Return the cookies with these names, undecoded. The first of each name counts."""
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
    """Return whether a client accepts gzip (RFC 9110 §12.5.3)."""
    codings = header(headers, b"accept-encoding")[:MAX_CODING_BYTES].decode("latin-1").lower()
    for coding in codings.split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.strip().rstrip("0") not in {"q=", "q=0.", "q=."}
    return False


def header(headers: Sequence[Header], name: bytes) -> bytes:
    """Return the first header with this lower-case name, or an empty value."""
    return next((value for key, value in headers if key == name), b"")
