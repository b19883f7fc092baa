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

from conflicto.platform.redis_url import create_pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conflicto.platform.clock import Clock

T = TypeVar("T")

DEADLINE_S = 0.05
"""For one question, connecting included: callers wait for it, and a server next door answers in less than a millisecond."""

PAUSE_S = 1.0
"""How long nobody asks after a question failed: a server that is away costs one caller in a second their 50 ms, not every caller."""

MAX_CONNECTIONS = 32
"""Of one process; questions are short, so a few connections serve many callers."""

LOG_INTERVAL_S = 60.0
"""A cause is logged once in so long."""

MAX_ERROR_CHARS = 300
"""Characters of a cause in the log."""

log = structlog.get_logger(__name__)


class ErrorLog:
    """Causes that were logged lately; the connections of one process share them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logged_s: dict[str, float] = {}

    def log(self, error: BaseException) -> None:
        """Log why Redis cannot be used, once a minute for each kind of error."""
        kind, now_s = type(error).__name__, self._clock.monotonic_s()
        told_s = self._logged_s.get(kind)
        if told_s is None or now_s - told_s >= LOG_INTERVAL_S:
            self._logged_s[kind] = now_s
            log.warning("redis-away", error=kind, said=str(error)[:MAX_ERROR_CHARS], at=_source_line(error), again_s=LOG_INTERVAL_S)


class Redis:
    """The connections of one process. The event loop's alone."""

    def __init__(self, url: str, clock: Clock, *, deadline_s: float | None = None, error_log: ErrorLog | None = None) -> None:
        self.url = url
        self._clock = clock
        self._error_log = error_log or ErrorLog(clock)
        self._deadline_s = DEADLINE_S if deadline_s is None else deadline_s
        self._client = Client(
            connection_pool=create_pool(
                url, max_connections=MAX_CONNECTIONS, wait_s=self._deadline_s, read_timeout_s=self._deadline_s
            )
        )
        self._paused_until_s = 0.0
        self.errors = 0

    def with_deadline(self, deadline_s: float) -> Redis:
        """Return connections of their own to the same server, with another deadline; what both complain of is logged once."""
        return Redis(self.url, self._clock, deadline_s=deadline_s, error_log=self._error_log)

    @property
    def is_paused(self) -> bool:
        """Return whether a question failed a moment ago, so that nobody asks now. `RedisProbe` knows whether Redis is up."""
        return self._clock.monotonic_s() < self._paused_until_s

    async def run(self, command: Callable[[Any], Awaitable[T]], default: T) -> T:
        """Return the answer to a question, which is put to the client; `otherwise` if none comes in time, for whatever reason."""
        if self.is_paused:
            return default
        try:
            async with asyncio.timeout(self._deadline_s):
                return await command(self._client)
        except Exception as error:  # noqa: BLE001 - nobody may wait for an answer that does not come
            self._pause(error)
            return default

    def listener(self) -> Any:  # noqa: ANN401 - redis-py's PubSub is untyped
        """Return a subscription with a connection of its own that waits for messages as long as it takes."""
        return Client(
            connection_pool=create_pool(self.url, max_connections=1, wait_s=self._deadline_s, read_timeout_s=None)
        ).pubsub()

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
        await self._client.connection_pool.aclose()

    def _pause(self, error: BaseException) -> None:
        self.errors += 1
        self._error_log.log(error)
        self._paused_until_s = self._clock.monotonic_s() + PAUSE_S


def _source_line(error: BaseException) -> str:
    """Return where an error was raised, as a line of a file; a traceback would hold the address and its password."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
