"""Cache of values built from activities.

Concurrent readers share one load. A newer revision is loaded again.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from conflicto.activities.queries import activity_with_content
from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.generations import Generations

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from conflicto.activities.model import Activity, Content
    from conflicto.platform.cache_budget import Account
    from conflicto.platform.db.engine import Database

T = TypeVar("T")


def _zero_bytes(_: Content) -> int:
    """Return 0."""
    return 0


class ActivityCache(Generic[T]):
    """Caches results of `build` for the last `max_entries` activities.

    `size_of` returns the bytes that `account` is charged with. For the event loop only.
    """

    def __init__(
        self,
        db: Database,
        build: Callable[[Activity, Content], T],
        max_entries: int,
        account: Account | None = None,
        *,
        size_of: Callable[[Content], int] = _zero_bytes,
    ) -> None:
        self._db = db
        self._build = build
        self._max_entries = max_entries
        self._account = account or CacheBudget().account("activities")
        self._size_of = size_of
        self._entries: Generations[UUID, tuple[int, T, int]] = Generations()
        self._load_tasks: dict[UUID, asyncio.Task[tuple[int, T]]] = {}

    async def get(self, activity: Activity) -> T:
        """Return the value of an activity in this or a later revision.

        Raises:
            NotFound: the activity was deleted.
        """
        entry = self._entries.recent.get(activity.id) or self._entries.get(activity.id)
        if entry is not None and entry[0] >= activity.revision:
            return entry[1]
        revision, value = await self._shared_load(activity.id)
        if revision < activity.revision:  # the load began before the change
            revision, value = await self._shared_load(activity.id)
        return value

    def clear(self) -> None:
        """Remove all entries."""
        while self.evict_oldest():
            pass

    def evict_oldest(self) -> bool:
        """Remove the oldest entry and return whether there was one."""
        oldest = self._entries.pop_oldest()
        if oldest is None:
            return False
        self._account.add(-oldest[2])
        return True

    def age(self) -> None:
        """Remove entries that nobody used for a while."""
        self._account.add(-sum(size for _, (_, _, size) in self._entries.age()))

    async def _shared_load(self, activity_id: UUID) -> tuple[int, T]:
        task = self._load_tasks.get(activity_id)
        if task is None:
            task = self._load_tasks[activity_id] = asyncio.create_task(self._load(activity_id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _load(self, activity_id: UUID) -> tuple[int, T]:
        try:
            activity, content = await self._db.read_unmeasured(activity_with_content, activity_id)
        finally:
            self._load_tasks.pop(activity_id, None)
        value = self._build(activity, content)
        size = self._size_of(content)
        before = self._entries.put(activity_id, (activity.revision, value, size))
        if len(self._entries) > self._max_entries:
            self.evict_oldest()
        self._account.add(size - (before[2] if before else 0))
        return activity.revision, value
