"""Response cache of one session: responses by view and target, and events that streams share."""

from __future__ import annotations

from collections import deque
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from conflicto.platform.cache_budget import CacheBudget
from conflicto.platform.generations import MAX_DROPPED
from conflicto.platform.sizes import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from conflicto.platform.response_cache.auth_cache import CachedAuth
    from conflicto.platform.response_cache.cached_response import CachedResponse

MAX_ENTRIES = 20_000
"""Largest number of entries of one map, such as the responses of one view. Callers with cursors
of their own cause most of them; `EvictionQueue` bounds their bytes."""

MAX_RESPONSE_BYTES = 512 * KIB
"""Size of the largest response that is cached. A larger page is built for each request."""

MAX_EVENT_BATCH_BYTES = 4 * MIB
"""Size of the largest event batch that is cached. Thousands of streams read the same one."""

ENTRY_BYTES = 600
"""Size of an entry without its value: its key, its place in the map, and its place in the queue."""

SHARE = 0.25
"""Share of the budget of all caches."""


EVENT_BATCH_BYTES = 500
"""Size of an event batch without its data."""

NO_PARTICIPANT = 0
"""Participant id of tokens that belong to no seat."""


class Invalidation(Enum):
    """Kind of a change, by what it makes stale."""

    DATA = "data"
    """Responses that follow data, and events."""

    CONTROL = "control"
    """All responses and events."""

    ALL = "all"
    """All responses and events, and cached authentication: newer commits may revoke tokens."""


class Entry(Protocol):
    """A value with its size. It was created, and expires, at these monotonic seconds."""

    @property
    def size_bytes(self) -> int:
        """Memory that the value takes."""

    @property
    def created_s(self) -> float:
        """Time of creation."""

    @property
    def expires_s(self) -> float:
        """Time of expiry."""


E = TypeVar("E", bound=Entry)


class BoundedMap(dict[object, E], Generic[E]):
    """Entries by key. Read it as a dictionary and add entries with `put` only."""

    __slots__ = ("_max_entry_bytes", "_queue", "bytes", "is_open")

    def __init__(self, queue: EvictionQueue, max_entry_bytes: int = MAX_RESPONSE_BYTES) -> None:
        super().__init__()
        self._queue = queue
        self._max_entry_bytes = max_entry_bytes
        self.bytes = 0
        self.is_open = True

    def put(self, key: Hashable, entry: E) -> None:
        """Cache an entry unless it is too large, or the map is full or closed."""
        if key in self:
            self.remove(key)
        if entry.size_bytes <= self._max_entry_bytes and len(self) < MAX_ENTRIES and self.is_open:
            self[key] = entry
            self.bytes += entry.size_bytes + ENTRY_BYTES
            self._queue.add(self, key, entry)

    def remove(self, key: Hashable) -> bool:
        """Remove an entry. Return whether it was there."""
        entry = self.pop(key, None)
        if entry is None:
            return False
        self.bytes -= entry.size_bytes + ENTRY_BYTES
        self._queue.account.add(-entry.size_bytes - ENTRY_BYTES)
        return True

    def clear(self) -> None:
        """Remove every entry."""
        if self:
            self._queue.account.add(-self.bytes)
            self.bytes = 0
            super().clear()


class EvictionQueue:
    """All cached responses of a process, oldest first.

    Responses live for seconds, so the oldest are evicted first.
    """

    def __init__(self, budget: CacheBudget | None = None) -> None:
        self.account = (budget or CacheBudget()).account("responses", share=SHARE, evict=self.evict, age=self._age)
        self._queue: deque[tuple[BoundedMap[Any], Hashable, float]] = deque()

    def add(self, owner: BoundedMap[E], key: Hashable, entry: E) -> None:
        """Add a new entry, and remove up to two expired ones."""
        self._queue.append((owner, key, entry.expires_s))
        for _ in range(2):
            owner_of_oldest, oldest_key, expires_s = self._queue[0]
            found = owner_of_oldest.get(oldest_key)
            is_cached = found is not None and found.expires_s == expires_s
            if is_cached and expires_s >= entry.created_s:
                break
            self._queue.popleft()
            if is_cached:
                owner_of_oldest.remove(oldest_key)
        self.account.add(entry.size_bytes + ENTRY_BYTES)

    def _age(self) -> None:
        """Forget the places of removed entries at the front, such as those of dropped sessions."""
        for _ in range(min(MAX_DROPPED, len(self._queue))):
            owner, key, expires_s = self._queue[0]
            found = owner.get(key)
            if found is not None and found.expires_s == expires_s:
                return
            self._queue.popleft()

    def evict(self) -> bool:
        """Remove the oldest entry that is still cached. Return whether there was one."""
        while self._queue:
            owner, key, expires_s = self._queue.popleft()
            found = owner.get(key)
            if found is not None and found.expires_s == expires_s:
                return owner.remove(key)
        return False


