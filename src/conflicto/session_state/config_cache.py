"""Cache of the JSON of a session's activities: config, secret and aggregate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.platform.cache_budget import text_bytes
from conflicto.platform.sizes import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from conflicto.activities.model import Activity, Content

MAX_CONTENT_BYTES = 4 * MIB
"""Limit for one session, in bytes of JSON; one activity has up to 256 KiB."""

ENTRY_BYTES = 600
"""Size of an entry without its JSON, in bytes."""


class ConfigCache:
    """JSON by activity, each with its revision."""

    def __init__(self) -> None:
        self._entries: dict[UUID, tuple[int, Content]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def missing(self, activities: Iterable[Activity]) -> list[UUID]:
        """Return the activities whose JSON is not cached in the present revision."""
        return [each.id for each in activities if self.get(each) is None]

    def get(self, activity: Activity) -> Content | None:
        """Return an activity's JSON in its present revision, or None."""
        revision, content = self._entries.get(activity.id, _NONE)
        return content if revision == activity.revision else None

    def get_any_revision(self, activity: Activity) -> Content:
        """Return an activity's cached JSON, whatever its revision."""
        return self._entries[activity.id][1]

    def put(self, read: Iterable[tuple[Activity, Content]]) -> None:
        """Cache the JSON of activities and evict the oldest entries beyond `MAX_CONTENT_BYTES`."""
        for activity, content in read:
            self._remove(activity.id)
            self._entries[activity.id] = activity.revision, content
            self.bytes += _size(content)
        while self.bytes > MAX_CONTENT_BYTES and len(self._entries) > 1:
            self._remove(next(iter(self._entries)))

    def _remove(self, activity_id: UUID) -> None:
        known = self._entries.pop(activity_id, None)
        if known is not None:
            self.bytes -= _size(known[1])


def _size(content: Content) -> int:
    return ENTRY_BYTES + sum(map(text_bytes, (content.config, content.secret, content.aggregate)))


_NONE: tuple[int, Content | None] = (0, None)
