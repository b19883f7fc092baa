"""Hold answers against their activity's type, if it is registered, before they reach the writer.

The check of an activity is compiled once from its type and config, and kept: an answer then costs well below a microsecond.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from conflicto.activities.queries import activity_with_content

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from conflicto.activities.model import Activity
    from conflicto.activity_types.checking import Check
    from conflicto.activity_types.registry import Registry
    from conflicto.platform.db.engine import Database
    from conflicto.platform.problems import FieldError

    FindActivity = Callable[[int, UUID], Awaitable[Activity | None]]
    """Returns an activity of a session from memory, None if there is none."""

MOST_CHECKS = 2_000
"""Compiled checks that are kept, a few KiB each; the oldest go first."""

_decode = msgspec.json.Decoder().decode

Kept = tuple[int, "Check | None"]


class AnswerCheck:
    """The checks of the activities that are answered at present. The event loop's alone."""

    def __init__(self, db: Database, types: Registry, find: FindActivity) -> None:
        self._db = db
        self._types = types
        self._find = find
        self._kept: OrderedDict[UUID, Kept] = OrderedDict()
        self._loading: dict[UUID, asyncio.Task[Kept]] = {}

    async def faults(self, session_id: int, activity_id: UUID, text: str) -> tuple[FieldError, ...]:
        """Return what does not fit in an answer, given as gated text; nothing if its activity is opaque, or not to be seen.

        Raises:
            NotFound: the activity went away meanwhile.
        """
        activity = await self._find(session_id, activity_id)
        if activity is None or not activity.is_visible or self._types.find(activity.type) is None:
            return ()
        kept = self._kept.get(activity_id)
        if kept is None or kept[0] < activity.revision:
            kept = await self._load(activity_id)
        check = kept[1]
        return () if check is None else check.faults(_decode(text))

    async def _load(self, activity_id: UUID) -> Kept:
        """Read the config once for all who answer at that moment."""
        task = self._loading.get(activity_id)
        if task is None:
            task = self._loading[activity_id] = asyncio.create_task(self._read(activity_id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    async def _read(self, activity_id: UUID) -> Kept:
        try:
            activity, content = await self._db.read(activity_with_content, activity_id)
        finally:
            self._loading.pop(activity_id, None)
        known = self._types.find(activity.type)
        kept = activity.revision, known.response_check(content.config) if known else None
        self._kept[activity_id] = kept
        if len(self._kept) > MOST_CHECKS:
            self._kept.popitem(last=False)
        return kept
