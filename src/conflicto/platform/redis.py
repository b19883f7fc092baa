"""Redis, or Valkey, as something that may be away: every question has a short deadline, and while it rests nobody asks.

What it holds is never the truth: doorbells, copies, and limits that this process can keep alone. So a fault here is not told to callers
as one; each question says what is to be believed instead.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

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

FAULTS = (RedisError, OSError, TimeoutError)

log = structlog.get_logger(__name__)


class Redis:
    """The connections of one process. The event loop's alone."""

    def __init__(self, url: str, clock: Clock, *, deadline_s: float | None = None) -> None:
        self.url = url
        self._clock = clock
        self._deadline_s = DEADLINE_S if deadline_s is None else deadline_s
        self._client = Client(connection_pool=self._pool(MOST_CONNECTIONS, self._deadline_s))
        self._rests_until_s = 0.0
        self.faults = 0

    @property
    def is_up(self) -> bool:
        """Whether the last question was answered, or it is time to try again."""
        return self._clock.monotonic_s() >= self._rests_until_s

    async def ask(self, question: Callable[[Any], Awaitable[T]], otherwise: T) -> T:
        """Return the answer to a question, which is put to the client; `otherwise` if none comes in time."""
        if not self.is_up:
            return otherwise
        try:
            async with asyncio.timeout(self._deadline_s):
                return await question(self._client)
        except FAULTS as error:
            self._rest(error)
            return otherwise

    def listener(self) -> Any:  # noqa: ANN401 - redis-py's PubSub is untyped
        """Return a subscription with a connection of its own that waits for messages as long as it takes."""
        return Client(connection_pool=self._pool(1, None)).pubsub()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    def _pool(self, most: int, answer_s: float | None) -> BlockingConnectionPool:
        return BlockingConnectionPool.from_url(
            self.url,
            max_connections=most,
            timeout=self._deadline_s,
            socket_connect_timeout=1.0,
            socket_timeout=answer_s,
            retry=Retry(NoBackoff(), 0),
            retry_on_timeout=False,
            client_name="conflicto",
        )

    def _rest(self, error: BaseException) -> None:
        self.faults += 1
        if self.is_up:
            log.warning("redis-away", error=type(error).__name__, rest_s=REST_S)
        self._rests_until_s = self._clock.monotonic_s() + REST_S
