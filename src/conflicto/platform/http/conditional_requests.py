"""Conditional requests (RFC 9110 §13): tags of bodies and of revisions, `If-None-Match` and `If-Match`."""

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
"""Not `no-store`: a browser must keep the body to be able to ask whether it still holds."""

_PACKED = r"(?:(?:--?|;)(?:gzip|br|zstd|deflate))?"
"""Suffix that a proxy appends to the tag of a body which it compressed: Apache, Caddy and lighttpd one dash, Jetty two."""

_END = re.compile(rf'{_PACKED}"', re.ASCII)

_TAGS = re.compile(r'("[\x21\x23-\x7e]*")\s*(?:,|$)', re.ASCII)
"""Begins with the quote: with blanks before it, 20 KB of blanks in a header took 11 s."""

_REVISION = re.compile(rf'(?:W/)?"r([0-9]{{1,9}}){_PACKED}"', re.ASCII)


class ConditionInvalid(DomainError):
    """`If-Match` accepts tags of the object's representation, or `*`.

    Examples: `"r7"` and `"r7", "r8"`.
    """

    code = "condition-invalid"
    title = "The If-Match header does not hold a tag of this object"
    kind = Kind.MALFORMED


def etag_of(body: bytes) -> bytes:
    """Return the tag of a body: the same tag exactly if the same bytes. Weak, because proxies weaken it anyway."""
    return b'W/"' + blake2b(body, digest_size=12).hexdigest().encode() + b'"'


def revision_etag(revision: int) -> Header:
    """Return the strong tag of a host's representation of an object in one revision."""
    return b"etag", b'"r%d"' % revision


def etag_matches(if_none_match: str | None, tag: bytes) -> bool:
    """Tell whether `If-None-Match` (a list, or `*`) names `tag`, by weak comparison and whoever compressed the body."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    opaque = tag.decode("ascii").removeprefix("W/")
    if if_none_match.removeprefix("W/") == opaque:
        return True
    begin = opaque[:-1]
    if begin not in if_none_match:
        return False
    return any(each.startswith(begin) and _END.fullmatch(each, len(begin)) for each in _TAGS.findall(if_none_match))


def conditional_response(request: Request, body: bytes, tag: bytes, headers: tuple[Header, ...] = ()) -> Response:
    """Return 304 if the caller asks for a body that they have already, else 200 with it; both carry the same headers.

    What a write is answered has the tag, for the next one, and is kept by nobody.
    """
    if request.route.method != "GET":
        return Response(200, body, (JSON_HEADER, (b"etag", tag), NO_STORE, *headers))
    common = ((b"etag", tag), REVALIDATE, VARY, *headers)
    if etag_matches(request.header(b"if-none-match"), tag):
        return Response(304, b"", common)
    return Response(200, body, (JSON_HEADER, *common))


def required_revisions(request: Request) -> frozenset[int] | None:
    """Return the revisions of which `If-Match` demands one, None for no condition or `*`.

    Weakened tags and those of compressed bodies are taken: proxies make such of ours. Tags that cannot be ours name no revision, and do
    no harm beside one that can.

    Raises:
        ConditionInvalid: no tag in the header could be ours.
    """
    lines = [value.decode("latin-1") for name, value in request.headers if name == b"if-match"]
    parts = [part.strip(" \t") for line in lines for part in line.split(",")]
    if not lines or parts == ["*"]:
        return None
    revisions = frozenset(int(match[1]) for match in map(_REVISION.fullmatch, parts) if match)
    if not revisions:
        raise ConditionInvalid
    return revisions
