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


def _nothing(_: Content) -> int:
    """Weigh nothing."""
    return 0


class MadeOfActivities(Generic[T]):
    """What `make` returns of activities, for the last `most` of them. The event loop's alone."""

    def __init__(
        self,
        db: Database,
        make: Callable[[Activity, Content], T],
        most: int,
        account: Account | None = None,
        *,
        bytes_of: Callable[[Content], int] = _nothing,
    ) -> None:
        self._db = db
        self._make = make
        self._most = most
        self._account = account or CacheBudget().account("made")
        self._bytes_of = bytes_of
        self._kept: OrderedDict[UUID, tuple[int, T, int]] = OrderedDict()
        self._loading: dict[UUID, asyncio.Task[T]] = {}

    async def get(self, activity: Activity) -> T:
        """Return what is made of an activity, of this or a later revision.

        Raises:
            NotFound: it went away meanwhile.
        """
        kept = self._kept.get(activity.id)
        if kept is not None and kept[0] >= activity.revision:
            return kept[1]
        task = self._loading.get(activity.id)
        if task is None:
            task = self._loading[activity.id] = asyncio.create_task(self._read(activity.id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Make everything anew."""
        while self.forget_oldest():
            pass

    def forget_oldest(self) -> bool:
        """Forget what was made first; whether there was anything."""
        if not self._kept:
            return False
        _, (_, _, size) = self._kept.popitem(last=False)
        self._account.add(-size)
        return True

    async def _read(self, activity_id: UUID) -> T:
        try:
            activity, content = await self._db.read_unmeasured(activity_with_content, activity_id)
        finally:
            self._loading.pop(activity_id, None)
        made = self._make(activity, content)
        before, size = self._kept.pop(activity_id, None), self._bytes_of(content)
        self._kept[activity_id] = activity.revision, made, size
        if len(self._kept) > self._most:
            self.forget_oldest()
        self._account.add(size - (before[2] if before else 0))
        return made
