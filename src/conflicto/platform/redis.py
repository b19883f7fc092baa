"""Redis, or Valkey, as something that may be away: every question has a short deadline, and while it rests nobody asks.

What it holds is never the truth: doorbells, copies, and limits that this process can keep alone. So a fault here is not told to callers
as one; each question says what is to be believed instead.
"""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from redis.asyncio import Redis as Client

from conflicto.platform.redis_url import pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conflicto.platform.clock import Clock

T = TypeVar("T")

DEADLINE_S = 0.05
"""For one question, connecting included: callers wait for it, and a server next door answers in less than a millisecond."""

REST_S = 1.0
"""How long nobody asks after a question failed: a server that is away costs one caller in a second their 50 ms, not every caller."""

MOST_CONNECTIONS = 32
"""Of one process; questions are short, so a few connections serve many callers."""

COMPLAINT_S = 60.0
"""A cause is logged once in so long."""

MAX_SAID = 300
"""Characters of a cause in the log."""

log = structlog.get_logger(__name__)


class Complaints:
    """Causes that were logged lately; the connections of one process share them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_s: dict[str, float] = {}

    def tell(self, error: BaseException) -> None:
        """Log why Redis cannot be used, once a minute for each kind of error."""
        kind, now_s = type(error).__name__, self._clock.monotonic_s()
        told_s = self._told_s.get(kind)
        if told_s is None or now_s - told_s >= COMPLAINT_S:
            self._told_s[kind] = now_s
            log.warning("redis-away", error=kind, said=str(error)[:MAX_SAID], at=_place_of(error), again_s=COMPLAINT_S)


class Redis:
    """The connections of one process. The event loop's alone."""

    def __init__(self, url: str, clock: Clock, *, deadline_s: float | None = None, complaints: Complaints | None = None) -> None:
        self.url = url
        self._clock = clock
        self._complaints = complaints or Complaints(clock)
        self._deadline_s = DEADLINE_S if deadline_s is None else deadline_s
        self._client = Client(connection_pool=pool(url, most=MOST_CONNECTIONS, wait_s=self._deadline_s, answer_s=self._deadline_s))
        self._rests_until_s = 0.0
        self.faults = 0

    def beside(self, deadline_s: float) -> Redis:
        """Return connections of their own to the same server, with another deadline; what both complain of is logged once."""
        return Redis(self.url, self._clock, deadline_s=deadline_s, complaints=self._complaints)

    @property
    def is_resting(self) -> bool:
        """Return whether a question failed a moment ago, so that nobody asks now. `RedisProbe` knows whether Redis is up."""
        return self._clock.monotonic_s() < self._rests_until_s

    async def ask(self, question: Callable[[Any], Awaitable[T]], otherwise: T) -> T:
        """Return the answer to a question, which is put to the client; `otherwise` if none comes in time, for whatever reason."""
        if self.is_resting:
            return otherwise
        try:
            async with asyncio.timeout(self._deadline_s):
                return await question(self._client)
        except Exception as error:  # noqa: BLE001 - nobody may wait for an answer that does not come
            self._rest(error)
            return otherwise

    def listener(self) -> Any:  # noqa: ANN401 - redis-py's PubSub is untyped
        """Return a subscription with a connection of its own that waits for messages as long as it takes."""
        return Client(connection_pool=pool(self.url, most=1, wait_s=self._deadline_s, answer_s=None)).pubsub()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
        await self._client.connection_pool.aclose()

    def _rest(self, error: BaseException) -> None:
        self.faults += 1
        self._complaints.tell(error)
        self._rests_until_s = self._clock.monotonic_s() + REST_S


def _place_of(error: BaseException) -> str:
    """Return where an error was raised, as a line of a file; a traceback would hold the address and its password."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
