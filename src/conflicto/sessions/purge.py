"""Removal of deleted sessions from the database, in small chunks; one process at a time does it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from conflicto.platform.db.leases import claim, release
from conflicto.platform.ids import opaque_secret
from conflicto.platform.problems import DomainError
from conflicto.sessions import store
from conflicto.sessions.events import SessionChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conflicto.platform.db.engine import Database
    from conflicto.platform.db.transaction import WriteTx
    from conflicto.platform.db.writer import Writer
    from conflicto.platform.event_bus import EventBus

CHUNK_ROWS = 500
"""Rows per transaction: a few ms on either database."""

PURGE_INTERVAL_S = 30.0
PAUSE_S = 0.05

LEASE = "purge"
LEASE_S = 30.0
"""Seconds for which a chunk keeps the lease; another process takes over after that."""

log = structlog.get_logger(__name__)


class Purger:
    """Runs the purge steps of all packages by name, `(tx, session id, at most) → rows removed`.

    The steps with the most rows run first.
    """

    def __init__(self, db: Database, writer: Writer, steps: Mapping[str, Callable[[WriteTx, int, int], int]]) -> None:
        self._db = db
        self._writer = writer
        self._steps = {**steps, "idempotency_keys": store.purge_keys}
        self._wake = asyncio.Event()
        self._owner = opaque_secret(8)

    def subscribe(self, bus: EventBus) -> None:
        """Run when a session is deleted."""
        bus.subscribe(SessionChanged, self._wake_if_deleted)

    def _wake_if_deleted(self, event: SessionChanged) -> None:
        if event.session.deleted:
            self._wake.set()

    async def run(self) -> None:
        """Purge until cancelled."""
        while True:
            try:
                while (session_id := await self._db.read(store.next_deleted)) is not None and await self._purge(session_id):
                    pass
            except DomainError as error:
                log.warning("purge-failed", code=error.code)
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(PURGE_INTERVAL_S):
                    await self._wake.wait()

    async def _purge(self, session_id: int) -> bool:
        """Purge one session. Returns False if another process holds the lease."""
        rows = dict.fromkeys(self._steps, 0)
        for name, step in self._steps.items():
            while True:
                removed = await self._writer.run((), self._chunk, step, session_id)
                if removed is None:
                    return False
                if not removed:
                    break
                rows[name] += removed
                await asyncio.sleep(PAUSE_S)
        await self._writer.run((), store.purge_session, session_id)
        await self._writer.run((), release, LEASE, self._owner)
        log.info("session-purged", session_id=session_id, **rows)
        return True

    def _chunk(self, tx: WriteTx, step: Callable[[WriteTx, int, int], int], session_id: int) -> int | None:
        """Return the number of removed rows, or None if another process holds the lease."""
        if not claim(tx, LEASE, self._owner, LEASE_S):
            return None
        return step(tx, session_id, CHUNK_ROWS)
