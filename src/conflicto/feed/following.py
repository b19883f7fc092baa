"""How the memory of one worker follows the others: doorbells over Redis if there is one, and a look at the database every second."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from conflicto.platform.bus import NoBus, RedisBus
from conflicto.platform.problems import DomainError

if TYPE_CHECKING:
    from conflicto.feed.heads import Heads
    from conflicto.platform.bus import Bus
    from conflicto.platform.db.group import Committed
    from conflicto.platform.redis import Redis

SWEEP_S = 1.0
"""How often other processes' commits are looked for: half of the 2 s by which a read may be stale."""


class Following:
    """Rings for what was committed here, and makes the memory catch up with what was committed elsewhere."""

    def __init__(self, heads: Heads, redis: Redis | None, epoch: str) -> None:
        self._heads = heads
        self._look = asyncio.Event()
        self._bus: Bus = NoBus() if redis is None else RedisBus(redis, epoch, heads.hear, self._look.set)

    @property
    def hears_doorbells(self) -> bool:
        """Whether others' doorbells arrive now."""
        return self._bus.is_listening

    def ring(self, committed: Committed) -> None:
        """Tell the others what this worker moved."""
        self._bus.ring({topic: head.ts for topic, head in committed.heads.items()})

    async def run(self) -> None:
        """Follow until cancelled."""
        await asyncio.gather(self._sweep(), self._bus.run())

    async def _sweep(self) -> None:
        """Look every second, and at once when doorbells may have been missed."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await self._look.wait()
            self._look.clear()
            with suppress(DomainError):
                await self._heads.sweep()
