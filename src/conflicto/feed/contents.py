"""The JSON of a session's activities, as far as somebody asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from conflicto.activities.model import Activity, Content

MOST_CONTENT = 4 * 1024 * 1024
"""Characters of configs kept in memory for one session; one config has up to 256 KiB."""


class Contents:
    """JSON by activity, each with the revision that it belongs to."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[int, Content]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def unread(self, activities: Iterable[Activity]) -> list[UUID]:
        """Return which of them have no JSON in memory, or that of an earlier revision."""
        return [each.id for each in activities if self.of(each) is None]

    def of(self, activity: Activity) -> Content | None:
        """Return an activity's JSON, None if it is not that of the present revision."""
        revision, content = self._known.get(activity.id, _NONE)
        return content if revision == activity.revision else None

    def last_of(self, activity: Activity) -> Content:
        """Return an activity's JSON as it was read last."""
        return self._known[activity.id][1]

    def keep(self, read: Iterable[tuple[Activity, Content]]) -> None:
        """Keep the JSON of activities as it was read; when it is too much, what was kept before goes first."""
        read = list(read)
        for activity, content in read:
            self._known[activity.id] = activity.revision, content
        if sum(len(content.config) for _, content in self._known.values()) > MOST_CONTENT:
            self._known = {activity.id: (activity.revision, content) for activity, content in read}


_NONE: tuple[int, Content | None] = (0, None)
