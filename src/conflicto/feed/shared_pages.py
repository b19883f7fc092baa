"""Pages that one worker read from the database, shared with other workers through Redis.

After a restart, many clients return to all workers with old positions. The key of a page includes
the position of the head, so a page is never older than the worker's state. No later change can make
it wrong.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from conflicto import __version__
from conflicto.feed.pages import Page
from conflicto.platform.http.messages import encode

if TYPE_CHECKING:
    from conflicto.feed.poll_handler import PagePlan
    from conflicto.platform.shared_cache import SharedCache
    from conflicto.session_state.state import SessionState


class _CachedPage(msgspec.Struct, frozen=True, rename={"timestamps": "stamps"}):
    """A page in the shared cache; its items are encoded JSON.

    Workers of an earlier program share the cache during an upgrade, so stored names stay.
    """

    items: list[msgspec.Raw]
    timestamps: list[int]
    since: int
    cursor: int
    has_more: bool
    closed: bool
    clamped: bool


_decode = msgspec.json.Decoder(_CachedPage).decode


class SharedPages:
    """Reads pages, or takes them from the shared cache; without a cache it reads all of them."""

    def __init__(self, cache: SharedCache | None) -> None:
        self._cache = cache

    async def read(self, state: SessionState, plan: PagePlan) -> Page:
        """Return a page; raises what reading it raises."""
        if self._cache is None or not _is_shareable(plan):
            return await plan.read()
        name = _name(state, plan)
        cached = await self._cache.get(name)
        if cached is not None:
            return _decode_page(cached)
        page = await plan.read()
        await self._cache.put(name, _encode_page(page))
        return page


def _is_shareable(plan: PagePlan) -> bool:
    """Return whether a page is the same for a whole view, at any time."""
    is_one_seats = plan.is_private or (plan.visible_to is not None and plan.visible_to.min_ts > 0)
    return not is_one_seats and plan.since.kind != "now"


def _name(state: SessionState, plan: PagePlan) -> str:
    digest = blake2b(repr(plan.key).encode(), digest_size=16).hexdigest()
    return f"{__version__}:{state.session.id}:{state.ts}:{digest}"


def _encode_page(page: Page) -> bytes:
    return encode(
        _CachedPage(list(page.items), list(page.timestamps), page.since, page.cursor, page.has_more, page.closed, page.clamped)
    )


def _decode_page(encoded: bytes) -> Page:
    page = _decode(encoded)
    return Page(page.items, page.timestamps, page.since, page.cursor, page.has_more, page.closed, page.clamped)