class EventBatch(NamedTuple):
    """The encoded events of one page, the cursor after it, and whether it is the last page."""

    data: bytes
    cursor: int
    is_last: bool

    @property
    def size_bytes(self) -> int:
        """Memory that the batch takes."""
        return len(self.data) + EVENT_BATCH_BYTES

    @property
    def created_s(self) -> float:
        """The beginning of time, because batches do not expire."""
        return 0.0

    @property
    def expires_s(self) -> float:
        """Infinity: only a change makes a batch stale."""
        return inf


class ViewCache(BoundedMap["CachedResponse"]):
    """Responses of one view by target, and the tokens that may read it.

    The fast path reads it on every poll, and sets `was_read` at least once a second then.
    `revocations` counts how often all tokens were invalidated.
    """

    __slots__ = ("_auths", "revocations", "was_read")

    def __init__(self, queue: EvictionQueue | None = None) -> None:
        super().__init__(queue or EvictionQueue())
        self.revocations = 0
        self._auths: dict[int, list[CachedAuth]] = {}
        self.was_read = False

    def clear_data(self) -> None:
        """Remove responses that follow data, and keep those that only control changes."""
        stale = [target for target, response in self.items() if response.follows_data]
        if len(stale) == len(self):
            self.clear()
        else:
            for target in stale:
                self.remove(target)

    def add_auth(self, auth: CachedAuth, now_s: float) -> None:
        """Add a token that may read this view, and remove expired ones of the same participant."""
        valid = [earlier for earlier in self._auths.get(auth.participant_id, ()) if earlier.expires_s > now_s]
        self._auths[auth.participant_id] = [*valid, auth]

    def remove_auth(self, auth: CachedAuth) -> None:
        """Remove an invalidated token."""
        others = [each for each in self._auths.get(auth.participant_id, ()) if each is not auth]
        if others:
            self._auths[auth.participant_id] = others
        else:
            self._auths.pop(auth.participant_id, None)

    def revoke(self, participant_id: int | None = None) -> None:
        """Invalidate the tokens of one participant, or all.

        The request pipeline caches tokens that are still valid again.
        """
        self.revocations += participant_id is None
        participant_ids = list(self._auths) if participant_id is None else [participant_id]
        for each in participant_ids:
            for auth in self._auths.pop(each, ()):
                auth.invalidate()


class ResponseCache:
    """Responses and events of one session. Only the owner of their source adds and invalidates.

    `events` holds encoded batches by the key of their page plan.
    """

    __slots__ = ("events", "views")

    def __init__(self, views: Iterable[str], queue: EvictionQueue | None = None) -> None:
        queue = queue or EvictionQueue()
        self.views = {view: ViewCache(queue) for view in views}
        self.events: BoundedMap[EventBatch] = BoundedMap(queue, MAX_EVENT_BATCH_BYTES)

    def get(self, view: str, target: bytes | None, participant_id: int | None, now_s: float) -> CachedResponse | None:
        """Return a fresh response to a canonical target that the caller may read, or None."""
        response = self.views[view].get(target)
        if response is None or now_s >= response.expires_s:
            return None
        if response.visible_to is not None and not response.visible_to.includes(participant_id or NO_PARTICIPANT):
            return None
        return response

    def pop_was_read(self) -> bool:
        """Return whether the fast path read a view since the last call."""
        was_read = any(view.was_read for view in self.views.values())
        for view in self.views.values():
            view.was_read = False
        return was_read

    def invalidate(self, kind: Invalidation) -> None:
        """Remove what a change made stale."""
        if self.events:
            self.events.clear()
        for view in self.views.values():
            if view and kind is Invalidation.DATA:
                view.clear_data()
            elif view:
                view.clear()
            if kind is Invalidation.ALL:
                view.revoke()

    def close(self) -> None:
        """Remove everything and cache nothing more: the source has left memory."""
        self.events.is_open = False
        for view in self.views.values():
            view.is_open = False
        self.invalidate(Invalidation.ALL)
