"""Used tickets: the names of tickets that opened their stream, until the tickets expire.

Workers share them through Redis. Without Redis, or while it is away, a ticket can open one stream
at each worker. Its holder may read there anyway for that minute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conflicto.access.errors import TokenInvalid
from conflicto.access.tokens import TICKET_LIFETIME_S
from conflicto.platform.cache_budget import CacheBudget

if TYPE_CHECKING:
    from conflicto.platform.clock import Clock
    from conflicto.platform.redis import Redis

MAX_USED_TICKETS = 200_000
"""Number of stored tickets, 3,000 for each second of their life. Beyond it, the oldest can be
reused."""

TICKET_BYTES = 250

MARGIN_S = 5
"""Tolerance between the wall clock that issues tickets and the monotonic clock that expires
them."""


class UsedTickets:
    """Used tickets of this process, and of all processes that share a Redis."""

    def __init__(self, clock: Clock, redis: Redis | None = None, epoch: str = "", budget: CacheBudget | None = None) -> None:
        self._clock = clock
        self._account = (budget or CacheBudget()).account("tickets")
        self._redis = redis
        self._prefix = f"conflicto:{epoch}:ticket:"
        self._used: dict[str, float] = {}

    async def use(self, name: str) -> None:
        """Mark a ticket as used.

        Raises:
            TokenInvalid: it was used before.
        """
        now_s = self._clock.monotonic_s()
        while self._used and next(iter(self._used.values())) < now_s:
            self._remove_oldest()
        if name in self._used:
            raise TokenInvalid
        while len(self._used) >= MAX_USED_TICKETS:
            self._remove_oldest()
        self._used[name] = now_s + TICKET_LIFETIME_S + MARGIN_S
        self._account.add(TICKET_BYTES)
        if self._redis is not None:
            key, lifetime_s = self._prefix + name, TICKET_LIFETIME_S + MARGIN_S
            if not await self._redis.run(lambda client: client.set(key, b"", nx=True, ex=lifetime_s), default=True):
                raise TokenInvalid

    def _remove_oldest(self) -> None:
        del self._used[next(iter(self._used))]
        self._account.add(-TICKET_BYTES)
