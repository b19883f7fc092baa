"""Synchronisation of workers: doorbells over Redis, and a sweep of the database every second.

The sweep also detects a database that lost commits (`platform/db/epochs.py`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from conflicto.platform.bus import NoBus, RedisBus
from conflicto.platform.db.group import Committed
from conflicto.platform.problems import DomainError

if TYPE_CHECKING:
    from conflicto.platform.bus import Bus
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.event_bus import EventBus
    from conflicto.platform.redis import Redis
    from conflicto.session_state.session_cache import SessionCache

SWEEP_INTERVAL_S = 1.0
"""Seconds between sweeps: half of the 2 s by which a read may be stale."""


class WorkerSync:
    """Notifies other workers of local commits, and applies theirs to the session cache."""

    def __init__(self, sessions: SessionCache, writer: Writer, redis: Redis | None, name: str) -> None:
        self._sessions = sessions
        self._writer = writer
        self._sweep_requested = asyncio.Event()
        self._has_channel = redis is not None
        self._bus: Bus = NoBus() if redis is None else RedisBus(redis, name, sessions.notify, self._sweep_requested.set)

    @property
    def is_subscribed(self) -> bool:
        """True if doorbells of other workers arrive now."""
        return self._bus.is_listening

    def subscribe(self, bus: EventBus) -> None:
        """Notify the other workers of every local commit, if there is a channel to them."""
        if self._has_channel:
            bus.subscribe(Committed, self.notify)

    def notify(self, committed: Committed) -> None:
        """Notify the other workers of a local commit."""
        self._bus.publish({topic: head.position for topic, head in committed.heads.items()})

    async def run(self) -> None:
        """Synchronise until cancelled."""
        await asyncio.gather(self._run_sweeps(), self._bus.run())

    async def _run_sweeps(self) -> None:
        """Sweep every second, and at once after missed doorbells."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_INTERVAL_S):
                    await self._sweep_requested.wait()
            self._sweep_requested.clear()
            await self._sweep_once()

    async def _sweep_once(self) -> None:
        """Sweep once; after an impossible or empty result, let the writer check the epoch."""
        behind: tuple[int, ...] | None = None
        with suppress(DomainError):
            behind = await self._sessions.sweep()
        if behind is None or behind:
            with suppress(DomainError):
                await self._writer.run(behind or (), _no_op)


def _no_op(_: WriteTx) -> None:
    """Write nothing."""
