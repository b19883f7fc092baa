"""Cache of session states. Commits keep them current, so polls need no database query.

A state is loaded once, then changed by the writer's commits, in commit order. Commits of other
processes are read after a doorbell or a sweep, in one query. A local commit that does not continue
the state waits for such a read, and so do requests.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

import structlog

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.db.epochs import EpochChanged
from conflicto.platform.db.group import Committed
from conflicto.platform.event_bus import EventBus, RemoteCommits
from conflicto.platform.problems import DomainError, NotFound
from conflicto.platform.response_cache.response_cache import EvictionQueue, ResponseCache
from conflicto.session_state.idleness import age
from conflicto.session_state.memory_size import memory_bytes
from conflicto.session_state.remote_changes import events_by_session, load_remote_changes
from conflicto.session_state.state import SessionState, has_anonymous_round, load_session_state
from conflicto.session_state.views import View, view_of
from conflicto.sessions.feed_heads.store import read_positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conflicto.access.roles import Caller
    from conflicto.platform.db.engine import Database
    from conflicto.platform.peers.commits import PeerCommit
    from conflicto.platform.response_cache.response_cache import ViewCache
    from conflicto.session_state.state import StateParts

MAX_SESSIONS = 5_000
"""Limit of sessions in memory. The least recently used are evicted, earlier if the budget of all
caches is exceeded.
"""

BUDGET_SHARE = 0.45
"""Share of that budget."""

USES_PER_MEASUREMENT = 32
"""Reads or commits of sessions between two measurements of a session's size."""

MAX_DROPPED_SESSIONS = 100
"""Limit of idle sessions that one tick of age drops, which takes a few milliseconds."""

MAX_DELETED_IDS = 100_000
"""Limit of remembered ids of deleted sessions, so that phones that still poll cost no query."""


log = structlog.get_logger(__name__)

CATCH_UP_INTERVAL_S = 0.01
"""Pause between two reads of other processes' commits, so that one read covers many commits."""


class CatchUp:
    """Catch-up of one state with the database.

    `required_ts` is the newest local commit that it must reach.

    `has_hint`: other processes may have committed since the last read began.
    """

    __slots__ = ("advanced", "has_hint", "required_ts", "state")

    def __init__(self, state: SessionState) -> None:
        self.state = state
        self.required_ts = 0
        self.has_hint = True
        self.advanced: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def notify(self) -> None:
        """Wake those who wait for the next step."""
        completed, self.advanced = self.advanced, asyncio.get_running_loop().create_future()
        completed.set_result(None)


class StatePositions:
    """Positions of the states in memory; safe in any thread."""

    def __init__(self, states: Mapping[int, SessionState]) -> None:
        self._states = states

    def position(self, topic: int) -> int:
        """Return the known position of a session, 0 if unknown."""
        state = self._states.get(topic)
        return 0 if state is None else state.position

    def newest_position(self) -> int:
        """Return the newest known position of all sessions."""
        return max((state.position for state in list(self._states.values())), default=0)


