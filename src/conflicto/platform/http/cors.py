"""Let the pages of other origins in, as far as the settings name some (CORS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.middleware.cors import CORSMiddleware

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
"""Headers of ours that such a page may read."""

PREFLIGHT_MAX_AGE_S = 86_400


def with_cors(app: Any, origins: Sequence[str]) -> Any:  # noqa: ANN401 - ASGI
    """Return the application with the headers that browsers ask for before they let another origin's page in; as it is for none."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=list(origins),
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=list(EXPOSED_HEADERS),
        max_age=PREFLIGHT_MAX_AGE_S,
    )
