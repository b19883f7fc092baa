"""Storage quota: bytes of a session in the database, counted on its head row.

A row counts with its share of the table and of its indexes, the larger one of the two databases,
and its texts in UTF-8. Links and data derived from responses do not count; links have their own
limit.
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
"""Bytes of a row without its texts."""

RESERVE_SHARE = 0.1
"""Share above the limit for edits and lifecycle steps, so that an event can finish."""

WARNING_SHARE = 0.8
"""Share of the limit at which the host is warned."""


def text_bytes(*texts: str | None) -> int:
    """Return the bytes of some texts in UTF-8."""
    stored = 0
    for text in texts:
        if text:
            stored += len(text) if text.isascii() else len(text.encode())
    return stored


def is_full(head: FeedHead, *, in_reserve: bool = False) -> bool:
    """Return whether a session reached its limit (0: no limit); `in_reserve` allows the reserve."""
    return 0 < head.max_bytes * (1 + RESERVE_SHARE * in_reserve) <= head.counts["stored_bytes"]


def require_storage(head: FeedHead, *, in_reserve: bool = False) -> None:
    """Refuse new rows where the session is full.

    Raises:
        StorageFull: the session reached its limit.
    """
    if is_full(head, in_reserve=in_reserve):
        raise StorageFull


def is_near_limit(stored: int, max_bytes: int) -> bool:
    """Return whether a session reached four fifths of its limit."""
    return 0 < max_bytes * WARNING_SHARE <= stored