class SessionCache:
    """Session states of one process, on its event loop.

    `parts` are those of packages above. `bus` receives the commits of other processes.
    """

    def __init__(
        self,
        db: Database,
        parts: StateParts,
        bus: EventBus | None = None,
        budget: CacheBudget | None = None,
    ) -> None:
        self._db = db
        self._parts = parts
        budget = budget or CacheBudget()
        self._responses = EvictionQueue(budget)
        self._account = budget.account("sessions", share=BUDGET_SHARE, evict=self._evict, age=self._age)
        self._bus = bus or EventBus()
        self._states: OrderedDict[int, SessionState] = OrderedDict()
        self.positions = StatePositions(self._states)
        self._catch_ups: dict[int, CatchUp] = {}
        self._loading: dict[int, asyncio.Task[SessionState]] = {}
        self._committed_positions: dict[int, int] = {}
        self._deleted_ids: OrderedDict[int, None] = OrderedDict()
        self._catch_up_tasks: set[asyncio.Task[None]] = set()
        self._resets = 0
        self._sizes: dict[int, int] = {}
        self._uses_since_measurement = 0

    def __len__(self) -> int:
        return len(self._states)

    def subscribe(self, bus: EventBus) -> None:
        """Apply every local commit, and remove all states when an epoch begins."""
        bus.subscribe(Committed, self.apply)
        bus.subscribe(EpochChanged, lambda _: self.reset())

    async def get(self, session_id: int) -> SessionState:
        """Return a session's state, from memory if it is there.

        Raises:
            NotFound: the session does not exist.
            Unavailable: it had to be loaded, and the database does not respond.
        """
        while (state := self._states.get(session_id)) is not None:
            if not state.is_behind or await self._wait_until_caught_up(state):
                self._states.move_to_end(session_id)
                state.idle_ticks = 0
                self._uses_since_measurement += 1
                if self._uses_since_measurement >= USES_PER_MEASUREMENT:
                    self._measure(state)
                return state
        if session_id in self._deleted_ids:
            raise NotFound
        task = self._loading.get(session_id)
        if task is None:
            task = self._loading[session_id] = asyncio.create_task(self._load(session_id))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    def cached(self, session_id: int) -> SessionState | None:
        """Return a session's state if it is in memory with every local commit, and use it."""
        state = self._states.get(session_id)
        if state is None or state.is_behind:
            return None
        self._states.move_to_end(session_id)
        return state

    def may_be_anonymous(self, session_id: int) -> bool:
        """Return whether an anonymous round is or may be open, if the session is not in memory."""
        state = self.cached(session_id)
        return state is None or has_anonymous_round(state)

    def view_cache_of(self, caller: Caller) -> ViewCache | None:
        """Return the cache of a caller's view, if the session is in memory."""
        state = None if caller.session_id is None else self._states.get(caller.session_id)
        return None if state is None else state.responses.views[view_of(caller)]

    def close(self) -> None:
        """Wake all subscribers, because the process is about to stop."""
        for state in list(self._states.values()):
            for notifier in state.notifiers.values():
                notifier.notify_now()

    async def find(self, session_id: int, *, fresh: bool = False) -> SessionState | None:
        """Return a session's state, None if the session does not exist. `fresh` loads it again."""
        if fresh:
            self._drop(session_id)
        try:
            return await self.get(session_id)
        except NotFound:
            return None

    def apply(self, committed: Committed) -> None:
        """Apply a commit of this process."""
        events = events_by_session(committed.events, self._parts.handlers)
        for session_id, locked in committed.heads.items():
            if session_id in self._loading:
                self._committed_positions[session_id] = locked.position
            state = self._states.get(session_id)
            if state is not None and locked.position > state.position:
                if locked.locked_ts != state.position:
                    self._mark_behind(state, locked.position)
                    continue
                state.apply_commit(locked, events.get(session_id, ()))
                state.idle_ticks = 0
                self._check_changed(state)

    def apply_of_peer(self, commit: PeerCommit) -> None:
        """Apply a commit of another worker of this machine.

        If it does not continue a state, the state waits for a read, as after a local commit.
        """
        events = events_by_session(commit.events or (), self._parts.handlers)
        for session_id, head in commit.heads.items():
            if session_id in self._loading:
                self._committed_positions[session_id] = max(head.position, self._committed_positions.get(session_id, 0))
            state = self._states.get(session_id)
            if state is None or head.position <= state.position:
                continue
            if state.is_behind or head.locked_ts != state.position or commit.events is None:
                self._mark_behind(state, head.position)
                continue
            changed = events.get(session_id, ())
            state.apply_commit(head, changed)
            self._bus.publish(RemoteCommits(changed, state.ts))
            self._check_changed(state)

    def reset(self) -> None:
        """Remove all states, because a new epoch of the database has begun."""
        self._resets += 1
        self._deleted_ids.clear()
        for session_id in list(self._states):
            self._drop(session_id)

    def notify(self, session_id: int, ts: int) -> None:
        """Take the hint that another process moved a session to `ts`.

        A late, wrong or repeated hint costs at most one read.
        """
        state = self._states.get(session_id)
        if state is not None and ts > state.position:
            self._start_catch_up(state).has_hint = True

    async def sweep(self) -> tuple[int, ...]:
        """Find the sessions that other processes changed, in one query for all of them.

        Returns sessions whose stored position is behind the known one: the database lost commits.
        """
        watched = {session_id: state.position for session_id, state in self._states.items()}
        if not watched:
            return ()
        stored = await self._db.read(read_positions, list(watched))
        for session_id in watched:
            if session_id in stored:
                self.notify(session_id, stored[session_id])
            else:
                self._mark_deleted(session_id)
        return tuple(session_id for session_id, known in watched.items() if stored.get(session_id, known) < known)

    def _mark_behind(self, state: SessionState, own_ts: int) -> None:
        state.mark_behind()
        catch_up = self._start_catch_up(state)
        catch_up.required_ts = max(catch_up.required_ts, own_ts)

    async def _wait_until_caught_up(self, state: SessionState) -> bool:
        """Wait until a state has every local commit so far; False if it was dropped meanwhile."""
        session_id = state.session.id
        catch_up = self._catch_ups[session_id]
        required_ts = catch_up.required_ts
        while state.position < required_ts and self._states.get(session_id) is state:
            await asyncio.shield(catch_up.advanced)
        return self._states.get(session_id) is state

    def _start_catch_up(self, state: SessionState) -> CatchUp:
        session_id = state.session.id
        catch_up = self._catch_ups.get(session_id)
        if catch_up is None or catch_up.state is not state:
            catch_up = self._catch_ups[session_id] = CatchUp(state)
            task = asyncio.create_task(self._catch_up(state, catch_up))
            self._catch_up_tasks.add(task)
            task.add_done_callback(self._catch_up_tasks.discard)
        return catch_up

    async def _catch_up(self, state: SessionState, catch_up: CatchUp) -> None:
        """Read remote changes until none is known to be missing.

        If the database fails, the state stays valid, unless it lacks a local commit.
        """
        session_id = state.session.id
        try:
            while (catch_up.has_hint or state.position < catch_up.required_ts) and await self._catch_up_once(state, catch_up):
                if not state.is_behind:
                    await asyncio.sleep(CATCH_UP_INTERVAL_S)
        except NotFound:
            self._mark_deleted(session_id)
        except DomainError as error:
            log.warning("catching-up-failed", code=error.code)
        finally:
            if self._catch_ups.get(session_id) is catch_up:
                del self._catch_ups[session_id]
                if state.is_behind:
                    self._drop(session_id)
            catch_up.notify()

    async def _catch_up_once(self, state: SessionState, catch_up: CatchUp) -> bool:
        """Read remote changes once. Return whether the state in memory can still catch up."""
        session_id = state.session.id
        catch_up.has_hint = False
        changes = await self._db.read_unmeasured(load_remote_changes, session_id, state.position, self._parts)
        if self._states.get(session_id) is not state:
            return False
        if changes.epoch != state.epoch:
            self._deleted_ids.clear()  # a restore may bring deleted sessions back
        if changes.is_truncated or changes.epoch != state.epoch:
            self._drop(session_id)
            return False
        events = state.apply_remote_changes(changes)
        state.is_behind = state.position < catch_up.required_ts
        catch_up.notify()
        if events:
            self._bus.publish(RemoteCommits(events, state.ts))
        return True

    async def _load(self, session_id: int) -> SessionState:
        try:
            while True:
                resets, state = self._resets, await self._db.read(load_session_state, session_id, self._parts)
                if self._committed_positions.pop(session_id, 0) <= state.position and resets == self._resets:
                    break
        except NotFound:
            self._mark_deleted(session_id)
            raise
        finally:
            self._loading.pop(session_id, None)
        state.responses = ResponseCache(View, self._responses)
        self._states[session_id] = state
        self._measure(state)
        if len(self._states) > MAX_SESSIONS:
            self._drop(next(iter(self._states)))
        return state

    def _drop(self, session_id: int) -> None:
        state = self._states.pop(session_id, None)
        if state is not None:
            self._account.add(-self._sizes.pop(session_id, 0))
            state.retire()

    def _evict(self) -> bool:
        """Forget the session that was used least recently, unless it is the last one."""
        if len(self._states) <= 1:
            return False
        self._drop(next(iter(self._states)))
        return True

    def _age(self) -> None:
        """Forget idle sessions, unless they catch up with the database just now."""
        idle = [session_id for session_id, state in self._states.items() if age(state) and session_id not in self._catch_ups]
        for session_id in idle[:MAX_DROPPED_SESSIONS]:
            self._drop(session_id)

    def _measure(self, state: SessionState) -> None:
        self._uses_since_measurement = 0
        session_id = state.session.id
        before, now = self._sizes.get(session_id, 0), memory_bytes(state)
        self._sizes[session_id] = now
        self._account.add(now - before)

    def _check_changed(self, state: SessionState) -> None:
        """Measure a changed state from time to time, and remove it if its session was deleted."""
        self._uses_since_measurement += 1
        if self._uses_since_measurement >= USES_PER_MEASUREMENT:
            self._measure(state)
        if state.session.deleted:
            self._mark_deleted(state.session.id)

    def _mark_deleted(self, session_id: int) -> None:
        self._drop(session_id)
        self._deleted_ids[session_id] = None
        if len(self._deleted_ids) > MAX_DELETED_IDS:
            self._deleted_ids.popitem(last=False)
