"""The memory of the feed: for each session in use its newest state, kept by the commits themselves.

A head holds all that a poll is answered from, so polls ask the database nothing. It is loaded once, then changed by what the writer
committed, in commit order. A commit that does not continue where the head stands (another process wrote in between) drops the head,
and the next request loads it anew.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from conflicto.feed.head import SessionHead, load_head
from conflicto.feed.views import view_of
from conflicto.platform.problems import NotFound
from conflicto.sessions.heads import positions

if TYPE_CHECKING:
    from conflicto.access.roles import Caller
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.group import Committed
    from conflicto.platform.express.shelf import Shelf

MOST_HEADS = 5_000
"""Sessions in memory, a few KiB each; the least recently used are forgotten."""

MOST_GONE = 100_000
"""Ids of deleted sessions that are remembered, so that phones that still ask cost no query."""

SWEEP_S = 1.0
"""How often other processes' commits are looked for: half of the 2 s by which a read may be stale."""


class Heads:
    """All heads of one process. The event loop's alone."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._heads: OrderedDict[int, SessionHead] = OrderedDict()
        self._loading: dict[int, asyncio.Task[SessionHead]] = {}
        self._news: dict[int, int] = {}
        self._gone: OrderedDict[int, None] = OrderedDict()

    async def get(self, session_id: int) -> SessionHead:
        """Return a session's head, from memory if it is there.

        Raises:
            NotFound: there is no such session.
            Unavailable: it had to be loaded, and the database does not answer.
        """
        head = self._heads.get(session_id)
        if head is not None:
            self._heads.move_to_end(session_id)
            return head
        if session_id in self._gone:
            raise NotFound
        task = self._loading.get(session_id)
        if task is None:
            task = self._loading[session_id] = asyncio.create_task(self._load(session_id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def known(self, session_id: int) -> SessionHead | None:
        """Return a session's head if it is in memory."""
        return self._heads.get(session_id)

    def shelf_of(self, caller: Caller) -> Shelf | None:
        """Return where the ready answers of a caller's view lie, if their session is in memory."""
        head = None if caller.session_id is None else self._heads.get(caller.session_id)
        return None if head is None else head.shelves[view_of(caller)]

    def close(self) -> None:
        """Wake everyone who waits: the process is about to stop."""
        for head in list(self._heads.values()):
            for bell in head.bells.values():
                bell.ring_now()

    async def standing(self, session_id: int, *, fresh: bool = False) -> SessionHead | None:
        """Return the head as what tokens are held against; None if there is no such session."""
        if fresh:
            self._drop(session_id)
        try:
            return await self.get(session_id)
        except NotFound:
            return None

    def apply(self, committed: Committed) -> None:
        """Follow a commit of this process."""
        for session_id, locked in committed.heads.items():
            if session_id in self._loading:
                self._news[session_id] = locked.ts
            head = self._heads.get(session_id)
            if head is not None and locked.ts > head.ts:
                if locked.base != head.ts:
                    self._drop(session_id)
                    continue
                head.follow(locked, committed.events)
                if head.session.deleted:
                    self._forget(session_id)

    async def sweep(self) -> None:
        """Drop heads that other processes moved on: one query, whatever the number of sessions and phones."""
        watched = list(self._heads)
        if watched:
            stored = await self._db.read(positions, watched)
            for session_id in watched:
                head = self._heads.get(session_id)
                if head is not None and stored.get(session_id, 0) > head.ts:
                    self._drop(session_id)
                elif session_id not in stored:
                    self._forget(session_id)

    async def _load(self, session_id: int) -> SessionHead:
        try:
            while True:
                head = await self._db.read(load_head, session_id)
                if self._news.pop(session_id, 0) <= head.ts:
                    break
        except NotFound:
            self._forget(session_id)
            raise
        finally:
            self._loading.pop(session_id, None)
        self._heads[session_id] = head
        if len(self._heads) > MOST_HEADS:
            self._drop(next(iter(self._heads)))
        return head

    def _drop(self, session_id: int) -> None:
        head = self._heads.pop(session_id, None)
        if head is not None:
            head.retire()

    def _forget(self, session_id: int) -> None:
        self._drop(session_id)
        self._gone[session_id] = None
        if len(self._gone) > MOST_GONE:
            self._gone.popitem(last=False)
