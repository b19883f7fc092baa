"""Pages of the feed that one worker read from the database, for the other workers' callers who ask the same of the same moment.

After a restart a full hall comes back with old positions, to all workers at once. The name of a page holds the position of the head that
it was read for, so what it says is never older than what that worker knows, and no change of the session can make it wrong.
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
    from conflicto.feed.session_state import SessionState
    from conflicto.platform.shared_cache import SharedCache


class _CachedPage(msgspec.Struct, frozen=True):
    """A page as it is kept: its items are JSON already."""

    items: list[msgspec.Raw]
    timestamps: list[int]
    since: int
    cursor: int
    has_more: bool
    closed: bool
    clamped: bool


_decode = msgspec.json.Decoder(_CachedPage).decode


class SharedPages:
    """Reads pages, or takes them from another worker that did; without a cache it reads them all."""

    def __init__(self, cache: SharedCache | None) -> None:
        self._cache = cache

    async def read(self, head: SessionState, asking: PagePlan) -> Page:
        """Return a page; raises what reading it raises."""
        if self._cache is None or not _is_shareable(asking):
            return await asking.read()
        name = _name(head, asking)
        kept = await self._cache.get(name)
        if kept is not None:
            return _page(kept)
        page = await asking.read()
        await self._cache.put(name, _kept(page))
        return page


def _is_shareable(asking: PagePlan) -> bool:
    """Whether a page is the same for all of a view, and for all time."""
    is_one_seats = asking.is_private or (asking.guard is not None and asking.guard.min_ts > 0)
    return not is_one_seats and asking.since.kind != "now"


def _name(head: SessionState, asking: PagePlan) -> str:
    asked = blake2b(repr(asking.key).encode(), digest_size=16).hexdigest()
    return f"{__version__}:{head.session.id}:{head.ts}:{asked}"


def _kept(page: Page) -> bytes:
    return encode(
        _CachedPage(list(page.items), list(page.timestamps), page.since, page.cursor, page.has_more, page.closed, page.clamped)
    )


def _page(kept: bytes) -> Page:
    found = _decode(kept)
    return Page(found.items, found.timestamps, found.since, found.cursor, found.has_more, found.closed, found.clamped)
