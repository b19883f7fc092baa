"""Doorbells between workers: hints that a topic's feed moved, and to which timestamp.

The database is authoritative, and every worker checks it once a second in any case. A doorbell only
makes the check earlier. A lost, late, repeated or wrong one costs a late or an extra check.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from conflicto.platform.ids import random_up_to
from conflicto.platform.logs import MAX_MESSAGE_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conflicto.platform.redis import Redis

GATHER_S = 0.02
"""Time in which doorbells are gathered into one message. Workers of one machine do not wait for
them (`platform/peers`), and other machines read what many commits changed at once."""

READ_TIMEOUT_S = 5.0
"""Time without a message after which the connection is tested; it may be dead without notice."""

RETRY_S = (0.2, 2.0)
"""Bounds of the random pause before the next attempt to listen, so that workers do not return at
once."""

MAX_MESSAGE_BYTES = 1_000_000
MAX_DIGITS = 20
"""Digits of a number that are parsed; ours have at most 16."""

log = structlog.get_logger(__name__)


class Bus(Protocol):
    """Channel of doorbells between workers."""

    @property
    def is_listening(self) -> bool:
        """Return whether doorbells of other workers arrive."""

    def publish(self, positions: Mapping[int, int]) -> None:
        """Publish the timestamps to which this worker moved topics."""

    async def run(self) -> None:
        """Listen until cancelled."""


class NoBus:
    """For a single process, or workers that meet only in the database."""

    is_listening = False

    def publish(self, positions: Mapping[int, int]) -> None:
        """Do nothing."""

    async def run(self) -> None:
        """Return at once."""


class RedisBus:
    """One Redis channel per installation, for all its workers. For the event loop only."""

    def __init__(self, redis: Redis, epoch: str, on_doorbell: Callable[[int, int], None], on_listening: Callable[[], None]) -> None:
        self._redis = redis
        self._channel = f"conflicto:{epoch}:doorbells"
        self._on_doorbell = on_doorbell
        self._on_listening = on_listening
        self._gathered: dict[int, int] = {}
        self._publishing: asyncio.Task[None] | None = None
        self.is_listening = False

    def publish(self, positions: Mapping[int, int]) -> None:
        """Publish the timestamps to which this worker moved topics, after `GATHER_S`."""
        for topic, ts in positions.items():
            self._gathered[topic] = max(ts, self._gathered.get(topic, 0))
        if self._gathered and (self._publishing is None or self._publishing.done()):
            self._publishing = asyncio.create_task(self._publish_gathered())

    async def run(self) -> None:
        """Listen until cancelled.

        `on_listening` is called whenever listening begins, because doorbells may have been missed.
        """
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - listening begins again after any error
                if self.is_listening:
                    log.warning("doorbells-silent", error=type(error).__name__, message=str(error)[:MAX_MESSAGE_CHARACTERS])
            finally:
                self.is_listening = False
            shortest, longest = RETRY_S
            await asyncio.sleep(shortest + random_up_to(longest - shortest))

    async def _publish_gathered(self) -> None:
        while self._gathered:
            await asyncio.sleep(GATHER_S)
            gathered, self._gathered = self._gathered, {}
            await self._redis.run(partial(_publish, self._channel, encode(gathered)), default=None)

    async def _listen(self) -> None:
        listener = self._redis.listener()
        try:
            await listener.subscribe(self._channel)
            await self._receive(listener)
            self.is_listening = True
            self._on_listening()
            while True:
                await self._receive(listener)
        finally:
            with suppress(Exception):
                await listener.aclose()

    async def _receive(self, listener: Any) -> None:  # noqa: ANN401 - redis-py's PubSub is untyped
        """Receive one message; after a silence test the connection."""
        message = await listener.get_message(timeout=READ_TIMEOUT_S)
        if message is None:
            await listener.ping()
            message = await listener.get_message(timeout=READ_TIMEOUT_S)
            if message is None:
                raise TimeoutError
        if message["type"] == "message":
            for topic, ts in decode(message["data"]):
                self._on_doorbell(topic, ts)


async def _publish(channel: str, message: str, client: Any) -> None:  # noqa: ANN401 - redis-py's own types are too loose
    await client.publish(channel, message)


def encode(positions: Mapping[int, int]) -> str:
    """Return a message.

    >>> encode({7: 1795580453367871, 8: 1795580453367900})
    '7:1795580453367871 8:1795580453367900'
    """
    return " ".join(f"{topic}:{ts}" for topic, ts in positions.items())


def decode(message: object) -> Iterator[tuple[int, int]]:
    """Yield the topics and timestamps of a message; invalid parts are skipped.

    >>> list(decode(b"7:1795580453367871 8: x:1 :: 9:2"))
    [(7, 1795580453367871), (9, 2)]
    """
    if isinstance(message, bytes) and len(message) <= MAX_MESSAGE_BYTES:
        for each in message.split():
            topic, _, ts = each.partition(b":")
            if topic.isdigit() and ts.isdigit() and max(len(topic), len(ts)) <= MAX_DIGITS:
                yield int(topic), int(ts)
