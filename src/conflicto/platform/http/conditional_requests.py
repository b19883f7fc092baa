"""Conditional requests (RFC 9110 §13) by ETags of bodies and revisions."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from conflicto.platform.http.messages import JSON_HEADER, NO_STORE, Response
from conflicto.platform.problems import DomainError, Kind

if TYPE_CHECKING:
    from conflicto.platform.http.messages import Header, Request

VARY: Header = (b"vary", b"Authorization, Accept-Encoding, Prefer")
REVALIDATE: Header = (b"cache-control", b"private, no-cache")
"""Header of pages to revalidate. With `no-store` a browser could not send conditional requests."""

_COMPRESSED = r"(?:(?:--?|;)(?:gzip|br|zstd|deflate))?"
"""Suffix of ETags that a compressing proxy appends: Apache, Caddy and lighttpd with one dash,
Jetty with two."""

_END = re.compile(rf'{_COMPRESSED}"', re.ASCII)

_TAGS = re.compile(r'("[\x21\x23-\x7e]*")\s*(?:,|$)', re.ASCII)
"""ETags of a list. It begins with the quote: with leading blanks, 20 KB of blanks took 11 s."""

_REVISION = re.compile(rf'(?:W/)?"r([0-9]{{1,9}}){_COMPRESSED}"', re.ASCII)


class ConditionInvalid(DomainError):
    """`If-Match` accepts tags of the object's representation, or `*`.

    Examples: `"r7"` and `"r7", "r8"`.
    """

    code = "condition-invalid"
    title = "The If-Match header does not hold a tag of this object"
    kind = Kind.MALFORMED


def etag_of(body: bytes) -> bytes:
    """Return the ETag of a body.

    Two bodies have the same ETag if and only if they are identical. It is weak, because proxies
    weaken it anyway.
    """
    return b'W/"' + blake2b(body, digest_size=12).hexdigest().encode() + b'"'


def revision_etag(revision: int) -> Header:
    """Return the header with the strong ETag of a revision of an object, as hosts read it."""
    return b"etag", b'"r%d"' % revision


def etag_matches(if_none_match: str | None, tag: bytes) -> bool:
    """Return whether `If-None-Match` (a list, or `*`) names `tag`.

    The comparison is weak and ignores the suffixes of compressing proxies.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = tag.decode("ascii").removeprefix("W/")
    if if_none_match.removeprefix("W/") == opaque:
        return True
    prefix = opaque[:-1]
    if prefix not in if_none_match:
        return False
    return any(each.startswith(prefix) and _END.fullmatch(each, len(prefix)) for each in _TAGS.findall(if_none_match))


def conditional_response(request: Request, body: bytes, tag: bytes, headers: tuple[Header, ...] = ()) -> Response:
    """Return 304 if the caller has the body already, else 200 with it. Both have the same headers.

    The response to a write contains the ETag for the next write, and is not cacheable.
    """
    if request.route.method != "GET":
        return Response(200, body, (JSON_HEADER, (b"etag", tag), NO_STORE, *headers))
    common = ((b"etag", tag), REVALIDATE, VARY, *headers)
    if etag_matches(request.header(b"if-none-match"), tag):
        return Response(304, b"", common)
    return Response(200, body, (JSON_HEADER, *common))


def required_revisions(request: Request) -> frozenset[int] | None:
    """Return the revisions that `If-Match` accepts, None for no condition or `*`.

    Weak ETags and those of compressed bodies count, because proxies produce them. Foreign ETags are
    ignored beside one of this server.

    Raises:
        ConditionInvalid: no ETag in the header is one of this server.
    """
    lines = [value.decode("latin-1") for name, value in request.headers if name == b"if-match"]
    parts = [part.strip(" \t") for line in lines for part in line.split(",")]
    if not lines or parts == ["*"]:
        return None
    revisions = frozenset(int(match[1]) for match in map(_REVISION.fullmatch, parts) if match)
    if not revisions:
        raise ConditionInvalid
    return revisions
