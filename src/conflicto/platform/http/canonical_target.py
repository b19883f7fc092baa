"""Canonical targets: the only spelling of a request target whose response is cached."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.platform.http.messages import Request

_POSITION = re.compile(r"[0-9]{16}|0|now", re.ASCII)
_NUMBER = re.compile(r"0|[1-9][0-9]{0,7}", re.ASCII)


def canonical_target(request: Request) -> bytes | None:
    """Return the canonical spelling of a request's target, None if one of its values has none.

    Ids have the server's spelling, positions are cursors, `0` or `now`, and numbers have no leading
    zeros. Query fields appear once, ordered by name. Other spellings get the same response on the
    slow path.
    """
    if not all(_POSITION.fullmatch(value) for value in request.params.values() if isinstance(value, str)):
        return None
    fields = [(name, request.query(name) or "") for name in sorted(request.query_names())] if request.query_string else []
    if not all(_NUMBER.fullmatch(value) for _, value in fields):
        return None
    path = request.route.path.format_map(request.params)
    query = "&".join(f"{name}={value}" for name, value in fields)
    return (f"{path}?{query}" if query else path).encode()
