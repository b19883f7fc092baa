"""Expiry timer: a timer for the next end, and polls for ends that other processes set."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from conflicto.activities.commands.run import expire_due
from conflicto.activities.events import ActivityChanged
from conflicto.activities.model import Activity, ActivityStatus
from conflicto.activities.queries import timed_activities
from conflicto.platform.instants import US_PER_S
from conflicto.platform.problems import DomainError

if TYPE_CHECKING:
    from uuid import UUID

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.event_bus import EventBus

POLL_INTERVAL_S = 5.0
"""Interval of database polls for ends that other processes set or that a fault lost."""

RETRY_US = 100_000
"""Delay of a retry when the database's clock is behind."""

log = structlog.get_logger(__name__)


class ExpiryTimer:
    """Expires each due activity once: the command checks again under the lock."""

    def __init__(self, db: Database, writer: Writer, clock: Clock) -> None:
        self._db = db
        self._writer = writer
        self._clock = clock
        self._ends: dict[UUID, tuple[int, int]] = {}
        self._changed = asyncio.Event()

    def subscribe(self, bus: EventBus) -> None:
        """Track the end of every activity that changes."""
        bus.subscribe(ActivityChanged, lambda event: self.track(event.activity))

    def track(self, activity: Activity) -> None:
        """Track the end of an activity in its current state."""
        if activity.status is ActivityStatus.ACTIVE and activity.ends_us is not None and not activity.deleted:
            self._ends[activity.id] = (activity.ends_us, activity.session_id)
        elif self._ends.pop(activity.id, None) is None:
            return
        self._changed.set()

    async def run(self) -> None:
        """Expire activities until cancelled, at the start also those whose end has passed."""
        while True:
            try:
                for activity in await self._db.read(timed_activities):
                    self.track(activity)
            except DomainError as error:
                log.warning("expiry-look-failed", code=error.code)
            await self._run_until_next_poll()

    async def _run_until_next_poll(self) -> None:
        look_at = self._clock.monotonic_s() + POLL_INTERVAL_S
        while (left_s := look_at - self._clock.monotonic_s()) > 0:
            await self._expire_due()
            self._changed.clear()
            next_us = min((end for end, _ in self._ends.values()), default=None)
            if next_us is not None:
                left_s = min(left_s, max(0.001, (next_us - self._clock.wall_us()) / US_PER_S))
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._changed.wait()

    def _retry(self, activity: Activity | None, now_us: int) -> None:
        """Retry an activity that is still active.

        Its end moved, or the database's clock is behind this host's.
        """
        if activity is not None and activity.status is ActivityStatus.ACTIVE and activity.ends_us is not None:
            self._ends[activity.id] = (max(activity.ends_us, now_us + RETRY_US), activity.session_id)

    async def _expire_due(self) -> None:
        now = self._clock.wall_us()
        for activity_id, (end, session_id) in list(self._ends.items()):
            if end <= now:
                self._ends.pop(activity_id, None)
                try:
                    activity = await self._writer.run(session_id, expire_due, activity_id)
                except DomainError as error:
                    log.warning("expiry-failed", code=error.code)
                else:
                    self._retry(activity, now)
