"""Link keys: the secret that the link in a QR code carries beside the join code. A link that is right is never limited.

A key is derived from the code and the installation's signing key, so it is checked without the database and changes with the code.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest, digest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conflicto.platform.http.messages import Request

HEADER = b"link-key"
"""Sent as a header: queries and paths stand in the logs of proxies."""

KEY_BYTES = 9
"""72 bits, 12 characters."""

_PURPOSE = b"conflicto link key"


class LinkKeys:
    """Makes and checks the link keys of one installation."""

    def __init__(self, signing_key: bytes) -> None:
        self._key = digest(signing_key, _PURPOSE, sha256)

    def key_of(self, code: str) -> str:
        """Return the key that belongs to a normalised join code."""
        return urlsafe_b64encode(digest(self._key, code.encode(), sha256)[:KEY_BYTES]).decode()

    def matches(self, code: str, key: str) -> bool:
        """Compare a key with the code's own in constant time."""
        return compare_digest(self.key_of(code).encode(), key.encode("utf-8", "surrogatepass"))


def link_key_of(request: Request) -> str | None:
    """Return the link key that a request carries; None if it has none, as where a code was typed."""
    return request.header(HEADER) or None
