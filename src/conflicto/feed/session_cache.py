"""The memory of the feed: for each session in use its newest state, kept by the commits themselves.

A head holds all that a poll is answered from, so polls ask the database nothing. It is loaded once, then changed by what the writer
committed, in commit order. What other processes commit is caught up with: one read of what changed, as soon as a doorbell or the sweep
tells of it. A commit of this process that does not continue where the head stands has to wait for such a read, and so has whoever asks.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

import structlog

from conflicto.feed.memory_size import account_for, bytes_of
from conflicto.feed.remote_changes import by_session, load_remote_changes
from conflicto.feed.session_state import SessionState, has_anonymous_round, load_session_state
from conflicto.feed.views import view_of
from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.fast_path.response_cache import ResponseCache
from conflicto.platform.problems import DomainError, NotFound
from conflicto.sessions.feed_heads import read_positions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from conflicto.access.roles import Caller
    from conflicto.activities.model import Activity
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.group import Committed
    from conflicto.platform.fast_path.view_cache import ViewCache
    from conflicto.sessions.model import Session

MOST_HEADS = 5_000
"""Sessions in memory; the least recently used are forgotten, and earlier where their bytes do not fit in the budget of all caches."""

SHARE = 0.45
"""Of that budget."""

BETWEEN_WEIGHINGS = 32
"""Looks at sessions, or commits to them, after which one is weighed again: what it holds grows by little meanwhile."""

MOST_GONE = 100_000
"""Ids of deleted sessions that are remembered, so that phones that still ask cost no query."""


log = structlog.get_logger(__name__)

SPACE_S = 0.01
"""How long a memory that caught up is left alone before hints make it look again: many commits of others are then one read."""


class CatchUp:
    """One memory on its way to where the database stands.

    `own_ts` is the newest commit of this process that it must reach; `is_hinted`: others moved on since the read began.
    """

    __slots__ = ("head", "is_hinted", "moved", "own_ts")

    def __init__(self, head: SessionState) -> None:
        self.head = head
        self.own_ts = 0
        self.is_hinted = True
        self.moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell(self) -> None:
        """Wake those who wait for the next step."""
        moved, self.moved = self.moved, asyncio.get_running_loop().create_future()
        moved.set_result(None)


class SessionCache:
    """All heads of one process. The event loop's alone. `on_others` hears what other processes did, as events, and up to when."""

    def __init__(
        self,
        db: Database,
        on_others: Callable[[Sequence[object], int], None] | None = None,
        budget: CacheBudget | None = None,
    ) -> None:
        self._db = db
        budget = budget or CacheBudget()
        self._responses = ResponseCache(budget)
        self._account = budget.account("sessions", share=SHARE, evict=self._evict)
        self._on_others = on_others or _ignore
        self._heads: OrderedDict[int, SessionState] = OrderedDict()
        self._pursuits: dict[int, CatchUp] = {}
        self._loading: dict[int, asyncio.Task[SessionState]] = {}
        self._news: dict[int, int] = {}
        self._gone: OrderedDict[int, None] = OrderedDict()
        self._catching: set[asyncio.Task[None]] = set()
        self._lives = 0
        self._weights: dict[int, int] = {}
        self._unweighed = 0

    def __len__(self) -> int:
        return len(self._heads)

    async def get(self, session_id: int) -> SessionState:
        """Return a session's head, from memory if it is there.

        Raises:
            NotFound: there is no such session.
            Unavailable: it had to be loaded, and the database does not answer.
        """
        while (head := self._heads.get(session_id)) is not None:
            if not head.is_behind or await self._has_reached(head):
                self._heads.move_to_end(session_id)
                self._weigh_sometimes(head)
                return head
        if session_id in self._gone:
            raise NotFound
        task = self._loading.get(session_id)
        if task is None:
            task = self._loading[session_id] = asyncio.create_task(self._load(session_id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def known(self, session_id: int) -> SessionState | None:
        """Return a session's head if it is in memory, with everything that this process acknowledged."""
        head = self._heads.get(session_id)
        return None if head is None or head.is_behind else head

    def may_be_anonymous(self, session_id: int) -> bool:
        """Return whether an anonymous round is open in a session, or may be because the session is not in memory."""
        head = self.known(session_id)
        return head is None or has_anonymous_round(head)

    def shelf_of(self, caller: Caller) -> ViewCache | None:
        """Return where the ready answers of a caller's view lie, if their session is in memory."""
        head = None if caller.session_id is None else self._heads.get(caller.session_id)
        return None if head is None else head.shelves[view_of(caller)]

    def close(self) -> None:
        """Wake everyone who waits: the process is about to stop."""
        for head in list(self._heads.values()):
            for bell in head.bells.values():
                bell.ring_now()

    async def standing(self, session_id: int, *, fresh: bool = False) -> SessionState | None:
        """Return the head as what tokens are held against; None if there is no such session."""
        if fresh:
            self._drop(session_id)
        try:
            return await self.get(session_id)
        except NotFound:
            return None

    def apply(self, committed: Committed) -> None:
        """Follow a commit of this process."""
        events = by_session(committed.events)
        for session_id, locked in committed.heads.items():
            if session_id in self._loading:
                self._news[session_id] = locked.position
            head = self._heads.get(session_id)
            if head is not None and locked.position > head.position:
                if locked.locked_ts != head.position:
                    self._fall_behind(head, locked.position)
                    continue
                head.follow(locked, events.get(session_id, ()))
                self._weigh_sometimes(head)
                if head.session.deleted:
                    self._forget(session_id)

    def begin_anew(self) -> None:
        """Forget everything, because another life of the database has begun."""
        self._lives += 1
        self._gone.clear()
        for session_id in list(self._heads):
            self._drop(session_id)

    def position(self, topic: int) -> int:
        """Return where a session is known to have stood, 0 if that is unknown; any thread may ask."""
        head = self._heads.get(topic)
        return 0 if head is None else head.position

    def newest_position(self) -> int:
        """Return the newest position that is known of any session; any thread may ask."""
        return max((head.position for head in list(self._heads.values())), default=0)

    def hear(self, session_id: int, ts: int) -> None:
        """Take the hint that another process moved a session to `ts`: it may be late, wrong or repeated, and costs at most a read."""
        head = self._heads.get(session_id)
        if head is not None and ts > head.position:
            self._pursue(head).is_hinted = True

    async def sweep(self) -> tuple[int, ...]:
        """Find the heads that other processes moved on: one query, whatever the number of sessions and phones.

        Returns sessions whose head is behind what was known of it: the database lost commits.
        """
        watched = {session_id: head.position for session_id, head in self._heads.items()}
        if not watched:
            return ()
        stored = await self._db.read(read_positions, list(watched))
        for session_id in watched:
            if session_id in stored:
                self.hear(session_id, stored[session_id])
            else:
                self._forget(session_id)
        return tuple(session_id for session_id, known in watched.items() if stored.get(session_id, known) < known)

    def _fall_behind(self, head: SessionState, own_ts: int) -> None:
        head.fall_behind()
        self._pursue(head).own_ts = own_ts

    async def _has_reached(self, head: SessionState) -> bool:
        """Wait until a head has all that this process acknowledged until now; False if it had to be dropped meanwhile."""
        session_id = head.session.id
        pursuit = self._pursuits[session_id]
        wanted = pursuit.own_ts
        while head.position < wanted and self._heads.get(session_id) is head:
            await asyncio.shield(pursuit.moved)
        return self._heads.get(session_id) is head

    def _pursue(self, head: SessionState) -> CatchUp:
        session_id = head.session.id
        pursuit = self._pursuits.get(session_id)
        if pursuit is None or pursuit.head is not head:
            pursuit = self._pursuits[session_id] = CatchUp(head)
            task = asyncio.create_task(self._catch_up(head, pursuit))
            self._catching.add(task)
            task.add_done_callback(self._catching.discard)
        return pursuit

    async def _catch_up(self, head: SessionState, pursuit: CatchUp) -> None:
        """Read what others changed until nothing is known to be missing.

        If it cannot be read, what is known stays good for a while; but not if this process acknowledged more than that.
        """
        session_id = head.session.id
        try:
            while (pursuit.is_hinted or head.position < pursuit.own_ts) and await self._step(head, pursuit):
                if not head.is_behind:
                    await asyncio.sleep(SPACE_S)
        except NotFound:
            self._forget(session_id)
        except DomainError as error:
            log.warning("catching-up-failed", code=error.code)
        finally:
            if self._pursuits.get(session_id) is pursuit:
                del self._pursuits[session_id]
                if head.is_behind:
                    self._drop(session_id)
            pursuit.tell()

    async def _step(self, head: SessionState, pursuit: CatchUp) -> bool:
        """Read once what others changed, and say whether the memory is still worth the pursuit."""
        session_id = head.session.id
        pursuit.is_hinted = False
        news = await self._db.read_unmeasured(load_remote_changes, session_id, head.position)
        if self._heads.get(session_id) is not head:
            return False
        if news.epoch != head.epoch:
            self._gone.clear()  # what was deleted may be there again
        if news.is_too_much or news.epoch != head.epoch:
            self._drop(session_id)
            return False
        events = head.catch_up(news)
        head.is_behind = head.position < pursuit.own_ts
        pursuit.tell()
        if events:
            self._on_others(events, head.ts)
        return True

    async def _load(self, session_id: int) -> SessionState:
        try:
            while True:
                life, head = self._lives, await self._db.read(load_session_state, session_id)
                if self._news.pop(session_id, 0) <= head.position and life == self._lives:
                    break
        except NotFound:
            self._forget(session_id)
            raise
        finally:
            self._loading.pop(session_id, None)
        account_for(head, self._responses)
        self._heads[session_id] = head
        self._weigh(head)
        if len(self._heads) > MOST_HEADS:
            self._drop(next(iter(self._heads)))
        return head

    def _drop(self, session_id: int) -> None:
        head = self._heads.pop(session_id, None)
        if head is not None:
            self._account.change(-self._weights.pop(session_id, 0))
            head.retire()

    def _evict(self) -> bool:
        """Forget the session that was used least recently, unless it is the last one."""
        if len(self._heads) <= 1:
            return False
        self._drop(next(iter(self._heads)))
        return True

    def _weigh_sometimes(self, head: SessionState) -> None:
        self._unweighed += 1
        if self._unweighed >= BETWEEN_WEIGHINGS:
            self._unweighed = 0
            self._weigh(head)

    def _weigh(self, head: SessionState) -> None:
        session_id = head.session.id
        before, now = self._weights.get(session_id, 0), bytes_of(head)
        self._weights[session_id] = now
        self._account.change(now - before)

    def _forget(self, session_id: int) -> None:
        self._drop(session_id)
        self._gone[session_id] = None
        if len(self._gone) > MOST_GONE:
            self._gone.popitem(last=False)


def _ignore(_: Sequence[object], __: int) -> None:
    """Hear nothing."""


async def activity_in(heads: SessionCache, session_id: int, activity_id: UUID) -> tuple[Session, Activity] | None:
    """Return an activity with its session, from memory; None if there is no such one."""
    head = await heads.standing(session_id)
    activity = head.activities.get(activity_id) if head else None
    return (head.session, activity) if head and activity else None
