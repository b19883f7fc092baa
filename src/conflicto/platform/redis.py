"""Redis or Valkey with short deadlines; after an error it is not used for a short time.

Its data is never authoritative: doorbells, copies, and limits that this process can keep alone.
Errors are not raised to callers. Each command names a default value to use instead.
"""

from __future__ import annotations

import asyncio
import traceback
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from redis.asyncio import Redis as Client

from conflicto.platform.logs import MAX_MESSAGE_CHARACTERS
from conflicto.platform.redis_url import create_pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conflicto.platform.clock import Clock

T = TypeVar("T")

DEADLINE_S = 0.05
"""Deadline of one command, connecting included. Callers wait for it, and a server nearby answers in
less than a millisecond."""

PAUSE_S = 1.0
"""Time without commands after an error. An unavailable server costs one caller per second its 50
ms."""

MAX_CONNECTIONS = 32
"""Connections of one process; commands are short, so few connections serve many callers."""

LOG_INTERVAL_S = 60.0
"""Time between two log lines about the same cause."""

log = structlog.get_logger(__name__)


class ErrorLog:
    """Log of errors with a rate limit, shared by the connections of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._logged_s: dict[str, float] = {}

    def log(self, error: BaseException) -> None:
        """Log why Redis cannot be used, once a minute for each kind of error."""
        kind, now_s = type(error).__name__, self._clock.monotonic_s()
        logged_s = self._logged_s.get(kind)
        if logged_s is None or now_s - logged_s >= LOG_INTERVAL_S:
            self._logged_s[kind] = now_s
            log.warning(
                "redis-away",
                error=kind,
                message=str(error)[:MAX_MESSAGE_CHARACTERS],
                at=_source_line(error),
                again_s=LOG_INTERVAL_S,
            )


class Redis:
    """The connections of one process. For the event loop only."""

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
        """Return a client of the same server with its own connections and deadline.

        Both clients share one error log.
        """
        return Redis(self.url, self._clock, deadline_s=deadline_s, error_log=self._error_log)

    @property
    def is_paused(self) -> bool:
        """Return whether a command failed a moment ago. `RedisProbe` knows whether Redis is up."""
        return self._clock.monotonic_s() < self._paused_until_s

    async def run(self, command: Callable[[Any], Awaitable[T]], default: T) -> T:
        """Run a command and return its result, or `default` after any error or timeout."""
        if self.is_paused:
            return default
        try:
            async with asyncio.timeout(self._deadline_s):
                return await command(self._client)
        except Exception as error:  # noqa: BLE001 - callers get the default after any error
            self._pause(error)
            return default

    def listener(self) -> Any:  # noqa: ANN401 - redis-py's PubSub is untyped
        """Return a subscription on a connection of its own, without a read timeout."""
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
    """Return the source line of an error. A traceback would include the URL and its password."""
    frames = traceback.extract_tb(error.__traceback__, limit=-1)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
