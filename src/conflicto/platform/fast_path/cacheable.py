"""Responses of handlers that the fast path may cache for later requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conflicto.platform.fast_path.cached_response import NOT_MODIFIED, VARIANT_STATUS
from conflicto.platform.http.messages import Response

if TYPE_CHECKING:
    from conflicto.platform.fast_path.cached_response import CachedResponse, Variant
    from conflicto.platform.fast_path.view_cache import ViewCache
    from conflicto.platform.http.messages import Request


@dataclass(frozen=True, slots=True)
class Cacheable:
    """A response that may be cached, the variant sent now, and the cache (None: do not cache).

    `follows_data`: changes of data invalidate it too, not only changes of control.
    """

    response: CachedResponse
    variant: Variant
    view_cache: ViewCache | None
    follows_data: bool

    @property
    def has_no_changes(self) -> bool:
        """True if the response contains nothing new for the caller."""
        return self.variant == NOT_MODIFIED or self.response.is_empty


def cacheable_response(request: Request, cached: CachedResponse, view_cache: ViewCache | None, *, follows_data: bool) -> Response:
    """Return 304 if the caller has the body already, else 200 with the body.

    Both have the same headers.
    """
    condition = request.header(b"if-none-match")
    variant = cached.select_variant(None if condition is None else condition.encode("latin-1"))
    body = b"" if variant == NOT_MODIFIED else cached.body
    cacheable = Cacheable(cached, variant, view_cache, follows_data)
    return Response(VARIANT_STATUS[variant], body, cached.headers[variant], cacheable)
