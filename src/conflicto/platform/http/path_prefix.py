"""The path below which a server lies where it shares a host name with others, such as `/live`.

Proxies either keep the path in the requests that they pass on or take it away; a server takes both for the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conflicto.platform.http.messages import Header

_ENDS = frozenset({b"", b"/", b"?"})


def prefix_of(public_url: str) -> str:
    """Return the path of the public URL without a slash at its end, empty for none."""
    return urlsplit(public_url).path.rstrip("/")


def without_prefix(target: bytes, prefix: bytes) -> bytes:
    """Return a request's target as a server sees it that has its host name for itself."""
    rest = target[len(prefix) :]
    if not target.startswith(prefix) or rest[:1] not in _ENDS:
        return target
    return rest if rest.startswith(b"/") else b"/" + rest


def with_prefix(prefix: bytes, headers: Iterable[Header]) -> tuple[Header, ...]:
    """Return headers whose addresses of ours lie below the prefix."""
    begins = {b"location": b"/", b"link": b"</"}
    return tuple(
        (name, value.replace(begins[name], begins[name][:-1] + prefix + b"/", 1))
        if name in begins and value.startswith(begins[name])
        else (name, value)
        for name, value in headers
    )
