"""Cursors of lists: opaque, versioned, and bound to one list with its filters.

A cursor contains the key of the last item of a page, so the database finds the next page by index.
It is no secret and grants no access.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from conflicto.platform.problems import FieldError, InvalidInput

if TYPE_CHECKING:
    from conflicto.platform.http.messages import Request

    Key = tuple[int | str, ...]

VERSION = 1
DIGEST_BYTES = 8
MAX_CURSOR_CHARS = 200
MAX_KEY_INTEGER = 2**63 - 1
PAGING_FIELDS = frozenset({"limit", "offset", "cursor"})
"""Query fields that select a part of a list. All others are filters."""

INVALID = "is no next_cursor of this list with these filters; leave it out to begin at the first page"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, bytes, list[int | str]]).decode


def encode_cursor(request: Request, key: Key) -> str:
    """Return the cursor that continues after the item with `key`."""
    return urlsafe_b64encode(_encode((VERSION, _digest(request), key))).rstrip(b"=").decode()


def decode_cursor(request: Request, cursor: str, kinds: tuple[type, ...]) -> Any:  # noqa: ANN401 - a tuple of `kinds`
    """Return the key in a cursor. Its members have the types `kinds`.

    Raises:
        InvalidInput: the cursor belongs to another list, other filters or another version, or is
            forged.
    """
    if len(cursor) > MAX_CURSOR_CHARS:
        raise InvalidInput(errors=(FieldError("/query/cursor", INVALID),))
    try:
        version, digest, key = _decode(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (ValueError, msgspec.DecodeError):
        raise InvalidInput(errors=(FieldError("/query/cursor", INVALID),)) from None
    is_key = tuple(map(type, key)) == kinds and all(abs(each) <= MAX_KEY_INTEGER for each in key if isinstance(each, int))
    if version != VERSION or digest != _digest(request) or not is_key:
        raise InvalidInput(errors=(FieldError("/query/cursor", INVALID),))
    return tuple(key)


def next_link(request: Request, cursor: str) -> bytes:
    """Return the `Link` header value of the next page, with the same limit and filters."""
    fields = {name: request.query(name) or "" for name in sorted(request.query_names() - {"offset", "cursor"})}
    path = request.route.path.format_map(request.params)
    return f'<{path}?{urlencode(fields | {"cursor": cursor})}>; rel="next"'.encode()


def _digest(request: Request) -> bytes:
    filters = [(name, request.query(name)) for name in sorted(request.query_names() - PAGING_FIELDS)]
    identity = (request.route.name, sorted((name, str(value)) for name, value in request.params.items()), filters)
    return blake2b(_encode(identity), digest_size=DIGEST_BYTES).digest()
