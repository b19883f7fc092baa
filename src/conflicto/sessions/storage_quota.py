"""Bytes that a session takes in the database, counted on its head row in the transactions that store them.

A row is charged its share of the table and of its indexes, the larger one of the two databases, and its texts in UTF-8. Links are not
counted, because their number has a bound of its own; what is derived from answers is not either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.sessions.errors import StorageFull

if TYPE_CHECKING:
    from conflicto.platform.db.sequence import FeedHead

RESPONSE_BYTES = 500
POOLED_BYTES = 500
KEY_BYTES = 250
PARTICIPANT_BYTES = 500
TRANSITION_BYTES = 250
ACTIVITY_BYTES = 600
ROUND_BYTES = 250
"""Of a row without its texts."""

RESERVE_SHARE = 0.1
"""Of the cap: beyond it, edits that need more bytes and steps of activities are still taken, so that an event comes to its end."""

WARNING_SHARE = 0.8
"""Of the cap: from here on the host is told."""


def text_bytes(*texts: str | None) -> int:
    """Return the bytes of some texts in UTF-8."""
    stored = 0
    for text in texts:
        if text:
            stored += len(text) if text.isascii() else len(text.encode())
    return stored


def is_full(head: FeedHead, *, in_reserve: bool = False) -> bool:
    """Return whether a session stores as much as it may (0: no cap); `in_reserve` is for what may use the reserve."""
    return 0 < head.max_bytes * (1 + RESERVE_SHARE * in_reserve) <= head.counts["stored_bytes"]


def require_storage(head: FeedHead, *, in_reserve: bool = False) -> None:
    """Refuse what needs new rows where the session is full.

    Raises:
        StorageFull: it is.
    """
    if is_full(head, in_reserve=in_reserve):
        raise StorageFull


def is_near_limit(stored: int, max_bytes: int) -> bool:
    """Return whether a session has reached four fifths of its cap, so that its host is told."""
    return 0 < max_bytes * WARNING_SHARE <= stored
