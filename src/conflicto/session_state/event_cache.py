"""Cache of encoded stream events that many clients read alike.

Each batch is encoded once for each change of a session.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_EVENT_CACHE_BYTES = 4 * 1024 * 1024
"""Limit for one session, in bytes. Batches beyond it are encoded for each client."""


class EventBatch(NamedTuple):
    """The encoded events of one page, the cursor after it, and whether it is the last page."""

    data: bytes
    cursor: int
    is_last: bool


class EventCache:
    """Event batches by the key of their page plan."""

    def __init__(self) -> None:
        self._batches: dict[object, EventBatch] = {}
        self.bytes = 0

    def get(self, key: object) -> EventBatch | None:
        """Return a cached batch, or None."""
        return self._batches.get(key)

    def put(self, key: object, batch: EventBatch) -> None:
        """Cache a batch until the session changes, within the limit."""
        if self.bytes + len(batch.data) <= MAX_EVENT_CACHE_BYTES:
            self.bytes += len(batch.data)
            self._batches[key] = batch

    def clear(self) -> None:
        """Remove all batches."""
        self._batches.clear()
        self.bytes = 0
