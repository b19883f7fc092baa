"""Link keys: secrets in QR code links beside the join code.

Links with the right key are never limited.

A key is derived from the code and the installation's signing key. It is checked without the
database, and changes with the code.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest, digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.platform.http.messages import Request

HEADER = b"link-key"
"""Header that carries the key, because proxies log queries and paths."""

KEY_BYTES = 9
"""Size of a key: 72 bits, 12 characters."""

_PURPOSE = b"conflicto link key"


class LinkKeys:
    """Creates and checks the link keys of one installation."""

    def __init__(self, signing_key: bytes) -> None:
        self._key = digest(signing_key, _PURPOSE, sha256)

    def key_of(self, code: str) -> str:
        """Return the key of a normalised join code."""
        return urlsafe_b64encode(digest(self._key, code.encode(), sha256)[:KEY_BYTES]).decode()

    def matches(self, code: str, key: str) -> bool:
        """Return whether the key is that of the code, in constant time."""
        return compare_digest(self.key_of(code).encode(), key.encode("utf-8", "surrogatepass"))


def link_key_of(request: Request) -> str | None:
    """Return the link key of a request, None if it has none, for example for a typed code."""
    return request.header(HEADER) or None
