"""Retention: delete completed sessions and idle drafts after a number of days.

Every process checks from time to time. The deletion checks again under the lock of the head, so
only one of several processes does it. The purge removes the rows (`purge.py`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from conflicto.platform.instants import US_PER_DAY, rfc3339
from conflicto.platform.problems import DomainError, NotFound
from conflicto.sessions import store
from conflicto.sessions.commands import delete_session
from conflicto.sessions.model import SessionStatus
from conflicto.sessions.queries import session_by_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from conflicto.platform.clock import Clock
    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import ReadTx, WriteTx
    from conflicto.platform.db.writer import Writer

CHECK_INTERVAL_S = 3600.0
"""Seconds between checks. Retention counts days, so an hour more or less does not matter."""

BATCH_SIZE = 100
"""Sessions per query."""

ACTOR = "system"

log = structlog.get_logger(__name__)


class Retention:
    """Deletes completed sessions and drafts without changes for a number of days.

    0 days disable it.
    """

    def __init__(self, db: Database, writer: Writer, clock: Clock, *, days: int, draft_days: int) -> None:
        self._db = db
        self._writer = writer
        self._clock = clock
        self._days = days
        self._draft_days = draft_days

    async def run(self) -> None:
        """Check until cancelled, first at once."""
        while True:
            try:
                await self.delete_expired()
            except DomainError as error:
                log.warning("retention-failed", code=error.code)
            await asyncio.sleep(CHECK_INTERVAL_S)

    async def delete_expired(self) -> int:
        """Delete expired sessions and return their number.

        Raises:
            Unavailable, Overloaded: the database does not respond; the next check continues.
        """
        completed = await self._delete_old(store.expired_sessions, self._days) if self._days else 0
        drafts = await self._delete_old(store.idle_drafts, self._draft_days) if self._draft_days else 0
        return completed + drafts

    async def _delete_old(self, find: Callable[[ReadTx, int, int], list[int]], days: int) -> int:
        before_us, deleted = self._clock.wall_us() - days * US_PER_DAY, 0
        while True:
            found = await self._db.read(find, before_us, BATCH_SIZE)
            for session_id in found:
                receipt = await self._writer.run(session_id, _delete, session_id, before_us)
                if receipt is not None:
                    deleted += 1
                    log.info("session-outlived", days=days, **receipt)
            if len(found) < BATCH_SIZE:
                return deleted


def _delete(tx: WriteTx, session_id: int, before_us: int) -> dict[str, object] | None:
    """Delete a session and return the receipt; None if it changed or is gone."""
    try:
        session = session_by_id(tx, session_id)
    except NotFound:
        return None
    head = tx.head(session_id)
    if not (store.is_expired(session, before_us) or store.is_idle_draft(session, head.ts, before_us)):
        return None
    receipt: dict[str, object] = {
        "session_id": session_id,
        "status": session.status.value,
        "changed_at": rfc3339(head.ts if session.status is SessionStatus.DRAFT else session.updated_ts),
        "participants": head.counts["participants"],
        "activities": head.counts["activities"],
    }
    delete_session(tx, session_id, actor=ACTOR)
    return receipt
