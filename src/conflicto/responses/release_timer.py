"""Timer of pool releases, with regular scans for pools that other processes filled."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from conflicto.activities.queries import pooling_activities
from conflicto.platform.instants import US_PER_S
from conflicto.platform.problems import DomainError
from conflicto.responses.commands.release import release_due
from conflicto.responses.events import ResponsesPooled
from conflicto.responses.queries import activities_with_waiting

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.activities.model import Activity
    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.event_bus import EventBus

SCAN_INTERVAL_S = 5.0
"""Interval of scans for pools that other processes filled or left unreleased."""

MIN_INTERVAL_US = 250_000
"""Minimum time between two checks of one pool: responses without a group become due one by one."""

log = structlog.get_logger(__name__)


class ReleaseTimer:
    """Schedules the next check of every pool.

    Several processes may check a pool; the command releases a batch once.
    """

    def __init__(self, db: Database, writer: Writer, clock: Clock) -> None:
        self._db = db
        self._writer = writer
        self._clock = clock
        self._scheduled: dict[UUID, tuple[int, int]] = {}
        self._changed = asyncio.Event()

    def subscribe(self, bus: EventBus) -> None:
        """Schedule checks of every pool that changes."""
        bus.subscribe(ResponsesPooled, self.schedule)

    def schedule(self, pooled: ResponsesPooled) -> None:
        """Schedule checks of pools that changed in this process."""
        for activity_id, at_us in pooled.next_us.items():
            self._schedule_activity(activity_id, pooled.session_id, at_us)

    async def run(self) -> None:
        """Release due responses until cancelled, beginning with those that became due before."""
        while True:
            await self.scan()
            await self._run_until_next_scan()

    async def scan(self) -> None:
        """Schedule a check of every filled pool of the database."""
        try:
            for activity in await self._db.read_unmeasured(_filled_activities):
                if activity.id not in self._scheduled:
                    self._schedule_activity(activity.id, activity.session_id, self._clock.wall_us())
        except DomainError as error:
            log.warning("release-scan-failed", code=error.code)

    async def release_due_pools(self) -> None:
        """Run every check that is due."""
        now = self._clock.wall_us()
        for activity_id, (at_us, session_id) in list(self._scheduled.items()):
            if at_us <= now:
                self._scheduled.pop(activity_id, None)
                try:
                    next_us = await self._writer.run(session_id, release_due, activity_id)
                except DomainError as error:
                    log.warning("release-failed", code=error.code)
                else:
                    if next_us is not None:
                        self._schedule_activity(activity_id, session_id, max(next_us, now + MIN_INTERVAL_US))

    def _schedule_activity(self, activity_id: UUID, session_id: int, at_us: int) -> None:
        scheduled = self._scheduled.get(activity_id)
        if scheduled is None or at_us < scheduled[0]:
            self._scheduled[activity_id] = at_us, session_id
            self._changed.set()

    async def _run_until_next_scan(self) -> None:
        next_scan_s = self._clock.monotonic_s() + SCAN_INTERVAL_S
        while (left_s := next_scan_s - self._clock.monotonic_s()) > 0:
            await self.release_due_pools()
            self._changed.clear()
            next_us = min((at_us for at_us, _ in self._scheduled.values()), default=None)
            if next_us is not None:
                left_s = min(left_s, max(0.001, (next_us - self._clock.wall_us()) / US_PER_S))
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._changed.wait()


def _filled_activities(tx: ReadTx) -> list[Activity]:
    pooling = pooling_activities(tx)
    filled = activities_with_waiting(tx, [(each.id, each.round) for each in pooling]) if pooling else set()
    return [each for each in pooling if each.id in filled]
