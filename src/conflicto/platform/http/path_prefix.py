"""Path prefix of a server that shares a host name with others, such as `/live`.

Some proxies keep the prefix in the requests that they forward, others remove it. The server accepts
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.http.messages import Header

_ENDS = frozenset({b"", b"/", b"?"})


def prefix_of(public_url: str) -> str:
    """Return the path of the public URL without its last slash, empty for none."""
    return urlsplit(public_url).path.rstrip("/")


def without_prefix(target: bytes, prefix: bytes) -> bytes:
    """Return a request's target without the prefix."""
    rest = target[len(prefix) :]
    if not target.startswith(prefix) or rest[:1] not in _ENDS:
        return target
    return rest if rest.startswith(b"/") else b"/" + rest


def with_prefix(prefix: bytes, headers: Iterable[Header]) -> tuple[Header, ...]:
    """Return headers in which `Location` and `Link` of this server contain the prefix."""
    starts = {b"location": b"/", b"link": b"</"}
    return tuple(
        (name, value.replace(starts[name], starts[name][:-1] + prefix + b"/", 1))
        if name in starts and value.startswith(starts[name])
        else (name, value)
        for name, value in headers
    )
