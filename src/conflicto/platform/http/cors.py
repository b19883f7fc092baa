"""Cross-origin resource sharing (CORS) for the origins in the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conflicto.platform.instants import S_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPOSED_HEADERS = (
    "ETag",
    "Link",
    "Retry-After",
    "Feed-Cursor",
    "Poll-After",
    "RateLimit",
    "RateLimit-Policy",
    "Renewed-Token",
    "Deletion-Receipt",
    "Location",
    "Content-Disposition",
    "Content-Range",
    "Preference-Applied",
)
"""Response headers that pages of other origins may read."""

PREFLIGHT_MAX_AGE_S = S_PER_DAY


def with_cors(app: Any, origins: Sequence[str]) -> Any:  # noqa: ANN401 - ASGI
    """Return the application with CORS headers, or unchanged if there are no origins."""
    if not origins:
        return app
    from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415 - most servers start without it

    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=list(EXPOSED_HEADERS),
        max_age=PREFLIGHT_MAX_AGE_S,
    )
