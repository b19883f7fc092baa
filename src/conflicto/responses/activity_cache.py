"""Keep what is made from an activity's type and JSON: read once for all who need it at that moment, anew for each revision."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

from conflicto.activities.queries import activity_with_content
from conflicto.platform.cache_budget import CacheBudget

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from conflicto.activities.model import Activity, Content
    from conflicto.platform.cache_budget import Account
    from conflicto.platform.db.engine import Database

T = TypeVar("T")


def _zero_bytes(_: Content) -> int:
    """Weigh nothing."""
    return 0


class ActivityCache(Generic[T]):
    """What `make` returns of activities, for the last `most` of them. The event loop's alone."""

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
        self._account = account or CacheBudget().account("made")
        self._size_of = size_of
        self._entries: OrderedDict[UUID, tuple[int, T, int]] = OrderedDict()
        self._load_tasks: dict[UUID, asyncio.Task[T]] = {}

    async def get(self, activity: Activity) -> T:
        """Return what is made of an activity, of this or a later revision.

        Raises:
            NotFound: it went away meanwhile.
        """
        kept = self._entries.get(activity.id)
        if kept is not None and kept[0] >= activity.revision:
            return kept[1]
        task = self._load_tasks.get(activity.id)
        if task is None:
            task = self._load_tasks[activity.id] = asyncio.create_task(self._load(activity.id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def clear(self) -> None:
        """Make everything anew."""
        while self.evict_oldest():
            pass

    def evict_oldest(self) -> bool:
        """Forget what was made first; whether there was anything."""
        if not self._entries:
            return False
        _, (_, _, size) = self._entries.popitem(last=False)
        self._account.add(-size)
        return True

    async def _load(self, activity_id: UUID) -> T:
        try:
            activity, content = await self._db.read_unmeasured(activity_with_content, activity_id)
        finally:
            self._load_tasks.pop(activity_id, None)
        made = self._build(activity, content)
        before, size = self._entries.pop(activity_id, None), self._size_of(content)
        self._entries[activity_id] = activity.revision, made, size
        if len(self._entries) > self._max_entries:
            self.evict_oldest()
        self._account.add(size - (before[2] if before else 0))
        return made
