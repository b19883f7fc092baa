"""Frames of event streams that many readers are told alike: encoded once for each change of a session."""

from __future__ import annotations

from typing import NamedTuple

MAX_EVENT_CACHE_BYTES = 4 * 1024 * 1024
"""Of one session. Beyond it a reader's frames are made for them alone."""


class EventBatch(NamedTuple):
    """The frames of one page, the cursor after it, and whether it is the last."""

    data: bytes
    cursor: int
    is_last: bool


class EventCache:
    """Pages of streams by what was asked."""

    def __init__(self) -> None:
        self._batches: dict[object, EventBatch] = {}
        self.bytes = 0

    def get(self, key: object) -> EventBatch | None:
        """Return a page's frames, if they were kept."""
        return self._batches.get(key)

    def put(self, key: object, batch: EventBatch) -> None:
        """Keep them until the session changes, if there is room."""
        if self.bytes + len(batch.data) <= MAX_EVENT_CACHE_BYTES:
            self.bytes += len(batch.data)
            self._batches[key] = batch

    def clear(self) -> None:
        """Forget all of them."""
        self._batches.clear()
        self.bytes = 0
